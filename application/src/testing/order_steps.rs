//! What can happen to a placed order, in every sequence that leads to another state.

use domain::ordering::{Order, PharmacyNews, Rejection, RejectionCode, StatusName};
use domain::{EventStamp, Outcome};

use super::sample;

/// Something that changes an order.
#[derive(Debug, Clone)]
pub enum OrderStep {
    /// The customer asks to cancel it.
    RequestCancellation,
    /// The pharmacy reports something.
    Follow(PharmacyNews),
    /// The data of the customer are erased.
    Redact,
}

use OrderStep::{Follow, Redact, RequestCancellation};
use PharmacyNews::{CancellationDeclined, Cancelled, Confirmed, Dispensed, Ready, Rejected};

impl OrderStep {
    /// Applies the step, which MUST change the order.
    pub fn take(&self, order: &mut Order, event_stamp: EventStamp) {
        let outcome = match self.clone() {
            RequestCancellation => order.request_cancellation(sample::reason(), event_stamp),
            Follow(news) => Ok(order.follow(news, event_stamp)),
            Redact => Ok(order.redact(event_stamp)),
        };
        assert_eq!(outcome, Ok(Outcome::Applied), "{self:?}");
    }

    /// The shortest sequence of steps that leads from a placed order to this status.
    #[must_use]
    pub fn to(status: StatusName) -> Vec<Self> {
        match status {
            StatusName::Created => vec![],
            StatusName::Confirmed => vec![Follow(Confirmed)],
            StatusName::Ready => vec![Follow(Ready)],
            StatusName::Completed => vec![Follow(Dispensed)],
            StatusName::Rejected => vec![Follow(Rejected(rejection()))],
            StatusName::CancellationRequested => vec![RequestCancellation],
            StatusName::Cancelled => vec![RequestCancellation, Follow(Cancelled)],
        }
    }

    /// Sequences of steps. They and their beginnings lead to every state of an order.
    #[must_use]
    pub fn sequences() -> Vec<Vec<Self>> {
        let all = [Follow(Confirmed), Follow(Ready), Follow(Dispensed)];
        let declined = Follow(CancellationDeclined);
        vec![
            all.to_vec(),
            vec![Follow(Confirmed), Follow(Rejected(rejection()))],
            vec![Follow(Cancelled)],
            vec![RequestCancellation, Follow(Cancelled)],
            vec![Follow(Confirmed), RequestCancellation, Follow(Ready), Follow(Cancelled)],
            vec![RequestCancellation, Follow(Dispensed), declined.clone()],
            vec![
                Follow(Ready),
                RequestCancellation,
                Follow(Rejected(rejection())),
                declined.clone(),
            ],
            vec![RequestCancellation, declined.clone(), Follow(Cancelled)],
            [vec![RequestCancellation, declined], all.to_vec()].concat(),
            vec![Redact, RequestCancellation, Follow(Cancelled)],
            vec![Follow(Confirmed), RequestCancellation, Redact, Follow(Rejected(rejection()))],
            vec![Follow(Rejected(rejection())), Redact],
            vec![RequestCancellation, Follow(Cancelled), Redact],
        ]
    }
}

/// A rejection.
#[must_use]
pub fn rejection() -> Rejection {
    let text = "leider nicht lieferbar – „薬“".parse().expect("a text");
    Rejection { code: RejectionCode::OutOfStock, text }
}
