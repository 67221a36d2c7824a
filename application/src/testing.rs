//! In-memory implementations of the ports, and the contract tests for every implementation.
//!
//! A *contract* is a module of tests for one port. Each test is an async function that takes a
//! fixture and panics on failure. A *fixture* is a new, empty store with its ports. A macro with
//! the name of the contract makes one `#[test]` per test function:
//!
//! ```text
//! fn run(test: impl Future<Output = ()>) {
//!     tokio::runtime::Runtime::new().unwrap().block_on(test);
//! }
//!
//! async fn fixture() -> PgFixture { /* a separate database, migrated and empty */ }
//!
//! mod orders { application::orders_contract!(super::run, super::fixture()); }
//! mod outbox { application::outbox_contract!(super::run, super::fixture()); }
//! ```
//!
//! The first argument is a function that runs a future to completion. The second is an expression
//! for a future of a new fixture; it is evaluated for each test. A fixture may own a guard that
//! removes the store when it is dropped.
//!
//! The contracts of each fixture:
//!
//! - [`OrderingFixture`]: [`orders_contract`], [`answers_contract`],
//!   [`follow_pharmacy_contract`], [`order_views_contract`], [`customer_orders_contract`],
//!   [`outbox_contract`].
//! - [`PharmacyFixture`]: [`pharmacy_orders_contract`], [`pharmacy_views_contract`],
//!   [`pharmacy_inbox_contract`].
//! - [`NotificationFixture`]: [`notifications_contract`], [`notification_inbox_contract`],
//!   [`letters_contract`], [`webhooks_contract`], [`webhook_claims_contract`],
//!   [`webhook_failures_contract`].
//! - [`LedgerFixture`]: [`order_ledger_contract`], in every context.
//! - [`LedgerFixture`] and [`OrderingFixture`]: [`published_ledger_contract`].
//! - [`OperatorFixture`]: [`replay_contract`], [`backlog_contract`].
//! - [`DeadLetterFixture`]: [`dead_letters_contract`] in every context, together with
//!   [`consumer_dead_letters_contract`] or [`outbox_dead_letters_contract`].

#![allow(clippy::missing_panics_doc, reason = "contract tests fail by panicking")]

mod add_dead_letters;
mod contract;
mod fixtures;
mod in_memory_dead_letters;
mod in_memory_ledgers;
mod in_memory_notifications;
mod in_memory_ordering;
mod in_memory_pharmacy;
mod notification_steps;
mod order_steps;
mod ordering_steps;
mod recording_publisher;

pub mod answers_contract;
pub mod backlog_contract;
pub mod consumer_dead_letters_contract;
pub mod customer_orders_contract;
pub mod dead_letters_contract;
pub mod follow_pharmacy_contract;
pub mod letters_contract;
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
pub mod replay_contract;
pub mod sample;
pub mod webhook_claims_contract;
pub mod webhook_failures_contract;
pub mod webhooks_contract;

pub use add_dead_letters::{refuse_event, store_dead_letter};
pub use fixtures::{
    DeadLetterFixture, LedgerFixture, NotificationFixture, OperatorFixture, OrderingFixture,
    PharmacyFixture,
};
pub use in_memory_dead_letters::InMemoryDeadLetters;
pub use in_memory_notifications::InMemoryNotifications;
pub use in_memory_ordering::{InMemoryClaim, InMemoryOrdering};
pub use in_memory_pharmacy::InMemoryPharmacy;
pub use order_steps::{OrderStep, rejection};
pub use recording_publisher::RecordingPublisher;
