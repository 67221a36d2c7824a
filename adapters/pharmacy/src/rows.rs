use application::StoreError;
use application::pharmacy::{OrderRevision, PharmacyOrderView};
use chrono::{DateTime, Utc};
use domain::pharmacy::{
    Contents, PharmacyOrder, PharmacySnapshot, PharmacyStatus, RequestedItem, RequestedMedication,
};
use domain::{OrderId, OrderVersion};
use serde::Deserialize;
use sqlx::types::Json;
use uuid::Uuid;

/// Selects orders with their items, in one statement so that both are from the same snapshot. The text
/// follows `FROM orders`.
macro_rules! select_orders {
    ($which:literal, $($argument:expr),+) => {
        sqlx::query_as!(
            OrderRow,
            r#"SELECT order_id, version, missing, status, customer_name, note,
                      ordered_at, cancel_reason, cancelled_at, revision, received_at,
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
        Ok(PharmacyOrderView { order: self.into_snapshot()?, received_at })
    }

    pub(super) fn into_revised(self) -> Result<OrderRevision, StoreError> {
        let revision = self.revision;
        Ok(OrderRevision { order: PharmacyOrder::restore(self.into_snapshot()?), revision })
    }

    fn into_snapshot(self) -> Result<PharmacySnapshot, StoreError> {
        let id = self.order_id;
        let impossible = || StoreError::Refused(Box::new(ImpossibleRow(id)));
        let version = OrderVersion::try_from(self.version).map_err(|_| impossible())?;
        let status = match (self.status.as_str(), self.cancel_reason, self.cancelled_at) {
            ("draft", None, None) => PharmacyStatus::Draft,
            ("cancelled", Some(reason), Some(at)) => {
                PharmacyStatus::Cancelled { reason, at: at.into() }
            }
            _ => return Err(impossible()),
        };
        let contents = match (self.customer_name, self.ordered_at) {
            (Some(customer_name), Some(ordered_at)) => Some(Contents {
                customer_name,
                items: self.items.0.into_iter().map(RequestedItem::from).collect(),
                note: self.note,
                ordered_at: ordered_at.into(),
            }),
            (None, None) => None,
            _ => return Err(impossible()),
        };
        Ok(PharmacySnapshot {
            id: OrderId::new(id),
            version: Some(version),
            status,
            contents,
            missing: self.missing,
        })
    }
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
