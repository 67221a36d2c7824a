use std::time::Duration;

/// How often sending a notification is tried before it fails permanently. With the delays between the
/// attempts, that takes about 8 hours.
const MAX_ATTEMPTS: u32 = 20;

/// The longest delay before the next attempt.
pub const MAX_RETRY_DELAY: Duration = Duration::from_hours(1);

/// How long to wait after the attempt with this number, which has failed. It starts with a second and
/// doubles with each attempt. `None` if there is no next attempt.
#[must_use]
pub fn retry_delay(attempt: u32) -> Option<Duration> {
    let delay = Duration::from_secs(2_u64.saturating_pow(attempt.saturating_sub(1)));
    (attempt < MAX_ATTEMPTS).then(|| delay.min(MAX_RETRY_DELAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_up_to_an_hour_and_the_last_attempt_has_none() {
        let delays: Vec<Option<u64>> =
            (1..=21).map(|attempt| Some(retry_delay(attempt)?.as_secs())).collect();
        let doubling = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048].map(Some);
        assert_eq!(delays[..12], doubling);
        assert_eq!(delays[12..19], [Some(3600); 7]);
        assert_eq!(delays[19..], [None; 2]);
        let hours: u64 = delays.iter().flatten().sum::<u64>() / 3600;
        assert_eq!(hours, 8);
    }
}
