//! In-memory ports, and the contract suites every implementation of a port must pass.
//!
//! A *world* is a fresh, empty store under test and its ports: [`OrderingWorld`],
//! [`PharmacyWorld`], [`NotificationWorld`]. A *suite* is a module of rules, each a plain async
//! function over a world that panics when the rule does not hold. A macro of the suite's name makes
//! a `#[test]` of every rule, so that a broken one is visible by its name:
//!
//! ```text
//! fn run(test: impl Future<Output = ()>) {
//!     tokio::runtime::Runtime::new().unwrap().block_on(test);
//! }
//!
//! async fn world() -> PgWorld { /* a database of its own, migrated and empty */ }
//!
//! mod orders { application::orders_contract!(super::run, super::world()); }
//! mod outbox { application::outbox_contract!(super::run, super::world()); }
//! ```
//!
//! The first argument runs a future to its end, the second is a future of a fresh world, made anew
//! for each rule. The suites are [`orders_contract`], [`order_views_contract`] and
//! [`outbox_contract`] over an [`OrderingWorld`]; [`pharmacy_orders_contract`],
//! [`pharmacy_views_contract`] and [`pharmacy_inbox_contract`] over a [`PharmacyWorld`];
//! [`notifications_contract`] and [`notification_inbox_contract`] over a [`NotificationWorld`];
//! [`order_ledger_contract`] over a [`LedgerWorld`], which each of them is, and
//! [`published_ledger_contract`] over one that is an [`OrderingWorld`] too.
//! [`dead_letters_contract`] holds for a [`DeadLetterWorld`] of any context, together with either
//! [`consumer_dead_letters_contract`] or [`outbox_dead_letters_contract`].
//! A world may own a guard that removes the store when it is dropped.

#![allow(clippy::missing_panics_doc, reason = "a rule that does not hold is a panic")]

mod contract;
mod dead_letters_made;
mod in_memory_dead_letters;
mod in_memory_ledgers;
mod in_memory_notifications;
mod in_memory_ordering;
mod in_memory_pharmacy;
mod recording_publisher;
mod worlds;

pub mod consumer_dead_letters_contract;
pub mod dead_letters_contract;
pub mod notification_inbox_contract;
pub mod notifications_contract;
pub mod order_ledger_contract;
pub mod order_views_contract;
pub mod orders_contract;
pub mod outbox_contract;
pub mod outbox_dead_letters_contract;
pub mod pharmacy_inbox_contract;
pub mod pharmacy_orders_contract;
pub mod pharmacy_views_contract;
pub mod published_ledger_contract;
pub mod sample;

pub use dead_letters_made::{keep_dead_letter, refuse_event};
pub use in_memory_dead_letters::InMemoryDeadLetters;
pub use in_memory_notifications::{InMemoryNotificationClaim, InMemoryNotifications};
pub use in_memory_ordering::{InMemoryClaim, InMemoryOrdering};
pub use in_memory_pharmacy::InMemoryPharmacy;
pub use recording_publisher::RecordingPublisher;
pub use worlds::{DeadLetterWorld, LedgerWorld, NotificationWorld, OrderingWorld, PharmacyWorld};
