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
