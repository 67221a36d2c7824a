//! The contacts of customers.

use adapter_http::{
    BadRequest, BodyTimeout, CrossSite, EntityTag, IfMatch, IfNoneMatch, JsonBody, Malformed,
    NotFound, PathParameter, PreconditionFailed, Problem, ProblemType, TooLarge, Unavailable,
    Unprocessable, UnsupportedMediaType,
};
use application::notification::{ContactChange, Customers, Replaces, StoredContact};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::CustomerId;

use super::Api;
use super::contact_json::{ContactBody, ContactJson};

/// Get the contact of a customer
#[utoipa::path(
    get,
    path = "/api/customers/{customerId}",
    tag = "customers",
    params(("customerId" = String, Path, pattern = "^[A-Za-z0-9._-]{1,64}$", description = "The id of the customer")),
    responses(
        (status = 200, description = "The contact", body = ContactJson,
         headers(("ETag" = String, description = "The version of the contact"))),
        BadRequest,
        NotFound,
        Unavailable,
    ),
)]
pub(super) async fn get_contact(
    State(api): State<Api>,
    PathParameter(id): PathParameter<CustomerId>,
) -> Result<Response, Problem> {
    api.tables.ready()?;
    let Some(stored) = Customers::find(&api.notifications, &id).await? else {
        let detail = format!("customer {id} has no contact");
        return Err(Problem::new(ProblemType::NotFound, detail));
    };
    Ok(shown(StatusCode::OK, &id, &stored))
}

/// Store the contact of a customer
///
/// Letters that were not sent yet go to the new address. With `If-None-Match: *`, only a customer
/// without a contact gets one; with `If-Match`, only this version is replaced.
#[utoipa::path(
    put,
    path = "/api/customers/{customerId}",
    tag = "customers",
    params(
        ("customerId" = String, Path, pattern = "^[A-Za-z0-9._-]{1,64}$", description = "The id of the customer"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the contact to replace, or `*`",
         pattern = r#"^(\*|(,[\t ,]*)?(W/)?"[!#-~]*"([\t ]*,[\t ,]*(W/)?"[!#-~]*")*([\t ]*,)*)$"#),
        ("If-None-Match" = Option<String>, Header, description = "`*`: replace nothing"),
    ),
    request_body = ContactBody,
    responses(
        (status = 200, description = "The contact was replaced", body = ContactJson,
         headers(("ETag" = String, description = "The version of the contact"))),
        (status = 201, description = "The contact was created", body = ContactJson,
         headers(("ETag" = String, description = "The version of the contact"))),
        Malformed,
        CrossSite,
        BodyTimeout,
        PreconditionFailed,
        TooLarge,
        UnsupportedMediaType,
        Unprocessable,
        Unavailable,
    ),
)]
pub(super) async fn put_contact(
    State(api): State<Api>,
    PathParameter(id): PathParameter<CustomerId>,
    if_match: IfMatch,
    if_none_match: IfNoneMatch,
    JsonBody(body): JsonBody<ContactBody>,
) -> Result<Response, Problem> {
    let contact = body.contact()?;
    api.tables.ready()?;
    let replaces = if if_none_match.is_any() { Replaces::Nothing } else { replaces(&if_match) };
    match api.notifications.put(&id, &contact, &replaces).await? {
        ContactChange::Created(stored) => Ok(shown(StatusCode::CREATED, &id, &stored)),
        ContactChange::Replaced(stored) => Ok(shown(StatusCode::OK, &id, &stored)),
        ContactChange::Refused => Err(stale(&id)),
    }
}

/// Erase a customer
///
/// Deletes the contact and all that this service stores about the customer: names on orders, letters and
/// the attempts to send them. Only the id remains, so that a repeat of old events stores nothing again.
/// No letter is sent from then on. `order-jobs erase` deletes the name and the notes in the other services.
#[utoipa::path(
    delete,
    path = "/api/customers/{customerId}",
    tag = "customers",
    params(
        ("customerId" = String, Path, pattern = "^[A-Za-z0-9._-]{1,64}$", description = "The id of the customer"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the contact to erase, or `*`",
         pattern = r#"^(\*|(,[\t ,]*)?(W/)?"[!#-~]*"([\t ]*,[\t ,]*(W/)?"[!#-~]*")*([\t ]*,)*)$"#),
    ),
    responses(
        (status = 204, description = "The customer is erased, or was erased before"),
        BadRequest,
        CrossSite,
        PreconditionFailed,
        Unavailable,
    ),
)]
pub(super) async fn erase_customer(
    State(api): State<Api>,
    PathParameter(id): PathParameter<CustomerId>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    api.tables.ready()?;
    if api.notifications.erase(&id, &replaces(&if_match)).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(stale(&id))
    }
}

fn replaces(if_match: &IfMatch) -> Replaces {
    match if_match.versions() {
        Some(versions) => Replaces::Versions(versions),
        None if if_match.is_any() => Replaces::Something,
        None => Replaces::Any,
    }
}

fn shown(status: StatusCode, id: &CustomerId, stored: &StoredContact) -> Response {
    let tag = EntityTag(stored.version).to_string();
    (status, [(header::ETAG, tag)], Json(ContactJson::new(id, stored))).into_response()
}

fn stale(id: &CustomerId) -> Problem {
    let detail = format!("the contact of customer {id} has another version");
    Problem::new(ProblemType::PreconditionFailed, detail)
}
