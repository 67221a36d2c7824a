use std::time::Duration;

use super::ChannelName;

/// How often a letter is tried before it fails permanently. With the delays between the attempts, that
/// takes about 8 hours.
const LETTER_ATTEMPTS: u32 = 20;

/// The longest delay before the next attempt to send a letter.
const MAX_LETTER_DELAY: Duration = Duration::from_hours(1);

/// The delays after the failed attempts to call a webhook: those that
/// [Standard Webhooks](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md)
/// recommends. The whole takes about three days.
const WEBHOOK_DELAYS: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(14),
    Duration::from_hours(20),
    Duration::from_hours(24),
];

/// How long to wait after the attempt with this number, which has failed. `None` if there is no next
/// attempt.
///
/// Letters wait a second first, and each time twice as long. `spread` is from 0 to 1: calls of webhooks
/// wait up to 10 % longer, so that they do not all come back at the same time.
#[must_use]
pub fn retry_delay(channel: ChannelName, attempt: u32, spread: f64) -> Option<Duration> {
    match channel {
        ChannelName::Log | ChannelName::Email => {
            let delay = Duration::from_secs(2_u64.saturating_pow(attempt.saturating_sub(1)));
            (attempt < LETTER_ATTEMPTS).then(|| delay.min(MAX_LETTER_DELAY))
        }
        ChannelName::Webhook => {
            let place = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
            Some(WEBHOOK_DELAYS.get(place)?.mul_f64(1.0 + 0.1 * spread.clamp(0.0, 1.0)))
        }
    }
}

/// The longest delay before the next attempt.
#[must_use]
pub const fn max_retry_delay(channel: ChannelName) -> Duration {
    match channel {
        ChannelName::Log | ChannelName::Email => MAX_LETTER_DELAY,
        ChannelName::Webhook => Duration::from_hours(27),
    }
}

/// How long to wait while the mail server cannot be reached: 5 to 10 seconds.
#[must_use]
pub fn outage_delay(spread: f64) -> Duration {
    Duration::from_secs(5).mul_f64(1.0 + spread.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(channel: ChannelName, spread: f64) -> Vec<Option<u64>> {
        (1..=21).map(|attempt| Some(retry_delay(channel, attempt, spread)?.as_secs())).collect()
    }

    #[test]
    fn the_delay_of_letters_doubles_up_to_an_hour_and_the_last_attempt_has_none() {
        let delays = seconds(ChannelName::Email, 0.5);
        let doubling = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048].map(Some);
        assert_eq!(delays[..12], doubling);
        assert_eq!(delays[12..19], [Some(3600); 7]);
        assert_eq!(delays[19..], [None; 2]);
        assert_eq!(delays.iter().flatten().sum::<u64>() / 3600, 8);
    }

    #[test]
    fn webhooks_are_retried_as_the_standard_recommends_and_up_to_a_tenth_later() {
        let hours = |hours: u64| Some(hours * 3600);
        let schedule = [
            Some(5),
            Some(300),
            Some(1800),
            hours(2),
            hours(5),
            hours(10),
            hours(14),
            hours(20),
            hours(24),
        ];
        let delays = seconds(ChannelName::Webhook, 0.0);
        assert_eq!(delays[..9], schedule);
        assert_eq!(delays[9..], [None; 12]);
        let latest = seconds(ChannelName::Webhook, 1.0);
        assert_eq!(latest[8], Some(24 * 3600 * 11 / 10));
        assert!(
            latest
                .iter()
                .flatten()
                .all(|delay| *delay <= max_retry_delay(ChannelName::Webhook).as_secs())
        );
    }
}
