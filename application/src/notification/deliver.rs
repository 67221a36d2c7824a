use domain::Timestamp;

use super::{Channel, Claimed, Settled, settle};

/// Sends a leased notification, and decides what to store. `clock` returns the current time.
pub async fn deliver(
    channel: &impl Channel,
    claimed: &Claimed,
    clock: impl Fn() -> Timestamp,
) -> Settled {
    let began = clock();
    let result = channel.send(claimed, began).await;
    settle(claimed, result, began, clock())
}
