//! What a client sends to place an order, and how it is read by the rules of the domain.

use std::collections::HashSet;
use std::fmt::Display;

use adapter_http::{FieldError, Object, whole_number};
use domain::OrderId;
use domain::ordering::{
    ItemsError, MedicationCoding, NewOrder, OrderItem, OrderItems, ProductId, Quantity,
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::text_schema;

/// An order to be placed
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct PlaceOrderBody {
    /// Who places it: 1 to 200 characters after trimming, none of them a control character
    #[schema(schema_with = text_schema::customer_name)]
    customer_name: String,
    /// What is ordered, each product once
    #[schema(value_type = HashSet<PlaceOrderItemBody>, min_items = 1, max_items = 100)]
    items: Vec<Object<PlaceOrderItemBody>>,
    /// A remark: 1 to 1000 characters after trimming, none a control character but line breaks
    #[schema(schema_with = text_schema::note)]
    note: Option<String>,
}

/// So many pieces of one product
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct PlaceOrderItemBody {
    /// The product
    #[serde(deserialize_with = "whole_number")]
    #[schema(minimum = 1, example = 1)]
    product_id: i64,
    /// The pieces of it
    #[serde(deserialize_with = "whole_number")]
    #[schema(minimum = 1, maximum = 999, example = 2)]
    quantity: i64,
    /// Which medication is meant by it
    #[schema(value_type = Option<PlaceOrderMedicationBody>)]
    medication: Option<Object<PlaceOrderMedicationBody>>,
}

/// A medication in the words of a terminology, as FHIR's `Coding` has it
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct PlaceOrderMedicationBody {
    /// The terminology: an absolute URI (RFC 3986)
    #[schema(
        min_length = 1,
        max_length = 200,
        example = "http://snomed.info/sct",
        pattern = r"^[A-Za-z][A-Za-z0-9+.\-]*:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+$"
    )]
    system: String,
    /// The medication's code in it, without whitespace but single blanks inside
    #[schema(
        min_length = 1,
        max_length = 64,
        example = "387517004",
        pattern = r"^[^\s\u0000-\u001F\u007F-\u009F]+( [^\s\u0000-\u001F\u007F-\u009F]+)*$"
    )]
    code: String,
    /// Its name there: 1 to 200 characters after trimming, none of them a control character
    #[schema(schema_with = text_schema::display)]
    display: Option<String>,
}

/// Every place that breaks a rule, in the order of the body.
#[derive(Debug, Default)]
struct Broken(Vec<FieldError>);

impl Broken {
    /// What was read; nothing, where it breaks a rule, which is noted.
    fn unless<T, E: Display>(&mut self, read: Result<T, E>, at: impl Into<String>) -> Option<T> {
        read.map_err(|error| self.0.push(FieldError::body(at, &error))).ok()
    }
}

impl PlaceOrderBody {
    /// Reads the body by the rules of the domain, and tells of every place that breaks one.
    pub(super) fn read(self, id: OrderId) -> Result<NewOrder, Vec<FieldError>> {
        let mut broken = Broken::default();
        let customer_name = broken.unless(self.customer_name.parse(), "#/customerName");
        let items = read_items(&self.items, &mut broken);
        let note = self.note.map(|note| note.parse());
        let note = broken.unless(note.transpose(), "#/note");
        match (customer_name, items, note) {
            (Some(customer_name), Some(items), Some(note)) if broken.0.is_empty() => {
                Ok(NewOrder { id, customer_name, items, note })
            }
            _ => Err(broken.0),
        }
    }
}

fn read_items(bodies: &[Object<PlaceOrderItemBody>], broken: &mut Broken) -> Option<OrderItems> {
    // Of far too many items, none is worth a word of its own.
    let right_number = match bodies.len() {
        0 => Err(ItemsError::None),
        1..=OrderItems::MAX => Ok(()),
        has => Err(ItemsError::TooMany { has }),
    };
    broken.unless(right_number, "#/items")?;
    let mut seen = HashSet::with_capacity(bodies.len());
    // All are read, also those behind one that breaks a rule.
    let read = |(index, Object(body)): (usize, &Object<PlaceOrderItemBody>)| {
        body.read(index, &mut seen, broken)
    };
    let items: Vec<Option<OrderItem>> = bodies.iter().enumerate().map(read).collect();
    let items = items.into_iter().collect::<Option<Vec<_>>>()?;
    broken.unless(OrderItems::try_from(items), "#/items")
}

impl PlaceOrderItemBody {
    /// Reads the item at this place, of a product that none before it has asked for.
    fn read(
        &self,
        index: usize,
        seen: &mut HashSet<ProductId>,
        broken: &mut Broken,
    ) -> Option<OrderItem> {
        let at = format!("#/items/{index}");
        let product_id =
            broken.unless(ProductId::try_from(self.product_id), format!("{at}/productId"));
        let product_id = product_id.and_then(|product_id| {
            let repeated = || ItemsError::Repeated { index, product_id };
            let once = seen.insert(product_id).then_some(product_id).ok_or_else(repeated);
            broken.unless(once, format!("{at}/productId"))
        });
        let quantity = broken.unless(Quantity::try_from(self.quantity), format!("{at}/quantity"));
        let medication = match &self.medication {
            None => Some(None),
            Some(Object(body)) => body.read(&format!("{at}/medication"), broken).map(Some),
        };
        Some(OrderItem { product_id: product_id?, quantity: quantity?, medication: medication? })
    }
}

impl PlaceOrderMedicationBody {
    fn read(&self, at: &str, broken: &mut Broken) -> Option<MedicationCoding> {
        let system = broken.unless(self.system.parse(), format!("{at}/system"));
        let code = broken.unless(self.code.parse(), format!("{at}/code"));
        let display = self.display.as_ref().map(|display| display.parse()).transpose();
        let display = broken.unless(display, format!("{at}/display"));
        Some(MedicationCoding { system: system?, code: code?, display: display? })
    }
}
