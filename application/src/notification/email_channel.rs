use domain::Timestamp;

use super::{
    Channel, ChannelName, Claimed, EventType, Letter, Mailer, Recipient, SendError, Sending,
    Suppression,
};

/// The channel `email`: letters to customers.
///
/// A letter is put together from the customer's contact when it is sent. A customer who was erased or has
/// declined the letter gets none.
#[derive(Debug, Clone)]
pub struct EmailChannel<M>(pub M);

impl<M: Mailer> Channel for EmailChannel<M> {
    fn name(&self) -> ChannelName {
        ChannelName::Email
    }

    async fn send(&self, claimed: &Claimed, _: Timestamp) -> Result<Sending, SendError> {
        match letter(claimed) {
            Ok(letter) => Ok(Sending::Accepted(self.0.send(&letter).await?)),
            Err(why) => Ok(Sending::Suppressed(why)),
        }
    }
}

fn letter(claimed: &Claimed) -> Result<Letter, Suppression> {
    let Recipient::Customer(Some(addressee)) = &claimed.recipient else {
        return Err(Suppression::NoContact);
    };
    let notification = &claimed.notification;
    let kind = notification.event_type.and_then(EventType::letter);
    let kind =
        kind.filter(|kind| addressee.preferences.wants(*kind)).ok_or(Suppression::Declined)?;
    Ok(Letter {
        event_id: notification.event_id,
        to: addressee.email.clone(),
        name: addressee.name.clone(),
        language: addressee.language,
        order_id: notification.order_id,
        kind,
        reason: notification.reason.clone(),
    })
}
