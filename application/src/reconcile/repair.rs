use std::collections::{HashMap, HashSet};
use std::time::Duration;

use domain::OrderId;

use super::search::{by_order, ordering, read_model};
use super::{Difference, LedgerPair, OrderLedger, PublishedLedger, ReconcileError};

/// How many orders are published again at once, before waiting for their arrival. Relays publish
/// these before new events, so a larger number would delay new events for longer.
const BATCH_SIZE: usize = 1_000;

/// The time between two checks whether the orders have arrived.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Stop waiting after this many consecutive checks without progress.
const MAX_CHECKS_WITHOUT_PROGRESS: u32 = 30;

/// The result of repairing one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepairOutcome {
    /// The read model now has the same events as ordering.
    Repaired,
    /// The read model still differs, and the outbox no longer has all events of the order.
    NotRetained {
        /// How many events the outbox still has.
        events: i64,
    },
    /// The read model still differs, although all events of the order are due or published again.
    NotArrived,
}

/// Publishes all events of an order again if the read model lacks some of them. Waits for a bounded
/// time until they arrive.
///
/// Other differences are skipped, because an operator has to decide about them.
///
/// # Errors
/// When a store fails. Events that were made due again stay due.
pub async fn repair<P: PublishedLedger, R: OrderLedger>(
    ledgers: &LedgerPair<'_, P, R>,
    differences: &[Difference],
    wait: impl AsyncFn(Duration),
) -> Result<Vec<(OrderId, RepairOutcome)>, ReconcileError> {
    let lacking: Vec<&Difference> = differences.iter().filter(|one| one.lacks_events()).collect();
    let mut outcomes = Vec::with_capacity(lacking.len());
    for batch in lacking.chunks(BATCH_SIZE) {
        let orders: Vec<OrderId> = batch.iter().map(|one| one.order_id).collect();
        let republished = ledgers.published.republish(&orders).await.map_err(ordering)?;
        let due: HashMap<OrderId, i64> =
            republished.iter().map(|one| (one.order_id, one.events)).collect();
        let open = wait_until_equal(ledgers, due.keys().copied().collect(), &wait).await?;
        outcomes.extend(batch.iter().map(|one| {
            let events = due.get(&one.order_id).copied().unwrap_or(0);
            let all = one.published.map_or(0, |published| published.events);
            let outcome = match events {
                1.. if !open.contains(&one.order_id) => RepairOutcome::Repaired,
                _ if events < all => RepairOutcome::NotRetained { events },
                _ => RepairOutcome::NotArrived,
            };
            (one.order_id, outcome)
        }));
    }
    Ok(outcomes)
}

/// Waits until these orders are equal in both ledgers. Returns the orders that still differ.
async fn wait_until_equal<P: PublishedLedger, R: OrderLedger>(
    ledgers: &LedgerPair<'_, P, R>,
    orders: Vec<OrderId>,
    wait: &impl AsyncFn(Duration),
) -> Result<HashSet<OrderId>, ReconcileError> {
    let mut open = orders;
    let mut checks = 0;
    while !open.is_empty() && checks < MAX_CHECKS_WITHOUT_PROGRESS {
        wait(CHECK_INTERVAL).await;
        let known = by_order(ledgers.read_model.find_all(&open).await.map_err(read_model)?);
        let published = by_order(ledgers.published.find_all(&open).await.map_err(ordering)?);
        let before = open.len();
        open.retain(|order| known.get(order) != published.get(order));
        checks = if open.len() < before { 0 } else { checks + 1 };
    }
    Ok(open.into_iter().collect())
}
