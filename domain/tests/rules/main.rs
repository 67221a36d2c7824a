//! Property tests of the rules of the domain.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod codes;
mod generators;
mod histories;
mod orders;
mod pharmacy_orders;
mod pharmacy_work;
mod texts;
mod values;
