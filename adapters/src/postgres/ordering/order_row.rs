use std::error::Error;

use application::StoreError;
use chrono::{DateTime, Utc};
use domain::ordering::{
    CancelReason, CustomerName, Order, OrderItem, OrderItems, OrderSnapshot, OrderStatus,
    ProductId, Quantity,
};
use domain::{OrderId, OrderVersion};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use sqlx::types::{Json, Uuid};

/// An order as its table, and the answer to a cause, keep it.
#[derive(Debug, Clone, Serialize, Deserialize, FromRow)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderRow {
    pub(super) id: Uuid,
    pub(super) customer_name: String,
    pub(super) items: Json<Vec<ItemRow>>,
    pub(super) status: String,
    pub(super) version: i64,
    pub(super) created_at: DateTime<Utc>,
    pub(super) cancel_reason: Option<String>,
    pub(super) cancelled_at: Option<DateTime<Utc>>,
}

/// An item as JSON.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemRow {
    product_id: i64,
    quantity: i32,
}

/// An order that is stored in a state it cannot have.
#[derive(Debug, thiserror::Error)]
#[error("order {id} is stored in a state it cannot have")]
struct DamagedOrder {
    id: Uuid,
    source: Box<dyn Error + Send + Sync>,
}

impl From<&OrderSnapshot> for OrderRow {
    fn from(order: &OrderSnapshot) -> Self {
        let (status, cancel_reason, cancelled_at) = match &order.status {
            OrderStatus::Created => ("created", None, None),
            OrderStatus::Cancelled { reason, at } => {
                ("cancelled", Some(reason.as_str().to_owned()), Some(at.get()))
            }
        };
        let items = order.items.as_slice().iter().map(|item| ItemRow {
            product_id: item.product_id.get(),
            quantity: item.quantity.get(),
        });
        Self {
            id: order.id.get(),
            customer_name: order.customer_name.as_str().to_owned(),
            items: Json(items.collect()),
            status: status.to_owned(),
            version: order.version.get(),
            created_at: order.created_at.get(),
            cancel_reason,
            cancelled_at,
        }
    }
}

impl OrderRow {
    /// The order, for those who change it.
    pub(super) fn order(self) -> Result<Order, StoreError> {
        let id = self.id;
        Order::restore(self.snapshot()?).map_err(|error| damaged(id, error.into()))
    }

    /// The order's state, for those who look at it.
    pub(super) fn snapshot(self) -> Result<OrderSnapshot, StoreError> {
        let id = self.id;
        self.parse().map_err(|error| damaged(id, error))
    }

    fn parse(self) -> Result<OrderSnapshot, Box<dyn Error + Send + Sync>> {
        let status = match (self.status.as_str(), self.cancel_reason, self.cancelled_at) {
            ("created", None, None) => OrderStatus::Created,
            ("cancelled", Some(reason), Some(at)) => {
                OrderStatus::Cancelled { reason: reason.parse::<CancelReason>()?, at: at.into() }
            }
            (status, ..) => return Err(format!("status {status:?} with the wrong details").into()),
        };
        let items = self.items.0.into_iter().map(|item| {
            Ok::<_, Box<dyn Error + Send + Sync>>(OrderItem {
                product_id: ProductId::try_from(item.product_id)?,
                quantity: Quantity::try_from(i64::from(item.quantity))?,
            })
        });
        Ok(OrderSnapshot {
            id: OrderId::new(self.id),
            customer_name: self.customer_name.parse::<CustomerName>()?,
            items: OrderItems::try_from(items.collect::<Result<Vec<_>, _>>()?)?,
            status,
            version: OrderVersion::try_from(self.version)?,
            created_at: self.created_at.into(),
        })
    }
}

fn damaged(id: Uuid, source: Box<dyn Error + Send + Sync>) -> StoreError {
    StoreError::Broken(Box::new(DamagedOrder { id, source }))
}
