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

/// Selects orders with their items, in one statement so that both are from the same snapshot.
macro_rules! select_orders {
    ($which:literal) => {
        concat!(
            "SELECT order_id, version, missing, status, customer_name, note, ordered_at,
                    cancel_reason, cancelled_at, revision, received_at,
                    COALESCE((SELECT json_agg(item ORDER BY line) FROM order_items AS item
                              WHERE item.order_id = orders.order_id), '[]') AS items
             FROM orders ",
            $which
        )
    };
}
pub(super) use select_orders;

/// An order as [`select_orders`] reads it.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct OrderRow {
    order_id: Uuid,
    #[sqlx(try_from = "i64")]
    version: OrderVersion,
    missing: i64,
    status: String,
    customer_name: Option<String>,
    note: Option<String>,
    ordered_at: Option<DateTime<Utc>>,
    cancel_reason: Option<String>,
    cancelled_at: Option<DateTime<Utc>>,
    revision: i64,
    received_at: DateTime<Utc>,
    items: Json<Vec<ItemRow>>,
}

/// The columns of an item's row, as JSON.
#[derive(Debug, Deserialize)]
struct ItemRow {
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
        let status = match (self.status.as_str(), self.cancel_reason, self.cancelled_at) {
            ("draft", None, None) => PharmacyStatus::Draft,
            ("cancelled", Some(reason), Some(at)) => {
                PharmacyStatus::Cancelled { reason, at: at.into() }
            }
            _ => return Err(StoreError::Refused(Box::new(ImpossibleRow(id)))),
        };
        let contents = match (self.customer_name, self.ordered_at) {
            (Some(customer_name), Some(ordered_at)) => Some(Contents {
                customer_name,
                items: self.items.0.into_iter().map(RequestedItem::from).collect(),
                note: self.note,
                ordered_at: ordered_at.into(),
            }),
            (None, None) => None,
            _ => return Err(StoreError::Refused(Box::new(ImpossibleRow(id)))),
        };
        Ok(PharmacySnapshot {
            id: OrderId::new(id),
            version: Some(self.version),
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
