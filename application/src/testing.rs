//! In-memory ports, and the contract suites every implementation of a port must pass.
//!
//! A *fixture* is a fresh, empty store under test and its ports: [`OrderingFixture`],
//! [`PharmacyFixture`], [`NotificationFixture`]. A *suite* is a module of rules, each a plain async
//! function over a fixture that panics when the rule does not hold. A macro of the suite's name
//! makes a `#[test]` of every rule, so that a broken one is visible by its name:
//!
//! ```text
//! fn run(test: impl Future<Output = ()>) {
//!     tokio::runtime::Runtime::new().unwrap().block_on(test);
//! }
//!
//! async fn fixture() -> PgWorld { /* a database of its own, migrated and empty */ }
//!
//! mod orders { application::orders_contract!(super::run, super::fixture()); }
//! mod outbox { application::outbox_contract!(super::run, super::fixture()); }
//! ```
//!
//! The first argument runs a future to its end, the second is a future of a fresh fixture, made
//! anew for each rule. The suites are [`orders_contract`], [`order_views_contract`] and
//! [`outbox_contract`] over an [`OrderingFixture`]; [`pharmacy_orders_contract`],
//! [`pharmacy_views_contract`] and [`pharmacy_inbox_contract`] over a [`PharmacyFixture`];
//! [`notifications_contract`] and [`notification_inbox_contract`] over a [`NotificationFixture`];
//! [`order_ledger_contract`] over a [`LedgerFixture`], which each of them is, and
//! [`published_ledger_contract`] over one that is an [`OrderingFixture`] too. A fixture may own a
//! guard that removes the store when it is dropped.

#![allow(clippy::missing_panics_doc, reason = "a rule that does not hold is a panic")]

mod contract;
mod fixtures;
mod in_memory_ledgers;
mod in_memory_notifications;
mod in_memory_ordering;
mod in_memory_pharmacy;
mod recording_publisher;

pub mod notification_inbox_contract;
pub mod notifications_contract;
pub mod order_ledger_contract;
pub mod order_views_contract;
pub mod orders_contract;
pub mod outbox_contract;
pub mod pharmacy_inbox_contract;
pub mod pharmacy_orders_contract;
pub mod pharmacy_views_contract;
pub mod published_ledger_contract;
pub mod sample;

pub use fixtures::{LedgerFixture, NotificationFixture, OrderingFixture, PharmacyFixture};
pub use in_memory_notifications::{InMemoryNotificationClaim, InMemoryNotifications};
pub use in_memory_ordering::{InMemoryClaim, InMemoryOrdering};
pub use in_memory_pharmacy::InMemoryPharmacy;
pub use recording_publisher::RecordingPublisher;
