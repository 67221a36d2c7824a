//! The problems a route may answer, as its OpenAPI documentation names them.

use std::collections::BTreeMap;

use serde_json::json;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use super::{FieldError, Problem, ProblemType};

/// Each type stands in `responses(…)` of a route that may answer so.
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
    /// 400, of a route that takes no body
    BadRequest = "A parameter or header is wrong; `errors` names each",
        such as Problem::invalid_parameters(vec![FieldError::parameter(
            "id",
            "must be a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057",
        )]);
    /// 400, of a route that takes a body
    Malformed = "The body is not JSON, or a parameter or header is wrong; `errors` names each",
        such as Problem::new(ProblemType::MalformedBody, "line 1, column 18: expected value");
    /// 403
    CrossSite = "A browser sent it for a page of another site",
        such as Problem::new(
            ProblemType::CrossSite,
            "a browser sent this for a page of another site",
        );
    /// 404
    NotFound = "There is no such thing",
        such as Problem::new(ProblemType::NotFound, "nothing is known under this id");
    /// 409
    Conflict = "Others are changing the same thing; send the request again",
        such as Problem::new(ProblemType::Conflict, "it is being changed by others");
    /// 412
    PreconditionFailed = "It is not at the version that `If-Match` names",
        such as Problem::new(ProblemType::PreconditionFailed, "it is at version 2");
    /// 413
    TooLarge = "The body has more than 64 KiB",
        such as Problem::new(ProblemType::BodyTooLarge, "the body may have at most 65536 bytes");
    /// 415
    UnsupportedMediaType = "The content type is not `application/json`",
        such as Problem::new(
            ProblemType::UnsupportedMediaType,
            "send application/json instead of text/plain",
        );
    /// 422
    Unprocessable = "The body is JSON but breaks a rule (`errors` points to each place), or the idempotency key was used for another request",
        such as Problem::invalid_body(vec![FieldError::body(
            "#/items/0/quantity",
            "must be a whole number from 1 to 999",
        )]);
    /// 503
    Unavailable = "The service cannot answer for now; send the same request again later",
        such as Problem::unavailable("the database is away");
}

/// The answer with the status of its example.
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
            .description(Some("Seconds to wait before trying again"));
        response = response.header("Retry-After", header.build());
    }
    BTreeMap::from([(status, response.build().into())])
}
