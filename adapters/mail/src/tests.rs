//! Tests of letters and messages, and of sending them to a real SMTP server.

mod letters;
mod message;
mod sending;
mod settings;

use application::notification::Letter;
use domain::notification::{Language, LetterKind};
use domain::{EventId, OrderId};
use uuid::Uuid;

/// A letter to this customer: their order is ready.
pub(crate) fn letter(name: &str, address: &str) -> Letter {
    Letter {
        event_id: EventId::new(Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0001)),
        to: address.parse().unwrap(),
        name: name.to_owned(),
        language: Language::En,
        order_id: OrderId::new(Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0002)),
        kind: LetterKind::Ready,
        reason: None,
    }
}
