//! The use cases, told over ports in memory.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::future::Future;

use futures_util::FutureExt;

mod cancel_order;
mod dead_letter_selection;
mod deliver_notifications;
mod discard_dead_letters;
mod idempotency_key;
mod list_dead_letters;
mod list_orders;
mod place_order;
mod receive;
mod reconcile;
mod reconcile_many;
mod relay_model;
mod relay_step;
mod retry_dead_letters;

/// Runs what never has to wait.
fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("nothing in memory has to wait")
}
