use adapter_http::EntityTag;
use domain::Timestamp;
use domain::ordering::{
    CancelReason, MedicationCoding, OrderItem, OrderSnapshot, OrderStatus, Rejection, StatusChange,
    StatusName,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// An order
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "orderId": "01890a5d-ac96-774b-bcce-b302099a8057",
    "customerName": "Ada Lovelace",
    "customerId": "c-1815",
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
    "history": [{"status": "created", "at": "2026-01-31T12:00:00.000000Z"}],
}))]
pub(crate) struct OrderBody {
    /// The id of the order
    order_id: Uuid,
    /// The name of the customer
    #[schema(min_length = 1, max_length = 200)]
    customer_name: String,
    /// The id of the customer in the client's systems; absent if the request had none
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 64, example = "c-1815")]
    customer_id: Option<String>,
    /// The status of the order
    status: StatusBody,
    /// The number of events of the order: 1 after it is placed. The `ETag` contains it
    #[schema(minimum = 1)]
    version: i64,
    /// The ordered items
    #[schema(min_items = 1, max_items = 100)]
    items: Vec<ItemBody>,
    /// A note of the customer, which can have several lines; absent if there is none
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 1000)]
    note: Option<String>,
    /// When the order was placed
    #[serde(serialize_with = "adapter_http::timestamp")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Each status that was reached, oldest first. While a cancellation is requested, the pharmacy may
    /// reach further ones
    #[schema(min_items = 1, max_items = 5)]
    history: Vec<ChangeBody>,
    /// Why the pharmacy has rejected the order; absent if it has not
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rejection: Option<RejectionBody>,
    /// The cancellation, or the request for it; absent if the order is neither cancelled nor about to be
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    cancellation: Option<CancellationBody>,
}

/// The status of an order
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StatusBody {
    /// The order was placed
    Created,
    /// The pharmacy has confirmed the order
    Confirmed,
    /// The customer can pick the order up
    Ready,
    /// The customer has the order, which is final
    Completed,
    /// The pharmacy has rejected the order, which is final
    Rejected,
    /// The pharmacy was asked to cancel the order, and has not answered yet
    CancellationRequested,
    /// The order was cancelled, which is final
    Cancelled,
}

/// A status and when it was reached
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangeBody {
    /// The status
    status: StatusBody,
    /// When it was reached
    #[serde(serialize_with = "adapter_http::timestamp")]
    #[schema(value_type = String, format = DateTime, example = "2026-01-31T12:00:00.000000Z")]
    at: Timestamp,
}

/// Why the pharmacy has rejected an order
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RejectionBody {
    /// The kind of the reason: `out_of_stock`, `invalid_prescription`, `contraindication`, `duplicate`
    /// or `other`
    #[schema(example = "out_of_stock")]
    code: String,
    /// The reason in words
    #[schema(min_length = 1, max_length = 500, example = "we have none left")]
    text: String,
}

/// A product and its quantity
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ItemBody {
    /// The id of the product
    #[schema(minimum = 1, example = 1)]
    product_id: i64,
    /// The number of pieces
    #[schema(minimum = 1, maximum = 999, example = 2)]
    quantity: i32,
    /// The medication; absent if the request had none
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    medication: Option<MedicationBody>,
}

/// A medication as a code of a terminology, like `Coding` in FHIR
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MedicationBody {
    /// The absolute URI of the terminology
    #[schema(min_length = 1, max_length = 200, example = "http://snomed.info/sct")]
    system: String,
    /// The code of the medication in the terminology
    #[schema(min_length = 1, max_length = 64, example = "387517004")]
    code: String,
    /// The name of the medication in the terminology; absent if the request had none
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200, example = "Paracetamol")]
    display: Option<String>,
}

/// The cancellation of an order, or the request for it
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CancellationBody {
    /// The reason
    #[schema(min_length = 1, max_length = 500, example = "ordered by mistake")]
    reason: String,
    /// When the order was cancelled, or the cancellation was requested
    #[serde(serialize_with = "adapter_http::timestamp")]
    #[schema(value_type = String, format = DateTime, example = "2026-01-31T12:05:00.000000Z")]
    at: Timestamp,
}

impl From<&OrderSnapshot> for OrderBody {
    fn from(order: &OrderSnapshot) -> Self {
        let OrderSnapshot {
            id,
            customer_id,
            customer_name,
            items,
            note,
            created_at,
            progress: _,
            cancellation: _,
            history,
            version,
            redacted_at: _,
        } = order;
        let status = order.status();
        Self {
            order_id: id.get(),
            customer_name: customer_name.as_str().to_owned(),
            customer_id: customer_id.as_ref().map(ToString::to_string),
            status: status.name().into(),
            version: version.get(),
            items: items.as_slice().iter().map(ItemBody::from).collect(),
            note: note.as_ref().map(ToString::to_string),
            created_at: *created_at,
            history: history.iter().map(ChangeBody::from).collect(),
            rejection: match &status {
                OrderStatus::Rejected(rejection) => Some(rejection.into()),
                _ => None,
            },
            cancellation: match &status {
                OrderStatus::CancellationRequested { reason, at }
                | OrderStatus::Cancelled { reason, at } => Some(CancellationBody::new(reason, *at)),
                _ => None,
            },
        }
    }
}

impl From<StatusName> for StatusBody {
    fn from(status: StatusName) -> Self {
        match status {
            StatusName::Created => Self::Created,
            StatusName::Confirmed => Self::Confirmed,
            StatusName::Ready => Self::Ready,
            StatusName::Completed => Self::Completed,
            StatusName::Rejected => Self::Rejected,
            StatusName::CancellationRequested => Self::CancellationRequested,
            StatusName::Cancelled => Self::Cancelled,
        }
    }
}

impl From<&StatusChange> for ChangeBody {
    fn from(StatusChange { status, at }: &StatusChange) -> Self {
        Self { status: (*status).into(), at: *at }
    }
}

impl From<&Rejection> for RejectionBody {
    fn from(Rejection { code, text }: &Rejection) -> Self {
        Self { code: code.as_str().to_owned(), text: text.as_str().to_owned() }
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
