use std::fmt;
use std::future::Future;

use domain::notification::{EmailAddress, Language, LetterKind};
use domain::{EventId, OrderId};

use super::{Answer, SendError};

/// A letter to a customer, with all that its text needs. It is put together when it is sent and never
/// stored. Its `Debug` form hides the personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// The event. The `Message-ID` is made from it, so that a mail server detects a repeat.
    pub event_id: EventId,
    /// The address of the customer.
    pub to: EmailAddress,
    /// The name of the customer, any Unicode text of up to 200 characters.
    pub name: String,
    /// The language of the letter.
    pub language: Language,
    /// The order.
    pub order_id: OrderId,
    /// What the letter says.
    pub kind: LetterKind,
    /// Why the order was rejected or cancelled, in the words of a person.
    pub reason: Option<String>,
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { event_id, order_id, kind, .. } = self;
        write!(f, "Letter({} of order {order_id}, event {event_id})", kind.as_str())
    }
}

/// Port for a mail server.
pub trait Mailer: Send + Sync {
    /// Hands the letter to the mail server. The wait MUST be bounded.
    ///
    /// It may be called again for a letter that the server has accepted. The `Message-ID` MUST be the same
    /// then. The answer and the error MUST NOT contain the address or the name.
    fn send(&self, letter: &Letter) -> impl Future<Output = Result<Answer, SendError>> + Send;
}
