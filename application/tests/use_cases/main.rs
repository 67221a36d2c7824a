//! Tests of the use cases with in-memory ports.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::future::Future;

use futures_util::FutureExt;

mod contended;
mod dead_letter_selection;
mod discard_dead_letters;
mod erase_customer;
mod follow_pharmacy;
mod idempotency_key;
mod list_dead_letters;
mod list_orders;
mod place_order;
mod receive;
mod reconcile;
mod reconcile_many;
mod relay_model;
mod relay_step;
mod request_cancellation;
mod retry_dead_letters;
mod send_notifications;
mod work_on_order;

/// Returns the output of a future that is ready immediately.
fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("in-memory ports never wait")
}
