//! The body of a request to place an order, and its conversion to domain types.

use std::collections::HashSet;

use adapter_http::{BodyErrors, Object, Problem, text_schema, whole_number};
use domain::OrderId;
use domain::ordering::{
    ItemsError, MedicationCoding, NewOrder, OrderItem, OrderItems, ProductId, Quantity,
};
use serde::Deserialize;
use utoipa::ToSchema;

/// The order to place
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct PlaceOrderBody {
    /// The name of the customer: 1 to 200 characters after trimming
    #[schema(schema_with = text_schema::customer_name)]
    customer_name: String,
    /// The id of the customer in the client's systems: 1 to 64 of the characters `A-Z`, `a-z`, `0-9`, `.`,
    /// `_` and `-`. It must not be a name or an address, because events contain it
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._-]+$", example = "c-1815")]
    customer_id: Option<String>,
    /// The items to order. Each product may be in one item only
    #[schema(value_type = HashSet<PlaceOrderItemBody>, min_items = 1, max_items = 100)]
    items: Vec<Object<PlaceOrderItemBody>>,
    /// A note: 1 to 1000 characters after trimming
    #[schema(schema_with = text_schema::note)]
    note: Option<String>,
}

/// A product and its quantity
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct PlaceOrderItemBody {
    /// The id of the product
    #[serde(deserialize_with = "whole_number")]
    #[schema(minimum = 1, example = 1)]
    product_id: i64,
    /// The number of pieces
    #[serde(deserialize_with = "whole_number")]
    #[schema(minimum = 1, maximum = 999, example = 2)]
    quantity: i64,
    /// The medication
    #[schema(value_type = Option<PlaceOrderMedicationBody>)]
    medication: Option<Object<PlaceOrderMedicationBody>>,
}

/// A medication as a code of a terminology, like `Coding` in FHIR
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct PlaceOrderMedicationBody {
    /// The absolute URI of the terminology (RFC 3986)
    #[schema(
        min_length = 1,
        max_length = 200,
        example = "http://snomed.info/sct",
        pattern = r"^[A-Za-z][A-Za-z0-9+.\-]*:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+$"
    )]
    system: String,
    /// Its code in the terminology: 1 to 64 visible characters, single spaces between them
    #[schema(schema_with = text_schema::code)]
    code: String,
    /// The name of the medication in the terminology: 1 to 200 characters after trimming
    #[schema(schema_with = text_schema::display)]
    display: Option<String>,
}

impl PlaceOrderBody {
    /// Converts the body to a new order, or returns all its errors.
    pub(super) fn read(self, id: OrderId) -> Result<NewOrder, Problem> {
        let mut errors = BodyErrors::default();
        let customer_name = errors.collect(self.customer_name.parse(), "#/customerName");
        let customer_id = self.customer_id.map(|id| id.parse());
        let customer_id = errors.collect(customer_id.transpose(), "#/customerId");
        let items = read_items(&self.items, &mut errors);
        let note = self.note.map(|note| note.parse());
        let note = errors.collect(note.transpose(), "#/note");
        let order = || {
            let (customer_id, customer_name) = (customer_id?, customer_name?);
            Some(NewOrder { id, customer_id, customer_name, items: items?, note: note? })
        };
        errors.finish(order())
    }
}

fn read_items(
    bodies: &[Object<PlaceOrderItemBody>],
    errors: &mut BodyErrors,
) -> Option<OrderItems> {
    // With too many items, only this error is reported, not the errors of each item.
    let count = match bodies.len() {
        0 => Err(ItemsError::None),
        1..=OrderItems::MAX => Ok(()),
        has => Err(ItemsError::TooMany { has }),
    };
    errors.collect(count, "#/items")?;
    let mut seen = HashSet::with_capacity(bodies.len());
    // Reads all items, to report the errors of each.
    let read = |(index, Object(body)): (usize, &Object<PlaceOrderItemBody>)| {
        body.read(index, &mut seen, errors)
    };
    let items: Vec<Option<OrderItem>> = bodies.iter().enumerate().map(read).collect();
    let items = items.into_iter().collect::<Option<Vec<_>>>()?;
    errors.collect(OrderItems::try_from(items), "#/items")
}

impl PlaceOrderItemBody {
    /// Converts the item at this index. Each product may be in one item only.
    fn read(
        &self,
        index: usize,
        seen: &mut HashSet<ProductId>,
        errors: &mut BodyErrors,
    ) -> Option<OrderItem> {
        let at = format!("#/items/{index}");
        let product_id =
            errors.collect(ProductId::try_from(self.product_id), format!("{at}/productId"));
        let product_id = product_id.and_then(|product_id| {
            let repeated = || ItemsError::Repeated { index, product_id };
            let once = seen.insert(product_id).then_some(product_id).ok_or_else(repeated);
            errors.collect(once, format!("{at}/productId"))
        });
        let quantity = errors.collect(Quantity::try_from(self.quantity), format!("{at}/quantity"));
        let medication = match &self.medication {
            None => Some(None),
            Some(Object(body)) => body.read(&format!("{at}/medication"), errors).map(Some),
        };
        Some(OrderItem { product_id: product_id?, quantity: quantity?, medication: medication? })
    }
}

impl PlaceOrderMedicationBody {
    fn read(&self, at: &str, errors: &mut BodyErrors) -> Option<MedicationCoding> {
        let system = errors.collect(self.system.parse(), format!("{at}/system"));
        let code = errors.collect(self.code.parse(), format!("{at}/code"));
        let display = self.display.as_ref().map(|display| display.parse()).transpose();
        let display = errors.collect(display, format!("{at}/display"));
        Some(MedicationCoding { system: system?, code: code?, display: display? })
    }
}
