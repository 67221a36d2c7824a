use application::pharmacy::PharmacyOrderView;
use chrono::{DateTime, Utc};
use domain::OrderVersion;
use domain::pharmacy::{Contents, PharmacyStatus, RequestedItem, RequestedMedication};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::status::Status;

/// An order in the pharmacy
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PharmacyOrder, example = json!({
    "orderId": "01890a5d-ac96-774b-bcce-b302099a8057",
    "status": "draft",
    "version": 1,
    "missing": 0,
    "customerName": "Ada Lovelace",
    "items": [
        {
            "productId": 1,
            "quantity": 2,
            "medication": {
                "system": "http://snomed.info/sct",
                "code": "387517004",
                "display": "Paracetamol",
            },
        },
        {"productId": 7, "quantity": 1},
    ],
    "note": "Please ring twice",
    "orderedAt": "2026-01-31T12:00:00.000000Z",
    "receivedAt": "2026-01-31T12:00:00.100000Z",
}))]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderJson {
    /// The id of the order
    order_id: Uuid,
    /// The status of the order in the pharmacy
    status: Status,
    /// The highest version of the order among the received events
    #[schema(minimum = 1)]
    version: i64,
    /// Number of earlier versions that were not received yet
    #[schema(minimum = 0)]
    missing: i64,
    /// The name of the customer; absent until the event `OrderCreated` is received
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    customer_name: Option<String>,
    /// The items to prepare; empty until the event `OrderCreated` is received
    items: Vec<ItemJson>,
    /// A note of the customer; absent if there is none
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    note: Option<String>,
    /// When the order was placed; absent until the event `OrderCreated` is received
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "adapter_http::optional_timestamp"
    )]
    #[schema(nullable = false)]
    ordered_at: Option<DateTime<Utc>>,
    /// When the pharmacy received the first event of the order
    #[serde(serialize_with = "adapter_http::timestamp")]
    received_at: DateTime<Utc>,
    /// The cancellation; absent if the order is not cancelled
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    cancellation: Option<CancellationJson>,
}

/// A product and its quantity
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PharmacyOrderItem)]
#[serde(rename_all = "camelCase")]
struct ItemJson {
    /// The id of the product
    product_id: i64,
    /// The number of pieces
    quantity: i32,
    /// The medication; absent if the order has none
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    medication: Option<MedicationJson>,
}

/// A medication as a code of a terminology, like `Coding` in FHIR
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MedicationCoding)]
#[serde(rename_all = "camelCase")]
struct MedicationJson {
    /// The URI of the terminology
    system: String,
    /// The code of the medication in the terminology
    code: String,
    /// The name of the medication in the terminology; absent if the order has none
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    display: Option<String>,
}

/// The cancellation of an order
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cancellation)]
#[serde(rename_all = "camelCase")]
struct CancellationJson {
    /// The reason
    reason: String,
    /// When the order was cancelled
    #[serde(serialize_with = "adapter_http::timestamp")]
    at: DateTime<Utc>,
}

impl From<PharmacyOrderView> for OrderJson {
    fn from(view: PharmacyOrderView) -> Self {
        let PharmacyOrderView { order, received_at } = view;
        let status = Status::from(&order.status);
        let cancellation = match order.status {
            PharmacyStatus::Draft => None,
            PharmacyStatus::Cancelled { reason, at } => {
                Some(CancellationJson { reason, at: at.get() })
            }
        };
        let (customer_name, items, note, ordered_at) = match order.contents {
            Some(Contents { customer_name, items, note, ordered_at }) => {
                (Some(customer_name), items, note, Some(ordered_at.get()))
            }
            None => (None, Vec::new(), None, None),
        };
        Self {
            order_id: order.id.get(),
            status,
            version: order.version.map_or(0, OrderVersion::get),
            missing: order.missing,
            customer_name,
            items: items.into_iter().map(ItemJson::from).collect(),
            note,
            ordered_at,
            received_at: received_at.get(),
            cancellation,
        }
    }
}

impl From<RequestedItem> for ItemJson {
    fn from(RequestedItem { product_id, quantity, medication }: RequestedItem) -> Self {
        Self { product_id, quantity, medication: medication.map(MedicationJson::from) }
    }
}

impl From<RequestedMedication> for MedicationJson {
    fn from(RequestedMedication { system, code, display }: RequestedMedication) -> Self {
        Self { system, code, display }
    }
}
