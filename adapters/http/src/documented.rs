//! The problems that routes return, for their OpenAPI documentation.

use std::collections::BTreeMap;

use serde_json::json;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use super::{FieldError, Problem, ProblemType};

/// Defines a type for each problem. A route lists its problems in `responses(…)`.
macro_rules! documented {
    ($($(#[$doc:meta])+ $name:ident = $description:literal, such as $example:expr;)+) => {$(
        $(#[$doc])+
        #[derive(Debug)]
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                problem($description, &$example)
            }
        }
    )+};
}

documented! {
    /// 400 of a route without a body
    BadRequest = "A parameter or header is invalid; `errors` lists each",
        such as Problem::invalid_parameters(vec![FieldError::parameter(
            "id",
            "must be a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057",
        )]);
    /// 400 of a route with a body
    Malformed = "The body is not JSON, or a parameter or header is invalid; `errors` lists each",
        such as Problem::new(ProblemType::MalformedBody, "line 1, column 18: expected value");
    /// 403
    CrossSite = "A browser sent the request for a page of another site",
        such as Problem::new(
            ProblemType::CrossSite,
            "a browser sent the request for a page of another site",
        );
    /// 404
    NotFound = "There is no resource with this id",
        such as Problem::new(ProblemType::NotFound, "there is no order 01890a5d-ac96-774b-bcce-b302099a8057");
    /// 408
    BodyTimeout = "The body did not arrive within 5 seconds",
        such as Problem::new(ProblemType::BodyTimeout, "the body did not arrive within 5s");
    /// 409
    Conflict = "Other requests are changing the resource; retry the request",
        such as Problem::new(ProblemType::Conflict, "other requests are changing the order");
    /// 409 of a request to cancel an order
    NotCancellable = "The order cannot be cancelled any more, type `/problems/not-cancellable`; or other requests are changing it, type `/problems/conflict`: retry the request",
        such as Problem::new(
            ProblemType::NotCancellable,
            "an order with status completed cannot be cancelled",
        );
    /// 412
    PreconditionFailed = "The version of the resource does not match `If-Match`",
        such as Problem::new(ProblemType::PreconditionFailed, "the order is at version 2");
    /// 409 of an action
    IllegalTransition = "The action is not allowed in the status of the resource, or others are changing it (`conflict`: retry the request)",
        such as Problem::new(
            ProblemType::IllegalTransition,
            "the order is draft; allowed actions: confirm, reject",
        );
    /// 413
    TooLarge = "The body is larger than 64 KiB",
        such as Problem::new(ProblemType::BodyTooLarge, "the body may have at most 65536 bytes");
    /// 415
    UnsupportedMediaType = "The content type is not `application/json`, or the body is compressed",
        such as Problem::new(
            ProblemType::UnsupportedMediaType,
            "send application/json instead of text/plain",
        );
    /// 422
    Unprocessable = "The body is JSON but invalid (`errors` lists each error with a JSON pointer), or the idempotency key was used for a different request",
        such as Problem::invalid_body(vec![FieldError::body(
            "#/items/0/quantity",
            "must be a whole number from 1 to 999",
        )]);
    /// 428
    PreconditionRequired = "The header `If-Match` is missing",
        such as Problem::new(ProblemType::PreconditionRequired, "send the ETag of the order in If-Match");
    /// 503
    Unavailable = "The service is temporarily unavailable; retry the same request later",
        such as Problem::unavailable("the database is down");
}

/// The response for this example, with the status of the example.
fn problem(description: &str, example: &Problem) -> BTreeMap<String, RefOr<Response>> {
    let mut example = json!(example);
    let status = example["status"].to_string();
    let unavailable = status == "503";
    if unavailable {
        example["traceId"] = json!("4bf92f3577b34da6a3ce929d0e0e4736");
    }
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(Problem::name())))
        .example(Some(example));
    let mut response = ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content.build());
    if unavailable {
        let seconds = ObjectBuilder::new().schema_type(Type::Integer);
        let header = HeaderBuilder::new()
            .schema(Some(seconds))
            .description(Some("Seconds to wait before a retry"));
        response = response.header("Retry-After", header.build());
    }
    BTreeMap::from([(status, response.build().into())])
}
