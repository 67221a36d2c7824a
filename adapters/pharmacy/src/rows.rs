use application::StoreError;
use application::pharmacy::{OrderRevision, PharmacyOrderView, WorkState};
use chrono::{DateTime, Utc};
use domain::pharmacy::{
    Cancellation, Contents, PharmacyOrder, PharmacySnapshot, ReceivedVersions, RequestedItem,
    RequestedMedication, StatusChange, WorkSnapshot, WorkStatus,
};
use domain::{OrderId, OrderVersion, OrderVersionError};
use serde::Deserialize;
use sqlx::types::Json;
use uuid::Uuid;

use super::work_row::ChangeRow;

/// Selects orders with their items, in one statement so that both are from the same snapshot. The text
/// follows `FROM orders`.
macro_rules! select_orders {
    ($which:literal, $($argument:expr),+) => {
        sqlx::query_as!(
            OrderRow,
            r#"SELECT order_id, version, missing, status, customer_name, note,
                      ordered_at, cancel_reason, cancelled_at, revision, received_at,
                      work_status, work_version, answered, history AS "history: Json<Vec<ChangeRow>>",
                      gaps AS "gaps: Json<Vec<(i64, i64)>>", redacted,
                      COALESCE((SELECT json_agg(item ORDER BY line) FROM order_items AS item
                                WHERE item.order_id = orders.order_id), '[]')
                          AS "items!: Json<Vec<ItemRow>>"
               FROM orders "#
                + $which,
            $($argument),+
        )
    };
}
pub(super) use select_orders;

/// An order as [`select_orders`] reads it.
#[derive(Debug)]
pub(super) struct OrderRow {
    pub(super) order_id: Uuid,
    pub(super) version: i64,
    pub(super) missing: i64,
    pub(super) status: String,
    pub(super) customer_name: Option<String>,
    pub(super) note: Option<String>,
    pub(super) ordered_at: Option<DateTime<Utc>>,
    pub(super) cancel_reason: Option<String>,
    pub(super) cancelled_at: Option<DateTime<Utc>>,
    pub(super) revision: i64,
    pub(super) received_at: DateTime<Utc>,
    pub(super) work_status: String,
    pub(super) work_version: i64,
    pub(super) answered: Option<i64>,
    pub(super) history: Json<Vec<ChangeRow>>,
    pub(super) gaps: Option<Json<Vec<(i64, i64)>>>,
    pub(super) redacted: bool,
    pub(super) items: Json<Vec<ItemRow>>,
}

/// The columns of an item's row, as JSON.
#[derive(Debug, Deserialize)]
pub(super) struct ItemRow {
    product_id: i64,
    quantity: i32,
    medication_system: Option<String>,
    medication_code: Option<String>,
    medication_display: Option<String>,
}

/// A row with contents that the pharmacy never writes.
#[derive(Debug, thiserror::Error)]
#[error("order {0} in pharmacy.orders has an invalid state")]
struct ImpossibleRow(Uuid);

impl OrderRow {
    pub(super) fn into_view(self) -> Result<PharmacyOrderView, StoreError> {
        let received_at = self.received_at.into();
        let (order, work) = self.into_snapshots()?;
        Ok(PharmacyOrderView { order, work, received_at })
    }

    pub(super) fn into_revised(self) -> Result<OrderRevision, StoreError> {
        let revision = self.revision;
        let (told, work) = self.into_snapshots()?;
        Ok(OrderRevision { order: PharmacyOrder::restore(told, work), revision })
    }

    fn into_snapshots(self) -> Result<(PharmacySnapshot, WorkSnapshot), StoreError> {
        let id = self.order_id;
        self.parse().ok_or_else(|| StoreError::Refused(Box::new(ImpossibleRow(id))))
    }

    /// `None` if the pharmacy never writes such a row.
    fn parse(self) -> Option<(PharmacySnapshot, WorkSnapshot)> {
        let order_id = OrderId::new(self.order_id);
        let cancellation = match (self.status.as_str(), self.cancel_reason, self.cancelled_at) {
            ("draft", None, None) => None,
            ("cancelled", Some(reason), Some(at)) => Some(Cancellation { reason, at: at.into() }),
            _ => return None,
        };
        let contents = match (self.customer_name, self.ordered_at) {
            (Some(customer_name), Some(ordered_at)) => Some(Contents {
                customer_name,
                items: self.items.0.into_iter().map(RequestedItem::from).collect(),
                note: self.note,
                ordered_at: ordered_at.into(),
            }),
            (None, None) => None,
            _ => return None,
        };
        let latest = version(self.version).ok()?;
        let versions = self
            .gaps
            .map(|gaps| ReceivedVersions::restore(latest, gaps.0))
            .filter(|versions| versions.missing() == self.missing)
            .unwrap_or_else(|| versions_of_earlier_row(latest, self.missing, contents.is_some()));
        let mut history: Vec<StatusChange> =
            self.history.0.into_iter().map(ChangeRow::parse).collect::<Option<_>>()?;
        if let (Some(Cancellation { at, .. }), "cancelled") = (&cancellation, &*self.work_status)
            && history.last().is_none_or(|last| last.status != WorkStatus::Cancelled)
        {
            // A program of an earlier version has cancelled it.
            history.push(StatusChange { status: WorkStatus::Cancelled, at: *at });
        }
        let status = history.last().map_or(WorkStatus::Draft, |change| change.status.clone());
        if WorkState::from(&status).as_str() != self.work_status {
            return None;
        }
        let version = version(self.work_version).ok()?;
        let answered = self.answered.map(OrderVersion::try_from).transpose().ok()?;
        let redacted = self.redacted;
        let told = PharmacySnapshot { id: order_id, versions, contents, cancellation, redacted };
        Some((told, WorkSnapshot { order_id, status, version, answered, history }))
    }
}

/// The received versions of a row that has only the number of the missing ones. Its program received
/// two events of an order at most, of which the first was the creation.
fn versions_of_earlier_row(
    latest: Option<OrderVersion>,
    missing: i64,
    created: bool,
) -> ReceivedVersions {
    let first = if created { latest.map_or(0, OrderVersion::get) - missing } else { 1 };
    let gaps = if missing > 0 { vec![(first, first + missing - 1)] } else { Vec::new() };
    ReceivedVersions::restore(latest, gaps)
}

/// A version that is stored as a number of events; 0 is none.
fn version(number: i64) -> Result<Option<OrderVersion>, OrderVersionError> {
    if number == 0 { Ok(None) } else { OrderVersion::try_from(number).map(Some) }
}

impl From<ItemRow> for RequestedItem {
    fn from(row: ItemRow) -> Self {
        let medication = row.medication_system.zip(row.medication_code);
        Self {
            product_id: row.product_id,
            quantity: row.quantity,
            medication: medication.map(|(system, code)| RequestedMedication {
                system,
                code,
                display: row.medication_display,
            }),
        }
    }
}
