use application::pharmacy::{PharmacyOrderView, WorkState};
use chrono::{DateTime, Utc};
use domain::OrderVersion;
use domain::pharmacy::{
    Contents, Rejection, RequestedItem, RequestedMedication, StatusChange, WorkStatus,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::status::{ActionJson, Status};

/// An order in the pharmacy
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PharmacyOrder, example = json!({
    "orderId": "01890a5d-ac96-774b-bcce-b302099a8057",
    "status": "confirmed",
    "allowedActions": ["start", "reject"],
    "pharmacyVersion": 1,
    "history": [{"status": "confirmed", "at": "2026-01-31T12:03:00.000000Z"}],
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
    /// What a pharmacist can do with the order now
    allowed_actions: Vec<ActionJson>,
    /// The number of events that the pharmacy has recorded about the order; its `ETag`
    #[schema(minimum = 0)]
    pharmacy_version: i64,
    /// The changes of the status, oldest first; an order begins as `draft`
    history: Vec<ChangeJson>,
    /// Why the pharmacy does not dispense the order; absent if it is not rejected
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rejection: Option<RejectionJson>,
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
    /// The customer's cancellation; absent if there is none. The order is cancelled unless it was
    /// dispensed or rejected before
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

/// The cancellation that a customer has asked for
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cancellation)]
#[serde(rename_all = "camelCase")]
struct CancellationJson {
    /// The reason
    reason: String,
    /// When the customer asked for it
    #[serde(serialize_with = "adapter_http::timestamp")]
    at: DateTime<Utc>,
}

/// A change of the status
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatusChange)]
struct ChangeJson {
    /// The status after the change
    status: Status,
    /// When it changed
    #[serde(serialize_with = "adapter_http::timestamp")]
    at: DateTime<Utc>,
}

/// Why the pharmacy does not dispense an order
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rejection)]
struct RejectionJson {
    /// The kind of the reason
    #[schema(example = "out_of_stock")]
    code: &'static str,
    /// The reason in words
    text: String,
}

impl From<StatusChange> for ChangeJson {
    fn from(StatusChange { status, at }: StatusChange) -> Self {
        Self { status: WorkState::from(&status).into(), at: at.get() }
    }
}

impl From<Rejection> for RejectionJson {
    fn from(Rejection { code, text }: Rejection) -> Self {
        Self { code: code.as_str(), text: text.to_string() }
    }
}

impl From<PharmacyOrderView> for OrderJson {
    fn from(view: PharmacyOrderView) -> Self {
        let pharmacy_version = view.work_version();
        let PharmacyOrderView { order, work, received_at } = view;
        let status = WorkState::from(&work.status).into();
        // Nothing can be done before it is known what to prepare.
        let allowed_actions =
            if order.contents.is_some() { work.status.allowed_actions() } else { &[] };
        let rejection = match work.status {
            WorkStatus::Rejected(rejection) => Some(rejection.into()),
            _ => None,
        };
        let cancellation =
            order.cancellation.map(|it| CancellationJson { reason: it.reason, at: it.at.get() });
        let (customer_name, items, note, ordered_at) = match order.contents {
            Some(Contents { customer_name, items, note, ordered_at }) => {
                (Some(customer_name), items, note, Some(ordered_at.get()))
            }
            None => (None, Vec::new(), None, None),
        };
        Self {
            order_id: order.id.get(),
            status,
            allowed_actions: allowed_actions.iter().copied().map(ActionJson::from).collect(),
            pharmacy_version,
            history: work.history.into_iter().map(ChangeJson::from).collect(),
            rejection,
            version: order.versions.latest().map_or(0, OrderVersion::get),
            missing: order.versions.missing(),
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
