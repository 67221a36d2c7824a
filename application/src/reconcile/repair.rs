use std::collections::{HashMap, HashSet};
use std::time::Duration;

use domain::OrderId;

use super::search::{by_order, ordering, read_model};
use super::{Difference, LedgerPair, OrderLedger, PublishedLedger, ReconcileError};

/// How many orders are published again before it is waited until they have arrived. Relays take what
/// is published again before what is new, so it is done in portions.
const PORTION: usize = 1_000;

/// How often it is looked whether they have arrived.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// After so many looks in which no further order has arrived, no more is expected.
const LOOKS: u32 = 30;

/// What became of an order that was published again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepairOutcome {
    /// The read model knows the same as ordering now.
    Repaired,
    /// It does not, and the outbox no longer has all of the order's events.
    NotRetained {
        /// How many it has.
        events: i64,
    },
    /// It does not, although all events of the order are due or published again.
    NotArrived,
}

/// Publishes again the orders of which the read model lacks an event, and waits for a bounded time
/// until it knows them. The other differences are left out: they are for people to decide about.
///
/// # Errors
/// When a store fails. What is due again stays due.
pub async fn repair<P: PublishedLedger, R: OrderLedger>(
    sides: &LedgerPair<'_, P, R>,
    differences: &[Difference],
    wait: impl AsyncFn(Duration),
) -> Result<Vec<(OrderId, RepairOutcome)>, ReconcileError> {
    let lacking: Vec<&Difference> = differences.iter().filter(|one| one.lacks_events()).collect();
    let mut outcomes = Vec::with_capacity(lacking.len());
    for portion in lacking.chunks(PORTION) {
        let orders: Vec<OrderId> = portion.iter().map(|one| one.order_id).collect();
        let republished = sides.published.republish(&orders).await.map_err(ordering)?;
        let due: HashMap<OrderId, i64> =
            republished.iter().map(|one| (one.order_id, one.events)).collect();
        let open = wait_for(sides, due.keys().copied().collect(), &wait).await?;
        outcomes.extend(portion.iter().map(|one| {
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

/// Waits until the two know the same of these orders; answers those of which they still do not.
async fn wait_for<P: PublishedLedger, R: OrderLedger>(
    sides: &LedgerPair<'_, P, R>,
    orders: Vec<OrderId>,
    wait: &impl AsyncFn(Duration),
) -> Result<HashSet<OrderId>, ReconcileError> {
    let mut open = orders;
    let mut looks = 0;
    while !open.is_empty() && looks < LOOKS {
        wait(LOOK_EVERY).await;
        let known = by_order(sides.read_model.find_all(&open).await.map_err(read_model)?);
        let published = by_order(sides.published.find_all(&open).await.map_err(ordering)?);
        let before = open.len();
        open.retain(|order| known.get(order) != published.get(order));
        looks = if open.len() < before { 0 } else { looks + 1 };
    }
    Ok(open.into_iter().collect())
}
