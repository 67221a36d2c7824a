//! The columns of an order that change, and the state that they mean.

use chrono::{DateTime, Utc};
use domain::ordering::{
    CancelReason, Cancellation, Progress, Rejection, RejectionCode, RejectionText, StatusChange,
    StatusName,
};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use super::InvalidReason;

/// A change of the status as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in super::super) struct ChangeRow {
    status: String,
    at: DateTime<Utc>,
}

/// `progress`, `rejection_code` and `rejection_text`.
pub(super) type ProgressColumns = (Option<String>, Option<String>, Option<String>);

/// `cancel_reason`, `cancelled_at`, `cancel_requested_at` and `cancel_declined_at`.
pub(super) type CancellationColumns =
    (Option<String>, Option<DateTime<Utc>>, Option<DateTime<Utc>>, Option<DateTime<Utc>>);

pub(super) fn progress_columns(progress: &Progress) -> ProgressColumns {
    let name = Some(progress.status().name().as_str().to_owned());
    match progress {
        Progress::Created => (None, None, None),
        Progress::Confirmed | Progress::Ready | Progress::Completed => (name, None, None),
        Progress::Rejected(Rejection { code, text }) => {
            (name, Some(code.as_str().to_owned()), Some(text.as_str().to_owned()))
        }
    }
}

pub(super) fn progress(columns: ProgressColumns) -> Result<Progress, InvalidReason> {
    let (name, code, text) = columns;
    let name = name.as_deref().map(str::parse::<StatusName>).transpose()?;
    match (name, code, text) {
        (None, None, None) => Ok(Progress::Created),
        (Some(StatusName::Confirmed), None, None) => Ok(Progress::Confirmed),
        (Some(StatusName::Ready), None, None) => Ok(Progress::Ready),
        (Some(StatusName::Completed), None, None) => Ok(Progress::Completed),
        (Some(StatusName::Rejected), Some(code), Some(text)) => {
            let code = code.parse::<RejectionCode>()?;
            Ok(Progress::Rejected(Rejection { code, text: RejectionText::restore(&text)? }))
        }
        (name, ..) => Err(format!("progress {name:?} does not match the rejection").into()),
    }
}

pub(super) fn cancellation_columns(cancellation: Option<&Cancellation>) -> CancellationColumns {
    let text = |reason: &CancelReason| Some(reason.as_str().to_owned());
    match cancellation {
        None => (None, None, None, None),
        Some(Cancellation::Requested { reason, at }) => (text(reason), None, Some(at.get()), None),
        Some(Cancellation::Declined { at }) => (None, None, None, Some(at.get())),
        Some(Cancellation::Granted { reason, at }) => (text(reason), Some(at.get()), None, None),
    }
}

pub(super) fn cancellation(
    columns: CancellationColumns,
) -> Result<Option<Cancellation>, InvalidReason> {
    match columns {
        (None, None, None, None) => Ok(None),
        (Some(reason), None, Some(at), None) => {
            let reason = CancelReason::restore(&reason)?;
            Ok(Some(Cancellation::Requested { reason, at: at.into() }))
        }
        (None, None, None, Some(at)) => Ok(Some(Cancellation::Declined { at: at.into() })),
        (Some(reason), Some(at), None, None) => {
            let reason = CancelReason::restore(&reason)?;
            Ok(Some(Cancellation::Granted { reason, at: at.into() }))
        }
        _ => Err("the reason and the times of the cancellation do not match".into()),
    }
}

/// `None` for an order that was only placed: `created_at` has the same time. So a program of the version
/// before can cancel such an order and need not know the column.
pub(super) fn history_column(history: &[StatusChange]) -> Option<Json<Vec<ChangeRow>>> {
    let row = |change: &StatusChange| ChangeRow {
        status: change.status.as_str().to_owned(),
        at: change.at.get(),
    };
    (history.len() > 1).then(|| Json(history.iter().map(row).collect()))
}

pub(super) fn history(
    column: Option<Json<Vec<ChangeRow>>>,
    created_at: DateTime<Utc>,
    cancelled_at: Option<DateTime<Utc>>,
) -> Result<Vec<StatusChange>, InvalidReason> {
    if let Some(Json(rows)) = column {
        return rows.into_iter().map(ChangeRow::parse).collect();
    }
    let change = |status, at: DateTime<Utc>| StatusChange { status, at: at.into() };
    let cancelled = cancelled_at.map(|at| change(StatusName::Cancelled, at));
    Ok([change(StatusName::Created, created_at)].into_iter().chain(cancelled).collect())
}

impl ChangeRow {
    fn parse(self) -> Result<StatusChange, InvalidReason> {
        Ok(StatusChange { status: self.status.parse()?, at: self.at.into() })
    }
}
