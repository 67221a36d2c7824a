use chrono::{DateTime, Utc};
use domain::pharmacy::{Rejection, RejectionText, StatusChange, WorkStatus};
use serde::{Deserialize, Serialize};

use application::pharmacy::WorkState;

/// A change of the status, as it is stored in `history`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ChangeRow {
    status: String,
    at: DateTime<Utc>,
    /// The code of a rejection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// The text of a rejection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl From<&StatusChange> for ChangeRow {
    fn from(StatusChange { status, at }: &StatusChange) -> Self {
        let rejection = match status {
            WorkStatus::Rejected(rejection) => Some(rejection),
            _ => None,
        };
        Self {
            status: WorkState::from(status).as_str().to_owned(),
            at: at.get(),
            code: rejection.map(|it| it.code.as_str().to_owned()),
            text: rejection.map(|it| it.text.to_string()),
        }
    }
}

impl ChangeRow {
    /// `None` if the pharmacy never writes such a row.
    pub(super) fn parse(self) -> Option<StatusChange> {
        let state = WorkState::ALL.into_iter().find(|state| state.as_str() == self.status)?;
        let status = match state {
            WorkState::Draft => WorkStatus::Draft,
            WorkState::Confirmed => WorkStatus::Confirmed,
            WorkState::InPreparation => WorkStatus::InPreparation,
            WorkState::Ready => WorkStatus::Ready,
            WorkState::Dispensed => WorkStatus::Dispensed,
            WorkState::Rejected => WorkStatus::Rejected(Rejection {
                code: self.code?.parse().ok()?,
                text: RejectionText::restore(&self.text?).ok()?,
            }),
            WorkState::Cancelled => WorkStatus::Cancelled,
        };
        Some(StatusChange { status, at: self.at.into() })
    }
}
