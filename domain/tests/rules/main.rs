//! The rules of the domain, held against arbitrary inputs.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod generators;
mod histories;
mod orders;
mod pharmacy_orders;
mod values;
