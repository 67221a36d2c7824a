//! Waiting for a condition.

use std::time::{Duration, Instant};

/// How long a condition may take to become true.
const TIMEOUT: Duration = Duration::from_mins(2);

/// Waits until the condition is true.
pub async fn eventually(condition: &str, mut is_true: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !is_true().await {
        assert!(Instant::now() < deadline, "not within {TIMEOUT:?}: {condition}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until `count` reaches `total`. It may take any time while the count grows: how fast a system
/// works depends on the machine.
pub async fn eventually_all(what: &str, total: usize, mut count: impl AsyncFnMut() -> usize) {
    let (mut highest, mut deadline) = (0, Instant::now() + TIMEOUT);
    loop {
        let reached = count().await;
        if reached >= total {
            return;
        }
        if reached > highest {
            (highest, deadline) = (reached, Instant::now() + TIMEOUT);
        }
        assert!(Instant::now() < deadline, "{highest} of {total}, no more in {TIMEOUT:?}: {what}");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}
