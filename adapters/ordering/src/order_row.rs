mod state;

use std::error::Error;

use application::StoreError;
use chrono::{DateTime, Utc};
use domain::ordering::{
    Code, CodeDisplay, CodeSystem, CustomerName, MedicationCoding, Order, OrderItem, OrderItems,
    OrderNote, OrderSnapshot, ProductId, Quantity,
};
use domain::{CustomerId, OrderId, OrderVersion, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::types::{Json, Uuid};

pub(super) use self::state::ChangeRow;

/// Selects [`OrderRow`]s.
macro_rules! select_orders {
    ($which:literal $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            OrderRow,
            r#"SELECT id, customer_id, customer_name, items AS "items: _", note, status, version, created_at,
                      cancel_reason, cancelled_at, progress, rejection_code, rejection_text,
                      cancel_requested_at, cancel_declined_at, history AS "history: _", redacted_at
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) customer_id: Option<String>,
    pub(super) customer_name: String,
    pub(super) items: Json<Vec<ItemRow>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
    pub(super) status: String,
    pub(super) version: i64,
    pub(super) created_at: DateTime<Utc>,
    pub(super) cancel_reason: Option<String>,
    pub(super) cancelled_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) progress: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rejection_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rejection_text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cancel_requested_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cancel_declined_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) history: Option<Json<Vec<ChangeRow>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) redacted_at: Option<DateTime<Utc>>,
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
        let (progress, rejection_code, rejection_text) = state::progress_columns(&order.progress);
        let (cancel_reason, cancelled_at, cancel_requested_at, cancel_declined_at) =
            state::cancellation_columns(order.cancellation.as_ref());
        Self {
            id: order.id.get(),
            customer_id: order.customer_id.as_ref().map(ToString::to_string),
            customer_name: order.customer_name.as_str().to_owned(),
            items: Json(order.items.as_slice().iter().map(ItemRow::from).collect()),
            note: order.note.as_ref().map(ToString::to_string),
            status: order.status().name().as_str().to_owned(),
            version: order.version.get(),
            created_at: order.created_at.get(),
            cancel_reason,
            cancelled_at,
            progress,
            rejection_code,
            rejection_text,
            cancel_requested_at,
            cancel_declined_at,
            history: state::history_column(&order.history),
            redacted_at: order.redacted_at.map(Timestamp::get),
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
        let items = self.items.0.into_iter().map(ItemRow::parse);
        let order = OrderSnapshot {
            id: OrderId::new(self.id),
            customer_id: self.customer_id.as_deref().map(str::parse::<CustomerId>).transpose()?,
            customer_name: CustomerName::restore(&self.customer_name)?,
            items: OrderItems::try_from(items.collect::<Result<Vec<_>, _>>()?)?,
            note: self.note.as_deref().map(OrderNote::restore).transpose()?,
            progress: state::progress((self.progress, self.rejection_code, self.rejection_text))?,
            cancellation: state::cancellation((
                self.cancel_reason,
                self.cancelled_at,
                self.cancel_requested_at,
                self.cancel_declined_at,
            ))?,
            history: state::history(self.history, self.created_at, self.cancelled_at)?,
            version: OrderVersion::try_from(self.version)?,
            created_at: self.created_at.into(),
            redacted_at: self.redacted_at.map(Timestamp::from),
        };
        if order.status().name().as_str() != self.status {
            let status = self.status;
            return Err(format!("status {status:?} does not match the other columns").into());
        }
        Ok(order)
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
