use std::future::Future;

use crate::dead_letters::DeadLetters;
use crate::notification::{NotificationViews, Notifications};
use crate::ordering::{OrderViews, Orders};
use crate::pharmacy::{PharmacyOrders, PharmacyViews};
use crate::published::DeadLetter;
use crate::reconcile::OrderLedger;
use crate::relay::Outbox;

/// A fresh ordering store under test.
pub trait OrderingWorld {
    /// Its port for changing orders.
    type Orders: Orders;
    /// Its port for looking at orders.
    type Views: OrderViews;
    /// Its port for relaying events.
    type Outbox: Outbox;

    /// The port for changing orders.
    fn orders(&self) -> Self::Orders;

    /// The port for looking at orders.
    fn views(&self) -> Self::Views;

    /// The port for relaying events.
    fn outbox(&self) -> Self::Outbox;

    /// Lets time pass, or makes it seem so: whatever waits out a delay, such as a failed record,
    /// MUST be due afterwards. Rules also call it, again and again, while they wait for something
    /// the store does in the background, such as the end of a dropped claim; where that takes real
    /// time, a few milliseconds of it SHOULD pass here.
    fn let_delays_pass(&self) -> impl Future<Output = ()> + Send;
}

/// A fresh pharmacy store under test.
pub trait PharmacyWorld {
    /// Its port for changing orders.
    type Orders: PharmacyOrders;
    /// Its port for looking at orders.
    type Views: PharmacyViews;

    /// The port for changing orders.
    fn orders(&self) -> Self::Orders;

    /// The port for looking at orders.
    fn views(&self) -> Self::Views;

    /// All dead letters kept, in any order.
    fn dead_letters(&self) -> impl Future<Output = Vec<DeadLetter>> + Send;
}

/// A fresh notification store under test.
pub trait NotificationWorld {
    /// Its port for recording and sending.
    type Notifications: Notifications;
    /// Its port for looking at notifications.
    type Views: NotificationViews;

    /// The port for recording and sending.
    fn notifications(&self) -> Self::Notifications;

    /// The port for looking at notifications.
    fn views(&self) -> Self::Views;

    /// All dead letters kept, in any order.
    fn dead_letters(&self) -> impl Future<Output = Vec<DeadLetter>> + Send;

    /// As [`OrderingWorld::let_delays_pass`], for notifications to be tried again.
    fn let_delays_pass(&self) -> impl Future<Output = ()> + Send;
}

/// A fresh store of any context under test, and its ledger of orders.
pub trait LedgerWorld {
    /// Its ledger.
    type Ledger: OrderLedger;

    /// The ledger.
    fn ledger(&self) -> Self::Ledger;

    /// Lets the context know the event by which [`sample`](super::sample) order `n` came to be at
    /// `version` 1 or 2. Rules tell the first before the second, unless the context is told by others.
    fn tell(&self, n: u32, version: u32) -> impl Future<Output = ()> + Send;
}

/// A fresh store of any context under test, and its dead letters.
pub trait DeadLetterWorld {
    /// Its port for the dead letters.
    type Letters: DeadLetters;

    /// The port for the dead letters.
    fn letters(&self) -> Self::Letters;

    /// Makes a dead letter of the event by which [`sample`](super::sample) order `n` came to be at
    /// `version`: 1 is an `OrderCreated`, 2 an `OrderCancelled`. Later calls MUST have greater numbers.
    fn let_die(
        &self,
        n: u32,
        version: u32,
        reason: &str,
    ) -> impl Future<Output = <Self::Letters as DeadLetters>::Id> + Send;

    /// An id that no dead letter has.
    fn unknown_id(&self) -> <Self::Letters as DeadLetters>::Id;
}
