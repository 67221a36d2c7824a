use std::error::Error;

use application::StoreError;
use chrono::{DateTime, Utc};
use domain::ordering::{
    CancelReason, Code, CodeDisplay, CodeSystem, CustomerName, MedicationCoding, Order, OrderItem,
    OrderItems, OrderNote, OrderSnapshot, OrderStatus, ProductId, Quantity,
};
use domain::{OrderId, OrderVersion};
use serde::{Deserialize, Serialize};
use sqlx::types::{Json, Uuid};

/// Selects [`OrderRow`]s.
macro_rules! select_orders {
    ($which:literal $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            OrderRow,
            r#"SELECT id, customer_name, items AS "items: _", note, status, version, created_at,
                      cancel_reason, cancelled_at
               FROM orders "# + $which
            $(, $argument)*
        )
    };
}
pub(super) use select_orders;

/// An order as it is stored: a row of its table, and the JSON of the answer to a cause.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderRow {
    pub(super) id: Uuid,
    pub(super) customer_name: String,
    pub(super) items: Json<Vec<ItemRow>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
    pub(super) status: String,
    pub(super) version: i64,
    pub(super) created_at: DateTime<Utc>,
    pub(super) cancel_reason: Option<String>,
    pub(super) cancelled_at: Option<DateTime<Utc>>,
}

/// An item as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemRow {
    product_id: i64,
    quantity: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    medication: Option<MedicationRow>,
}

/// A medication as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct MedicationRow {
    system: String,
    code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    display: Option<String>,
}

/// The reason why a stored order is invalid.
type InvalidReason = Box<dyn Error + Send + Sync>;

/// Error for a stored order that is invalid.
#[derive(Debug, thiserror::Error)]
#[error("the stored order {id} is invalid")]
struct InvalidOrder {
    id: Uuid,
    source: InvalidReason,
}

impl From<&OrderSnapshot> for OrderRow {
    fn from(order: &OrderSnapshot) -> Self {
        let (status, cancel_reason, cancelled_at) = match &order.status {
            OrderStatus::Created => ("created", None, None),
            OrderStatus::Cancelled { reason, at } => {
                ("cancelled", Some(reason.as_str().to_owned()), Some(at.get()))
            }
        };
        Self {
            id: order.id.get(),
            customer_name: order.customer_name.as_str().to_owned(),
            items: Json(order.items.as_slice().iter().map(ItemRow::from).collect()),
            note: order.note.as_ref().map(ToString::to_string),
            status: status.to_owned(),
            version: order.version.get(),
            created_at: order.created_at.get(),
            cancel_reason,
            cancelled_at,
        }
    }
}

impl OrderRow {
    /// The order, for commands that change it.
    pub(super) fn order(self) -> Result<Order, StoreError> {
        let id = self.id;
        Order::restore(self.snapshot()?).map_err(|error| invalid(id, error.into()))
    }

    /// The state of the order, for queries.
    pub(super) fn snapshot(self) -> Result<OrderSnapshot, StoreError> {
        let id = self.id;
        self.parse().map_err(|error| invalid(id, error))
    }

    fn parse(self) -> Result<OrderSnapshot, InvalidReason> {
        let status = match (self.status.as_str(), self.cancel_reason, self.cancelled_at) {
            ("created", None, None) => OrderStatus::Created,
            ("cancelled", Some(reason), Some(at)) => {
                OrderStatus::Cancelled { reason: CancelReason::restore(&reason)?, at: at.into() }
            }
            (status, ..) => {
                return Err(format!(
                    "status {status:?} does not match cancel_reason and cancelled_at"
                )
                .into());
            }
        };
        let items = self.items.0.into_iter().map(ItemRow::parse);
        Ok(OrderSnapshot {
            id: OrderId::new(self.id),
            customer_name: CustomerName::restore(&self.customer_name)?,
            items: OrderItems::try_from(items.collect::<Result<Vec<_>, _>>()?)?,
            note: self.note.as_deref().map(OrderNote::restore).transpose()?,
            status,
            version: OrderVersion::try_from(self.version)?,
            created_at: self.created_at.into(),
        })
    }
}

impl From<&OrderItem> for ItemRow {
    fn from(item: &OrderItem) -> Self {
        Self {
            product_id: item.product_id.get(),
            quantity: item.quantity.get(),
            medication: item.medication.as_ref().map(MedicationRow::from),
        }
    }
}

impl ItemRow {
    fn parse(self) -> Result<OrderItem, InvalidReason> {
        Ok(OrderItem {
            product_id: ProductId::try_from(self.product_id)?,
            quantity: Quantity::try_from(i64::from(self.quantity))?,
            medication: self.medication.map(MedicationRow::parse).transpose()?,
        })
    }
}

impl From<&MedicationCoding> for MedicationRow {
    fn from(coding: &MedicationCoding) -> Self {
        Self {
            system: coding.system.to_string(),
            code: coding.code.to_string(),
            display: coding.display.as_ref().map(ToString::to_string),
        }
    }
}

impl MedicationRow {
    fn parse(self) -> Result<MedicationCoding, InvalidReason> {
        Ok(MedicationCoding {
            system: self.system.parse::<CodeSystem>()?,
            code: Code::restore(&self.code)?,
            display: self.display.as_deref().map(CodeDisplay::restore).transpose()?,
        })
    }
}

fn invalid(id: Uuid, source: InvalidReason) -> StoreError {
    StoreError::Broken(Box::new(InvalidOrder { id, source }))
}
