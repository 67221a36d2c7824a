use chrono::{DateTime, Utc};
use sqlx::types::{Json, Uuid};

use super::Save;
use crate::order_row::{ChangeRow, ItemRow, OrderRow};

/// The saves as parameters of the statement.
#[derive(Debug, Default)]
pub(super) struct Columns<'s> {
    pub(super) kinds: Vec<Option<&'static str>>,
    pub(super) keys: Vec<Option<&'s str>>,
    pub(super) fingerprints: Vec<Option<Uuid>>,
    pub(super) answers: Vec<Option<Json<&'s OrderRow>>>,
    pub(super) ids: Vec<Uuid>,
    pub(super) stored_versions: Vec<Option<i64>>,
    pub(super) customer_ids: Vec<Option<&'s str>>,
    pub(super) customer_names: Vec<&'s str>,
    pub(super) items: Vec<Json<&'s [ItemRow]>>,
    pub(super) notes: Vec<Option<&'s str>>,
    pub(super) statuses: Vec<&'s str>,
    pub(super) versions: Vec<i64>,
    pub(super) created_at: Vec<DateTime<Utc>>,
    pub(super) cancel_reasons: Vec<Option<&'s str>>,
    pub(super) cancelled_at: Vec<Option<DateTime<Utc>>>,
    pub(super) progress: Vec<Option<&'s str>>,
    pub(super) rejection_codes: Vec<Option<&'s str>>,
    pub(super) rejection_texts: Vec<Option<&'s str>>,
    pub(super) cancel_requested_at: Vec<Option<DateTime<Utc>>>,
    pub(super) cancel_declined_at: Vec<Option<DateTime<Utc>>>,
    pub(super) histories: Vec<Option<Json<&'s [ChangeRow]>>>,
    pub(super) redacted_at: Vec<Option<DateTime<Utc>>>,
}

impl<'s> Columns<'s> {
    pub(super) fn of(saves: &[&'s Save]) -> Self {
        let mut columns = Self::default();
        for save in saves {
            columns.push(save);
        }
        columns
    }

    fn push(&mut self, save: &'s Save) {
        let Save { cause, order, stored_version, events: _ } = save;
        let (kind, key, fingerprint) = match cause {
            Some((kind, key, fingerprint)) => (Some(*kind), Some(key.as_str()), *fingerprint),
            None => (None, None, None),
        };
        self.kinds.push(kind);
        self.keys.push(key);
        self.fingerprints.push(fingerprint);
        self.answers.push(kind.map(|_| Json(order)));
        self.stored_versions.push(*stored_version);
        let OrderRow {
            id,
            customer_id,
            customer_name,
            items,
            note,
            status,
            version,
            created_at,
            cancel_reason,
            cancelled_at,
            progress,
            rejection_code,
            rejection_text,
            cancel_requested_at,
            cancel_declined_at,
            history,
            redacted_at,
        } = order;
        self.ids.push(*id);
        self.customer_ids.push(customer_id.as_deref());
        self.customer_names.push(customer_name);
        self.items.push(Json(&items.0));
        self.notes.push(note.as_deref());
        self.statuses.push(status);
        self.versions.push(*version);
        self.created_at.push(*created_at);
        self.cancel_reasons.push(cancel_reason.as_deref());
        self.cancelled_at.push(*cancelled_at);
        self.progress.push(progress.as_deref());
        self.rejection_codes.push(rejection_code.as_deref());
        self.rejection_texts.push(rejection_text.as_deref());
        self.cancel_requested_at.push(*cancel_requested_at);
        self.cancel_declined_at.push(*cancel_declined_at);
        self.histories.push(history.as_ref().map(|history| Json(history.0.as_slice())));
        self.redacted_at.push(*redacted_at);
    }
}
