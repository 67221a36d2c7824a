use std::future::Future;

use crate::notification::{NotificationViews, Notifications};
use crate::ordering::{OrderViews, Orders};
use crate::pharmacy::{PharmacyOrders, PharmacyViews};
use crate::published::DeadLetter;
use crate::reconcile::OrderLedger;
use crate::relay::Outbox;

/// A fresh ordering store under test.
pub trait OrderingFixture {
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
pub trait PharmacyFixture {
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
pub trait NotificationFixture {
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

    /// As [`OrderingFixture::let_delays_pass`], for notifications to be tried again.
    fn let_delays_pass(&self) -> impl Future<Output = ()> + Send;
}

/// A fresh store of any context under test, and its ledger of orders.
pub trait LedgerFixture {
    /// Its ledger.
    type Ledger: OrderLedger;

    /// The ledger.
    fn ledger(&self) -> Self::Ledger;

    /// Lets the context know the event by which [`sample`](super::sample) order `n` came to be at
    /// `version` 1 or 2. Rules tell the first before the second, unless the context is told by
    /// others.
    fn add_event(&self, n: u32, version: u32) -> impl Future<Output = ()> + Send;
}
