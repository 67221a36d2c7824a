//! Property tests of the rules of the domain.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod codes;
mod generators;
mod histories;
mod notification;
mod order_states;
mod order_transitions;
mod orders;
mod pharmacy_orders;
mod pharmacy_work;
mod redaction;
mod texts;
mod values;
