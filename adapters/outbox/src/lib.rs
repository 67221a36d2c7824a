//! A transactional outbox on Postgres.
//!
//! A service appends events in the transaction that changes its aggregate. Any number of relays
//! publish them to Kafka. No event is lost, and the events of one aggregate are published in their
//! order.
//!
//! The tables are in the schema of the context that owns the outbox. The SQL of this crate names no
//! schema: the sessions of a [`Database`](adapter_postgres::Database) have the schema as their search
//! path. The columns `order_id` and `order_version` hold the id and the version of the
//! aggregate; they have these names because orders were the first aggregates.
//!
//! - Writers use [`Lane`], [`query_appending!`] and [`WakeupSender`].
//! - Relays use [`PgOutbox`] to claim events, and [`Wakeups`] to wait for new ones.
//! - [`OutboxCheck`] checks the assumptions of the protocol. [`Adoption`] repairs an outbox that
//!   does not meet them.
//! - [`PgBacklog`], [`PgOutboxDeadLetters`], [`PgReplay`], [`republish()`] and [`days`] are for
//!   operators.

mod adoption;
mod append;
mod backlog;
mod context_outbox;
pub mod days;
mod dead_letters;
mod in_flight;
mod lane;
mod outbox;
mod outbox_check;
mod replay;
mod republish;
mod topics;
mod wakeups;

pub use adoption::{Adoption, AdoptionError, AdoptionReport, repair_positions};
#[doc(hidden)]
pub use append::EventColumns;
pub use append::{NewEvent, NewEvents};
pub use backlog::PgBacklog;
pub use context_outbox::ContextOutbox;
pub use dead_letters::PgOutboxDeadLetters;
pub use in_flight::in_flight;
pub use lane::Lane;
pub use outbox::{MAX_LANES_PER_CLAIM, PgClaim, PgOutbox};
pub use outbox_check::OutboxCheck;
pub use replay::PgReplay;
pub use republish::republish;
pub use topics::Topics;
pub use wakeups::{WakeupSender, Wakeups};

use adapter_postgres::Migrations;

/// The migrations of the outbox. A context that owns an outbox lists them in its
/// [`ContextTables`](adapter_postgres::ContextTables).
pub const MIGRATIONS: Migrations = Migrations {
    files: || sqlx::migrate!("../../migrations/outbox"),
    recorded_in: "_outbox_migrations",
};
