//! Waiting.

use std::time::{Duration, Instant};

/// How long anything may take to come true before a test gives up.
const PATIENCE: Duration = Duration::from_mins(2);

/// Asks again until it is so.
pub async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "it never came that {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
