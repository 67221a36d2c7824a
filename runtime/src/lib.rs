//! What the programs and adapters share and what belongs to no adapter: the `main` of a program,
//! settings and secrets, start errors, the clock, traces, logs, readiness checks and shutdown.

mod backoff;
mod check;
pub mod clock;
mod command_line;
pub mod config;
pub mod dead_letters;
mod outage;
mod program;
pub mod shutdown;
mod start_error;
pub mod telemetry;
pub mod trace_context;

pub use application::one_line;
pub use backoff::Backoff;
pub use check::{Check, CheckResult};
pub use outage::Outage;
pub use program::main;
pub use start_error::StartError;
