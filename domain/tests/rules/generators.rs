//! Proptest strategies for values of the domain, valid and invalid.

use domain::ordering::{
    CancelReason, Code, CodeDisplay, CodeSystem, CustomerName, MedicationCoding, NewOrder, Order,
    OrderItem, OrderItems, OrderNote, PharmacyNews, ProductId, Quantity, Rejection, RejectionCode,
};
use domain::{CustomerId, EventId, EventStamp, OrderId, OrderVersion, Outcome, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

pub(crate) fn order_id() -> impl Strategy<Value = OrderId> {
    any::<u128>().prop_map(|number| OrderId::new(Uuid::from_u128(number)))
}

pub(crate) fn event_id() -> impl Strategy<Value = EventId> {
    any::<u128>().prop_map(|number| EventId::new(Uuid::from_u128(number)))
}

/// Timestamps in the years 0 to 9999.
pub(crate) fn timestamp() -> impl Strategy<Value = Timestamp> {
    (-62_167_219_200_000_000..=253_402_300_799_999_999_i64)
        .prop_map(|micros| Timestamp::from_micros(micros).unwrap())
}

/// Versions, most of them small.
pub(crate) fn version() -> impl Strategy<Value = OrderVersion> {
    prop_oneof![3 => 1..=6_i64, 1 => 1..=i64::MAX]
        .prop_map(|number| OrderVersion::try_from(number).unwrap())
}

/// Whole numbers, many of them near a bound.
pub(crate) fn number() -> impl Strategy<Value = i64> {
    prop_oneof![
        any::<i64>(),
        -3..=3_i64,
        95..=105_i64,
        995..=1005_i64,
        Just(i64::MIN),
        Just(i64::MAX),
        Just(i64::from(i32::MAX) + 2),
        Just((1_i64 << 32) + 1),
    ]
}

/// Texts of any characters, up to a little longer than the longest valid text.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "\\PC{0,40}",
        "\\s{0,3}\\PC{190,210}\\s{0,3}",
        "[a\u{1F48A}é薬]{190,510}",
        "[ \\t\\n\u{a0}\u{2003}]{0,5}",
        "[a薬\\n]{990,1010}",
        "\\PC{0,9}[\\r\\n]{1,3}\\PC{0,9}",
        "a[\\x00-\\x1f\\x7f\u{85}]b",
        // Letters among characters that show as nothing, and among those that are refused.
        "[aא क\u{ad}\u{200b}-\u{200d}\u{2060}\u{2800}\u{3164}\u{fe0f}\u{feff}\u{e0101}]{0,6}",
        "[a \u{200d}\u{200e}\u{202e}\u{2069}\u{feff}\u{e000}\u{10fffd}]{0,4}",
    ]
}

pub(crate) fn customer_name() -> impl Strategy<Value = CustomerName> {
    "\\PC{1,200}".prop_filter_map("a name", |text| text.parse().ok())
}

pub(crate) fn customer_id() -> impl Strategy<Value = CustomerId> {
    "[A-Za-z0-9._-]{1,64}".prop_map(|text| text.parse().unwrap())
}

pub(crate) fn cancel_reason() -> impl Strategy<Value = CancelReason> {
    "\\PC{1,60}".prop_filter_map("a reason", |text| text.parse().ok())
}

pub(crate) fn order_note() -> impl Strategy<Value = OrderNote> {
    "(\\PC{1,40}\\n?){1,5}".prop_filter_map("a note", |text| text.parse().ok())
}

/// Texts that are URIs or similar to URIs.
pub(crate) fn uri() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9+.-]{0,8}:[!-~]{0,30}",
        "http://[a-z.]{1,20}/[a-zA-Z0-9/?#=%_~-]{0,20}",
        "urn:oid:[0-9.]{1,200}",
        "[a-z0-9:/. \u{e9}]{0,12}",
    ]
}

/// Texts that are codes or similar to codes.
pub(crate) fn symbol() -> impl Strategy<Value = String> {
    prop_oneof![
        "[!-~]{1,10}( [!-~]{1,10}){0,3}",
        "[a薬 ]{0,8}",
        "[a1]{60,70}",
        "a[ \\t\\n\u{a0}\u{0}\u{85}\u{2003}]{1,2}b",
        "[1 \u{ad}\u{200b}-\u{200e}\u{202e}\u{2800}\u{3164}\u{fe0f}\u{feff}\u{e000}\u{e0041}]{1,4}",
    ]
}

pub(crate) fn code_system() -> impl Strategy<Value = CodeSystem> {
    uri().prop_filter_map("a code system", |text| text.parse().ok())
}

pub(crate) fn code() -> impl Strategy<Value = Code> {
    symbol().prop_filter_map("a code", |text| text.parse().ok())
}

