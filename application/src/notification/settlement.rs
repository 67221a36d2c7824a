use std::time::Duration;

use domain::Timestamp;

use super::{
    Attempt, Claimed, Lease, NotificationId, Recipient, SendError, Sending, max_retry_delay,
    outage_delay, retry_delay,
};

/// How long every call of a webhook may fail until it is disabled.
const FAILING_LIMIT: Duration = Duration::from_hours(5 * 24);

/// The end of a lease: what is stored after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The notification.
    pub id: NotificationId,
    /// The lease under which it was sent.
    pub lease: Lease,
    /// The result.
    pub outcome: SendOutcome,
    /// The attempt, if one was made.
    pub attempt: Option<Attempt>,
    /// What the attempt says about the webhook.
    pub endpoint: Option<EndpointChange>,
}

/// The result of sending a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// The receiver has accepted it.
    Sent,
    /// Sending failed and is retried after the delay.
    Later {
        /// Why it failed.
        reason: String,
        /// How long to wait before the next attempt, at most
        /// [`max_retry_delay`](super::max_retry_delay).
        delay: Duration,
    },
    /// Sending failed permanently.
    Failed(String),
    /// It is not to be sent.
    Suppressed(String),
}

/// A change of a webhook, caused by a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointChange {
    /// A call failed after others had been accepted.
    FailingSince(Timestamp),
    /// It has answered that it is gone. It is not called any more.
    Gone(String),
    /// Its calls have failed for too long. It is not called any more, unless another call was accepted
    /// meanwhile, which ends `since`.
    Failing {
        /// Since when every call has failed.
        since: Timestamp,
        /// Why it is disabled.
        reason: String,
    },
}

impl Settled {
    /// Why the provider could not be reached, if that was the case.
    #[must_use]
    pub fn outage(&self) -> Option<&str> {
        match &self.outcome {
            SendOutcome::Later { reason, .. } if self.attempt.is_none() => Some(reason),
            _ => None,
        }
    }
}

/// Decides what to store after sending began and ended at these times.
#[must_use]
pub fn settle(
    claimed: &Claimed,
    result: Result<Sending, SendError>,
    began: Timestamp,
    ended: Timestamp,
) -> Settled {
    let (accepted, answer) = match &result {
        Ok(Sending::Accepted(answer)) => (true, Some(answer.0.clone())),
        Ok(Sending::Logged | Sending::Suppressed(_)) | Err(SendError::Unreachable(_)) => {
            (false, None)
        }
        Err(error) => (false, Some(crate::one_line(error))),
    };
    let duration = (ended.get() - began.get()).to_std().unwrap_or_default();
    let attempt = answer.map(|answer| Attempt { began, duration, accepted, answer });
    Settled {
        id: claimed.notification.id,
        lease: claimed.lease,
        endpoint: endpoint_change(claimed, &result, ended),
        outcome: outcome(claimed, result),
        attempt,
    }
}

fn outcome(claimed: &Claimed, result: Result<Sending, SendError>) -> SendOutcome {
    let notification = &claimed.notification;
    match result {
        Ok(Sending::Logged | Sending::Accepted(_)) => SendOutcome::Sent,
        Ok(Sending::Suppressed(why)) => SendOutcome::Suppressed(why.to_string()),
        Err(SendError::Unreachable(reason)) => {
            SendOutcome::Later { reason, delay: outage_delay(claimed.lease.spread()) }
        }
        Err(SendError::Later { reason, after }) => {
            let spread = claimed.lease.spread();
            match retry_delay(notification.channel, notification.attempts + 1, spread) {
                Some(delay) => {
                    let delay = delay.max(after.unwrap_or_default());
                    SendOutcome::Later {
                        reason,
                        delay: delay.min(max_retry_delay(notification.channel)),
                    }
                }
                None => SendOutcome::Failed(reason),
            }
        }
        Err(SendError::Never(reason) | SendError::Gone(reason)) => SendOutcome::Failed(reason),
    }
}

/// A webhook is disabled when it answers that it is gone, and when its calls have failed for five days.
fn endpoint_change(
    claimed: &Claimed,
    result: &Result<Sending, SendError>,
    now: Timestamp,
) -> Option<EndpointChange> {
    let Recipient::Webhook(Some(endpoint)) = &claimed.recipient else { return None };
    match (result, endpoint.failing_since) {
        (Ok(_) | Err(SendError::Unreachable(_)), _) => None,
        (Err(SendError::Gone(reason)), _) => Some(EndpointChange::Gone(reason.clone())),
        (Err(_), None) => Some(EndpointChange::FailingSince(now)),
        (Err(error), Some(since)) => {
            let failing = (now.get() - since.get()).to_std().unwrap_or_default();
            (failing >= FAILING_LIMIT).then(|| {
                let last = crate::one_line(error);
                let reason = format!("no call was accepted for five days; last: {last}");
                EndpointChange::Failing { since, reason }
            })
        }
    }
}
