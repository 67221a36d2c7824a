use std::fmt::Display;
use std::time::{Duration, Instant};

/// How long a condition may take to become true.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Waits until the condition is true.
///
/// Panics with `condition`, which describes it, if it is not true within a minute. The description
/// is formatted only then.
pub async fn eventually<F>(condition: impl Display, is_true: impl Fn() -> F)
where
    F: Future<Output = bool>,
{
    let deadline = Instant::now() + TIMEOUT;
    while !is_true().await {
        assert!(Instant::now() < deadline, "not within {TIMEOUT:?}: {condition}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