pub(crate) fn code_display() -> impl Strategy<Value = CodeDisplay> {
    "\\PC{1,60}".prop_filter_map("a display", |text| text.parse().ok())
}

/// Medications of two code systems.
pub(crate) fn medication() -> impl Strategy<Value = MedicationCoding> {
    let system = prop::sample::select(vec!["http://snomed.info/sct", "urn:oid:1.2.276.0.76.4.6"]);
    let display = prop::option::of("[a-z薬]{1,8}".prop_map(|text| text.parse().unwrap()));
    (system, 1..=9_999_999_u32, display).prop_map(|(system, code, display)| MedicationCoding {
        system: system.parse().unwrap(),
        code: code.to_string().parse().unwrap(),
        display,
    })
}

pub(crate) fn product_id() -> impl Strategy<Value = ProductId> {
    (1..=i64::MAX).prop_map(|number| ProductId::try_from(number).unwrap())
}

pub(crate) fn quantity() -> impl Strategy<Value = Quantity> {
    (1..=999_i64).prop_map(|number| Quantity::try_from(number).unwrap())
}

/// An item of one of 400 products, so that lists often repeat a product.
pub(crate) fn item() -> impl Strategy<Value = OrderItem> {
    (1..=400_i64, quantity()).prop_map(|(product, quantity)| OrderItem {
        product_id: ProductId::try_from(product).unwrap(),
        quantity,
        medication: None,
    })
}

pub(crate) fn order_items() -> impl Strategy<Value = OrderItems> {
    let rest = (quantity(), prop::option::weighted(0.1, medication()));
    prop::collection::btree_map(product_id(), rest, 1..=100).prop_map(|items| {
        let items = items.into_iter().map(|(product_id, (quantity, medication))| OrderItem {
            product_id,
            quantity,
            medication,
        });
        items.collect::<Vec<_>>().try_into().unwrap()
    })
}

pub(crate) fn event_stamp() -> impl Strategy<Value = EventStamp> {
    (event_id(), timestamp()).prop_map(|(event_id, at)| EventStamp { event_id, at })
}

pub(crate) fn new_order() -> impl Strategy<Value = NewOrder> {
    let customer_id = prop::option::of(customer_id());
    let note = prop::option::of(order_note());
    (order_id(), customer_id, customer_name(), order_items(), note).prop_map(
        |(id, customer_id, customer_name, items, note)| NewOrder {
            id,
            customer_id,
            customer_name,
            items,
            note,
        },
    )
}

pub(crate) fn rejection() -> impl Strategy<Value = Rejection> {
    let code = prop::sample::select(RejectionCode::ALL.to_vec());
    let text = "\\PC{1,60}".prop_filter_map("a text", |text| text.parse().ok());
    (code, text).prop_map(|(code, text)| Rejection { code, text })
}

pub(crate) fn pharmacy_news() -> impl Strategy<Value = PharmacyNews> {
    prop_oneof![
        Just(PharmacyNews::Confirmed),
        Just(PharmacyNews::PreparationStarted),
        Just(PharmacyNews::Ready),
        Just(PharmacyNews::Dispensed),
        rejection().prop_map(PharmacyNews::Rejected),
        Just(PharmacyNews::Cancelled),
        Just(PharmacyNews::CancellationDeclined),
    ]
}

/// A command for an order in any state.
#[derive(Debug, Clone)]
pub(crate) enum Command {
    RequestCancellation(CancelReason, EventStamp),
    Follow(PharmacyNews, EventStamp),
    Redact(EventStamp),
    /// A store saves the order and restores it.
    SaveAndRestore,
}

impl Command {
    /// Applies the command; `None` if it has no outcome.
    pub(crate) fn apply_to(self, order: &mut Order) -> Option<Outcome> {
        match self {
            Self::RequestCancellation(reason, event_stamp) => {
                order.request_cancellation(reason, event_stamp).ok()
            }
            Self::Follow(news, event_stamp) => Some(order.follow(news, event_stamp)),
            Self::Redact(event_stamp) => Some(order.redact(event_stamp)),
            Self::SaveAndRestore => {
                *order = Order::restore(order.snapshot().clone()).unwrap();
                None
            }
        }
    }
}

pub(crate) fn commands() -> impl Strategy<Value = Vec<Command>> {
    let command = prop_oneof![
        2 => (cancel_reason(), event_stamp())
            .prop_map(|(reason, stamp)| Command::RequestCancellation(reason, stamp)),
        5 => (pharmacy_news(), event_stamp()).prop_map(|(news, stamp)| Command::Follow(news, stamp)),
        1 => event_stamp().prop_map(Command::Redact),
        1 => Just(Command::SaveAndRestore),
    ];
    prop::collection::vec(command, 0..16)
}
