use std::collections::{HashMap, HashSet};
use std::time::Duration;

use domain::OrderId;

use super::pages::{PAGE_SIZE, Pages};
use super::{
    Difference, DifferenceKind, LedgerEntry, LedgerPair, OrderLedger, OrderRange, PublishedLedger,
    ReconcileError, Summary,
};
use crate::StoreError;

/// Days are compared first.
const DAY: Duration = Duration::from_hours(24);

/// A day that differs is split into hours, and an hour that differs into minutes.
const FINER: [Duration; 2] = [Duration::from_hours(1), Duration::from_mins(1)];

/// A range with at most this many orders is not split further. Reading two pages of each ledger is
/// cheaper than computing the digests of all parts.
const MAX_ORDERS_TO_READ: u64 = 10_000;

/// Maximum number of orders that wait together for the second check. This bounds the memory.
const MAX_SUSPECTS: usize = 100_000;

/// An order that differed at the first check.
struct Suspect {
    order_id: OrderId,
    /// The entry of ordering at the first check. `None` if an event of the order was not published
    /// yet.
    published: Option<LedgerEntry>,
}

/// A running comparison of two ledgers.
pub(super) struct Search<'a, P, R, W, F> {
    ledgers: &'a LedgerPair<'a, P, R>,
    grace: Duration,
    wait: W,
    found: F,
    suspects: Vec<Suspect>,
    summary: Summary,
}

impl<'a, P, R, W, F> Search<'a, P, R, W, F>
where
    P: PublishedLedger,
    R: OrderLedger,
    W: AsyncFn(Duration),
    F: AsyncFnMut(&[Difference]) -> Result<(), ReconcileError>,
{
    pub(super) fn new(
        ledgers: &'a LedgerPair<'a, P, R>,
        grace: Duration,
        wait: W,
        found: F,
    ) -> Self {
        Self { ledgers, grace, wait, found, suspects: Vec::new(), summary: Summary::default() }
    }

    pub(super) async fn run(mut self, range: OrderRange) -> Result<Summary, ReconcileError> {
        let mut rest = range;
        while let Some(first) = self.first(rest).await? {
            let day = rest.period_of(first, DAY);
            self.compare_day(day).await?;
            rest = rest.after_range(day);
        }
        self.check_again().await?;
        Ok(self.summary)
    }

    /// The first order in either ledger. Used to skip days without orders.
    async fn first(&self, range: OrderRange) -> Result<Option<OrderId>, ReconcileError> {
        if range.is_empty() {
            return Ok(None);
        }
        let published = self.ledgers.published.page(range, 1).await.map_err(ordering)?;
        let known = self.ledgers.read_model.page(range, 1).await.map_err(read_model)?;
        Ok(published.iter().chain(&known).map(|entry| entry.order_id).min())
    }

    async fn compare_day(&mut self, day: OrderRange) -> Result<(), ReconcileError> {
        let mut ranges = vec![(day, FINER.as_slice())];
        while let Some((range, finer)) = ranges.pop() {
            let published = self.ledgers.published.digest(range).await.map_err(ordering)?;
            let known = self.ledgers.read_model.digest(range).await.map_err(read_model)?;
            if range == day {
                self.summary.published += published.orders;
                self.summary.known += known.orders;
            }
            if published == known {
                continue;
            }
            match finer.split_first() {
                Some((&period, finer))
                    if published.orders.max(known.orders) > MAX_ORDERS_TO_READ =>
                {
                    ranges.extend(range.parts(period).rev().map(|part| (part, finer)));
                }
                _ => self.compare_orders(range).await?,
            }
        }
        Ok(())
    }

    /// The first check: compares each order of a range.
    async fn compare_orders(&mut self, range: OrderRange) -> Result<(), ReconcileError> {
        let mut published = Pages::of(self.ledgers.published, range);
        let mut known = Pages::of(self.ledgers.read_model, range);
        loop {
            let next = (
                published.peek().await.map_err(ordering)?,
                known.peek().await.map_err(read_model)?,
            );
            let Some(order_id) = [next.0, next.1].into_iter().flatten().map(|e| e.order_id).min()
            else {
                return Ok(());
            };
            let published = published.take(order_id);
            if published != known.take(order_id) {
                self.suspects.push(Suspect { order_id, published });
            }
            if self.suspects.len() >= MAX_SUSPECTS {
                self.check_again().await?;
            }
        }
    }

    /// The second check of all orders that differed at the first one.
    async fn check_again(&mut self) -> Result<(), ReconcileError> {
        if self.suspects.is_empty() {
            return Ok(());
        }
        let mut suspects = std::mem::take(&mut self.suspects);
        let in_flight = self.in_flight(&suspects).await?;
        for suspect in suspects.iter_mut().filter(|one| in_flight.contains(&one.order_id)) {
            suspect.published = None;
        }
        (self.wait)(self.grace).await;
        let in_flight = self.in_flight(&suspects).await?;
        for part in suspects.chunks(PAGE_SIZE) {
            self.check_part(part, &in_flight).await?;
        }
        Ok(())
    }

    async fn check_part(
        &mut self,
        suspects: &[Suspect],
        in_flight: &HashSet<OrderId>,
    ) -> Result<(), ReconcileError> {
        let ids: Vec<OrderId> = suspects.iter().map(|suspect| suspect.order_id).collect();
        // Read ordering last: it has every event before a read model can have it.
        let known = self.ledgers.read_model.find_all(&ids).await.map_err(read_model)?;
        let published = self.ledgers.published.find_all(&ids).await.map_err(ordering)?;
        let (known, published) = (by_order(known), by_order(published));

        let mut differences = Vec::new();
        for &Suspect { order_id, published: first } in suspects {
            let (known, published) = (known.get(&order_id), published.get(&order_id));
            let in_flight = in_flight.contains(&order_id);
            // A later event may have arrived since. An earlier event that is lost still shows as a
            // gap.
            let lacks = !in_flight
                && first.is_some_and(|first| {
                    known.is_none_or(|known| known.version < first.version || known.has_gap())
                });
            let exceeds = known
                .is_some_and(|known| published.is_none_or(|published| known.exceeds(published)));
            if lacks || exceeds {
                let (published, known) = (published.copied(), known.copied());
                differences.push(Difference { order_id, published, known });
            } else if in_flight || first.is_none() {
                self.summary.in_flight += 1;
            }
        }
        for difference in &differences {
            match difference.kind() {
                DifferenceKind::Missing => self.summary.missing += 1,
                DifferenceKind::Extra => self.summary.extra += 1,
                DifferenceKind::Differing => self.summary.differing += 1,
            }
        }
        if differences.is_empty() { Ok(()) } else { (self.found)(&differences).await }
    }

    async fn in_flight(&self, suspects: &[Suspect]) -> Result<HashSet<OrderId>, ReconcileError> {
        let ids: Vec<OrderId> = suspects.iter().map(|suspect| suspect.order_id).collect();
        let in_flight = self.ledgers.published.in_flight(&ids).await.map_err(ordering)?;
        Ok(in_flight.into_iter().collect())
    }
}

pub(super) fn by_order(entries: Vec<LedgerEntry>) -> HashMap<OrderId, LedgerEntry> {
    entries.into_iter().map(|entry| (entry.order_id, entry)).collect()
}

pub(super) const fn ordering(error: StoreError) -> ReconcileError {
    ReconcileError::Ordering(error)
}

pub(super) const fn read_model(error: StoreError) -> ReconcileError {
    ReconcileError::ReadModel(error)
}
