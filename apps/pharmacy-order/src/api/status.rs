use std::str::FromStr;

use application::pharmacy::PharmacyViewStatus;
use domain::pharmacy::PharmacyStatus;
use serde::Serialize;
use utoipa::ToSchema;

/// The status of an order in the pharmacy
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// The order waits for a pharmacist
    Draft,
    /// The order was cancelled
    Cancelled,
}

/// The error for a text that is not a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of: draft, cancelled")]
pub(super) struct StatusError;

impl Status {
    pub(super) const fn filter(self) -> PharmacyViewStatus {
        match self {
            Self::Draft => PharmacyViewStatus::Draft,
            Self::Cancelled => PharmacyViewStatus::Cancelled,
        }
    }
}

impl From<&PharmacyStatus> for Status {
    fn from(status: &PharmacyStatus) -> Self {
        match status {
            PharmacyStatus::Draft => Self::Draft,
            PharmacyStatus::Cancelled { .. } => Self::Cancelled,
        }
    }
}

impl FromStr for Status {
    type Err = StatusError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "draft" => Ok(Self::Draft),
            "cancelled" => Ok(Self::Cancelled),
            _ => Err(StatusError),
        }
    }
}
