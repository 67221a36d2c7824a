//! What every program and every adapter shares and no technology owns: settings and secrets, errors
//! at start, the clock, traces, logs, readiness checks, and how a program stops.

mod check;
pub mod clock;
pub mod config;
pub mod dead_letters;
mod outage;
pub mod shutdown;
mod start_error;
pub mod telemetry;
pub mod trace_context;

pub use application::one_line;
pub use check::{Check, CheckResult};
pub use outage::Outage;
pub use start_error::StartError;
