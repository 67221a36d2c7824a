use std::collections::HashMap;

use domain::ordering::{PharmacyNews, Rejection, RejectionCode, RejectionText};
use domain::{EventStamp, OrderId, Outcome};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::{Orders, PharmacyReport, follow_pharmacy};
use crate::StoreError;
use crate::dead_letters::ConsumerDeadLetters;
use crate::inbox::{BatchOutcome, Inbox};
use crate::published::{DeadLetter, PharmacyPayload, PublishedEvent};

/// How many orders follow the pharmacy at the same time.
const CONCURRENT_ORDERS: usize = 8;

/// The inbox of ordering: lets orders follow the events of the pharmacy.
///
/// Each order is saved in its own transaction, with its own events. The events of one order are
/// applied one after the other.
#[derive(Debug, Clone)]
pub struct ReceiveReports<S, D> {
    /// The orders.
    pub orders: S,
    /// Where records are stored that cannot be applied.
    pub dead_letters: D,
    /// Makes the stamps of the events that the orders record.
    pub event_stamp: fn() -> EventStamp,
}

impl<S: Orders, D: ConsumerDeadLetters> Inbox<PharmacyPayload> for ReceiveReports<S, D> {
    async fn apply_batch(
        &self,
        events: &[PublishedEvent<PharmacyPayload>],
        dead: &[DeadLetter],
    ) -> Result<BatchOutcome, StoreError> {
        let mut by_order: HashMap<OrderId, Vec<PharmacyReport>> = HashMap::new();
        for event in events {
            by_order.entry(event.order_id).or_default().push(report(event)?);
        }
        let applied: Vec<u64> = stream::iter(by_order.into_values())
            .map(|reports| self.follow(reports))
            .buffer_unordered(CONCURRENT_ORDERS)
            .try_collect()
            .await?;
        let applied = applied.into_iter().sum::<u64>();
        if !dead.is_empty() {
            self.dead_letters.keep(dead).await?;
        }
        Ok(BatchOutcome {
            applied,
            repeated: events.len() as u64 - applied,
            dead: dead.len() as u64,
            ..BatchOutcome::default()
        })
    }
}

impl<S: Orders, D: ConsumerDeadLetters> ReceiveReports<S, D> {
    /// Lets one order follow these reports. Returns how many changed it.
    async fn follow(&self, reports: Vec<PharmacyReport>) -> Result<u64, StoreError> {
        let mut applied = 0;
        for report in reports {
            let outcome = follow_pharmacy(&self.orders, report, (self.event_stamp)()).await?;
            applied += u64::from(outcome == Outcome::Applied);
        }
        Ok(applied)
    }
}

/// What an event of the pharmacy means to ordering.
///
/// A kind of rejection that ordering does not know is [`RejectionCode::Other`]: the text still says
/// why.
fn report(event: &PublishedEvent<PharmacyPayload>) -> Result<PharmacyReport, StoreError> {
    let news = match &event.payload {
        PharmacyPayload::Confirmed => PharmacyNews::Confirmed,
        PharmacyPayload::PreparationStarted => PharmacyNews::PreparationStarted,
        PharmacyPayload::Ready => PharmacyNews::Ready,
        PharmacyPayload::Dispensed => PharmacyNews::Dispensed,
        PharmacyPayload::Rejected { code, text } => PharmacyNews::Rejected(Rejection {
            code: code.parse().unwrap_or(RejectionCode::Other),
            text: RejectionText::restore(text)
                .map_err(|error| StoreError::Refused(Box::new(error)))?,
        }),
        PharmacyPayload::Cancelled { .. } => PharmacyNews::Cancelled,
        PharmacyPayload::CancellationDeclined { .. } => PharmacyNews::CancellationDeclined,
    };
    Ok(PharmacyReport { event_id: event.event_id, order_id: event.order_id, news })
}
