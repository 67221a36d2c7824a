use std::collections::HashSet;

use adapters::clock;
use adapters::http::{
    FieldError, JsonBody, Malformed, Object, Problem, TooLarge, Unavailable, Unprocessable,
    UnsupportedMediaType, header,
};
use adapters::postgres::ordering::PgOrders;
use application::ordering::{self, PlaceOrder, Placed};
use axum::Json;
use axum::extract::State;
use axum::http::{self, HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::ordering::{
    CustomerName, ItemsError, NewOrder, OrderItem, OrderItems, ProductId, Quantity,
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::problems::not_placed;
use crate::representation::{OrderBody, entity_tag};

/// An order to be placed
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct PlaceOrderBody {
    /// Who places it: 1 to 200 characters after trimming, none of them a control character
    #[schema(min_length = 1, max_length = 200, example = "Ada Lovelace")]
    customer_name: String,
    /// What is ordered, each product once
    #[schema(value_type = Vec<PlaceOrderItemBody>, min_items = 1, max_items = 100)]
    items: Vec<Object<PlaceOrderItemBody>>,
}

/// So many pieces of one product
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct PlaceOrderItemBody {
    /// The product
    #[schema(minimum = 1, example = 1)]
    product_id: i64,
    /// The pieces of it
    #[schema(minimum = 1, maximum = 999, example = 2)]
    quantity: i64,
}

/// Place an order
///
/// Answered once the order and the event that tells of it are stored, together.
///
/// Kafka need not be there for that.
#[utoipa::path(
    post,
    path = "/api/orders",
    tag = "orders",
    params(
        ("Idempotency-Key" = Option<String>, Header, nullable = false, min_length = 1, max_length = 255, pattern = "^[!-~]+$",
         description = "Marks repeats of this request, which get the original answer"),
    ),
    request_body = PlaceOrderBody,
    responses(
        (status = 201, description = "The order is stored", body = OrderBody, headers(
            ("Location" = String, description = "Where the order is"),
            ("ETag" = String, description = "The order's version"),
            ("Idempotency-Replayed" = bool, description = "`true` when this repeats an answer given before"),
        )),
        Malformed,
        TooLarge,
        UnsupportedMediaType,
        Unprocessable,
        Unavailable,
    ),
)]
pub(crate) async fn place_order(
    State(orders): State<PgOrders>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<PlaceOrderBody>,
) -> Result<Response, Problem> {
    let key = header(&headers, "Idempotency-Key")?;
    let (customer_name, items) = body.read().map_err(Problem::invalid_body)?;
    let order = NewOrder { id: clock::new_order_id(), customer_name, items };
    let placed = ordering::place_order(&orders, PlaceOrder { order, key }, clock::occasion())
        .await
        .map_err(not_placed)?;
    let (order, replayed) = match &placed {
        Placed::Now(order) => (order.snapshot(), false),
        Placed::Before(order) => (order.snapshot(), true),
    };
    let headers = [
        (http::header::LOCATION, format!("/api/orders/{}", order.id)),
        (http::header::ETAG, entity_tag(order).to_string()),
    ];
    let mut response = (StatusCode::CREATED, headers, Json(OrderBody::from(order))).into_response();
    if replayed {
        let name = HeaderName::from_static("idempotency-replayed");
        response.headers_mut().insert(name, HeaderValue::from_static("true"));
    }
    Ok(response)
}

impl PlaceOrderBody {
    /// Reads the body by the rules of the domain, and tells of every place that breaks one.
    fn read(self) -> Result<(CustomerName, OrderItems), Vec<FieldError>> {
        let name = self.customer_name.parse::<CustomerName>();
        let name = name.map_err(|error| FieldError::body("#/customerName", &error));
        match (name, read_items(&self.items)) {
            (Ok(name), Ok(items)) => Ok((name, items)),
            (Ok(_), Err(errors)) => Err(errors),
            (Err(error), Ok(_)) => Err(vec![error]),
            (Err(error), Err(mut errors)) => {
                errors.insert(0, error);
                Err(errors)
            }
        }
    }
}

fn read_items(bodies: &[Object<PlaceOrderItemBody>]) -> Result<OrderItems, Vec<FieldError>> {
    // Of far too many items, none is worth a word of its own.
    let wrong_number = match bodies.len() {
        0 => Some(ItemsError::None),
        1..=OrderItems::MAX => None,
        has => Some(ItemsError::TooMany { has }),
    };
    if let Some(error) = wrong_number {
        return Err(vec![FieldError::body("#/items", &error)]);
    }
    let mut errors = Vec::new();
    let mut items = Vec::with_capacity(bodies.len());
    let mut seen = HashSet::with_capacity(bodies.len());
    for (index, Object(body)) in bodies.iter().enumerate() {
        let product = ProductId::try_from(body.product_id);
        let quantity = Quantity::try_from(body.quantity);
        match product {
            Err(error) => {
                errors.push(FieldError::body(format!("#/items/{index}/productId"), &error));
            }
            Ok(product_id) if !seen.insert(product_id) => {
                let error = ItemsError::Repeated { index, product_id };
                errors.push(FieldError::body(format!("#/items/{index}/productId"), &error));
            }
            Ok(_) => {}
        }
        if let Err(error) = quantity {
            errors.push(FieldError::body(format!("#/items/{index}/quantity"), &error));
        }
        if let (Ok(product_id), Ok(quantity)) = (product, quantity) {
            items.push(OrderItem { product_id, quantity });
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    OrderItems::try_from(items).map_err(|error| vec![FieldError::body("#/items", &error)])
}
