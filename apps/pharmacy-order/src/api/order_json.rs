use application::pharmacy::PharmacyOrderView;
use chrono::{DateTime, Utc};
use domain::OrderVersion;
use domain::pharmacy::{Contents, PharmacyStatus, RequestedItem, RequestedMedication};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::status::Status;

/// An order as the pharmacy knows it
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
    /// Which order
    order_id: Uuid,
    /// Where it stands
    status: Status,
    /// The latest version the pharmacy was told of
    #[schema(minimum = 1)]
    version: i64,
    /// How many versions before the latest have not been told yet
    #[schema(minimum = 0)]
    missing: i64,
    /// Whom it is for; absent as long as the order's creation has not been told
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    customer_name: Option<String>,
    /// What to prepare, in the customer's order; empty as long as it has not been told
    items: Vec<ItemJson>,
    /// What the customer has to say about it; absent where nothing was said
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    note: Option<String>,
    /// When it was placed; absent as long as that has not been told
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "adapter_http::moment_if_any"
    )]
    #[schema(nullable = false)]
    ordered_at: Option<DateTime<Utc>>,
    /// When the pharmacy first heard of it
    #[serde(serialize_with = "adapter_http::moment")]
    received_at: DateTime<Utc>,
    /// How it was called off; absent as long as it stands
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    cancellation: Option<CancellationJson>,
}

/// So many pieces of one product
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PharmacyOrderItem)]
#[serde(rename_all = "camelCase")]
struct ItemJson {
    /// The product
    product_id: i64,
    /// The pieces of it
    quantity: i32,
    /// Which medication is meant by it; absent where that was not said
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    medication: Option<MedicationJson>,
}

/// A medication in the words of a terminology, as FHIR's `Coding` has it
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MedicationCoding)]
#[serde(rename_all = "camelCase")]
struct MedicationJson {
    /// The terminology, by its URI
    system: String,
    /// The medication's code in it
    code: String,
    /// What the terminology calls it; absent where that was not said
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    display: Option<String>,
}

/// How an order was called off
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cancellation)]
#[serde(rename_all = "camelCase")]
struct CancellationJson {
    /// Why
    reason: String,
    /// When
    #[serde(serialize_with = "adapter_http::moment")]
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
