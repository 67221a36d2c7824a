use std::time::Duration;

use domain::Timestamp;
use domain::notification::{EmailAddress, Language, Preferences};
use uuid::Uuid;

use super::{ChannelName, Notification, SealedSecret};

/// Which notifications a worker wants to send next.
#[derive(Debug, Clone, Copy)]
pub struct ClaimRequest<'a> {
    /// The channel.
    pub channel: ChannelName,
    /// The lease of the notifications that are claimed. A new one for each claim.
    pub lease: Lease,
    /// How long the lease holds. The worker MUST have settled by then, or another one sends them too.
    pub hold: Duration,
    /// Maximum number of notifications.
    pub limit: usize,
    /// Maximum number of notifications that are leased for one customer or webhook. A webhook whose calls
    /// fail gets one. The channel `log` has no such limit: it has one receiver.
    pub per_destination: usize,
    /// Receivers for which this worker holds leases, or that have another limit.
    pub busy: &'a [Busy],
    /// Maximum number of notifications for webhooks whose calls fail, so that many of them do not hold up
    /// the others.
    pub failing: usize,
}

/// A receiver to which a worker is sending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Busy {
    /// The customer or webhook.
    pub destination: String,
    /// How many of its notifications the worker has leased.
    pub leased: usize,
    /// How many may be leased, instead of [`ClaimRequest::per_destination`].
    pub most: usize,
}

/// A claim's token. Only the worker with the token can settle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lease(Uuid);

/// A notification that a worker has leased to send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The notification.
    pub notification: Notification,
    /// Who holds it.
    pub lease: Lease,
    /// Whether an earlier lease has run out: it may have been sent already.
    pub ran_out: bool,
    /// The receiver, as it was known when the notification was claimed.
    pub recipient: Recipient,
}

/// The receiver of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// The log of the service.
    Log,
    /// A customer. `None` without a contact.
    Customer(Option<Addressee>),
    /// Another system. `None` if the webhook is disabled.
    Webhook(Option<Endpoint>),
}

/// A customer who can be reached.
#[derive(Clone, PartialEq, Eq)]
pub struct Addressee {
    /// The name on the order.
    pub name: String,
    /// The address.
    pub email: EmailAddress,
    /// The language of the letter.
    pub language: Language,
    /// Which letters the customer wants.
    pub preferences: Preferences,
}

/// Where to call another system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The address.
    pub url: String,
    /// The secrets that sign a call, newest first.
    pub secrets: Vec<SealedSecret>,
    /// Since when every call has failed. `None` if the last call was accepted.
    pub failing_since: Option<Timestamp>,
}

impl Lease {
    /// The lease with this random token.
    #[must_use]
    pub const fn new(token: Uuid) -> Self {
        Self(token)
    }

    /// The token.
    #[must_use]
    pub const fn get(self) -> Uuid {
        self.0
    }

    /// A number from 0 to 1, derived from the token, to spread retries.
    #[must_use]
    pub fn spread(self) -> f64 {
        f64::from(u16::from_le_bytes([self.0.as_bytes()[14], self.0.as_bytes()[15]])) / 65535.0
    }
}

impl std::fmt::Debug for Addressee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Addressee(..)")
    }
}
