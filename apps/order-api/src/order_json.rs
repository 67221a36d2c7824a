use adapter_http::EntityTag;
use domain::Timestamp;
use domain::ordering::{CancelReason, MedicationCoding, OrderItem, OrderSnapshot, OrderStatus};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// An order
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "orderId": "01890a5d-ac96-774b-bcce-b302099a8057",
    "customerName": "Ada Lovelace",
    "status": "created",
    "version": 1,
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
    "createdAt": "2026-01-31T12:00:00.000000Z",
}))]
pub(crate) struct OrderBody {
    /// The order's identity
    order_id: Uuid,
    /// Who placed it
    #[schema(min_length = 1, max_length = 200)]
    customer_name: String,
    /// Where it stands
    status: StatusBody,
    /// How many events it has recorded: 1 when it is placed; also the `ETag`
    #[schema(minimum = 1)]
    version: i64,
    /// What was ordered
    #[schema(min_items = 1, max_items = 100)]
    items: Vec<ItemBody>,
    /// What the customer has to say about it, if anything, in any number of lines
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 1000)]
    note: Option<String>,
    /// When it was placed
    #[serde(serialize_with = "adapter_http::timestamp")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// How it was cancelled, if it was
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    cancellation: Option<CancellationBody>,
}

/// Where an order stands: it was placed, or it was called off
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum StatusBody {
    /// It was placed and stands
    Created,
    /// It was called off, which is final
    Cancelled,
}

/// So many pieces of one product
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ItemBody {
    /// The product
    #[schema(minimum = 1, example = 1)]
    product_id: i64,
    /// The pieces of it
    #[schema(minimum = 1, maximum = 999, example = 2)]
    quantity: i32,
    /// Which medication is meant by it, if that was said
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    medication: Option<MedicationBody>,
}

/// A medication in the words of a terminology, as FHIR's `Coding` has it
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MedicationBody {
    /// The terminology, by its absolute URI
    #[schema(min_length = 1, max_length = 200, example = "http://snomed.info/sct")]
    system: String,
    /// The medication's code in it
    #[schema(min_length = 1, max_length = 64, example = "387517004")]
    code: String,
    /// What the terminology calls it, if that was said
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200, example = "Paracetamol")]
    display: Option<String>,
}

/// How an order was cancelled
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CancellationBody {
    /// Why
    #[schema(min_length = 1, max_length = 500, example = "ordered by mistake")]
    reason: String,
    /// When
    #[serde(serialize_with = "adapter_http::timestamp")]
    #[schema(value_type = String, format = DateTime, example = "2026-01-31T12:05:00.000000Z")]
    at: Timestamp,
}

impl From<&OrderSnapshot> for OrderBody {
    fn from(order: &OrderSnapshot) -> Self {
        let OrderSnapshot { id, customer_name, items, note, created_at, status, version } = order;
        let (status, cancellation) = match status {
            OrderStatus::Created => (StatusBody::Created, None),
            OrderStatus::Cancelled { reason, at } => {
                (StatusBody::Cancelled, Some(CancellationBody::new(reason, *at)))
            }
        };
        Self {
            order_id: id.get(),
            customer_name: customer_name.as_str().to_owned(),
            status,
            version: version.get(),
            items: items.as_slice().iter().map(ItemBody::from).collect(),
            note: note.as_ref().map(ToString::to_string),
            created_at: *created_at,
            cancellation,
        }
    }
}

impl From<&OrderItem> for ItemBody {
    fn from(OrderItem { product_id, quantity, medication }: &OrderItem) -> Self {
        Self {
            product_id: product_id.get(),
            quantity: quantity.get(),
            medication: medication.as_ref().map(MedicationBody::from),
        }
    }
}

impl From<&MedicationCoding> for MedicationBody {
    fn from(MedicationCoding { system, code, display }: &MedicationCoding) -> Self {
        Self {
            system: system.to_string(),
            code: code.to_string(),
            display: display.as_ref().map(ToString::to_string),
        }
    }
}

impl CancellationBody {
    fn new(reason: &CancelReason, at: Timestamp) -> Self {
        Self { reason: reason.as_str().to_owned(), at }
    }
}

/// The version of the order as an `ETag`.
pub(crate) fn entity_tag(order: &OrderSnapshot) -> EntityTag {
    EntityTag(order.version.get())
}
