//! The problems a route may answer, as its OpenAPI documentation names them.

use std::collections::BTreeMap;

use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Content, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use super::Problem;

/// Each type stands in `responses(…)` of a route that may answer so.
macro_rules! documented {
    ($($(#[$doc:meta])+ $name:ident = $status:literal, $description:literal;)+) => {$(
        $(#[$doc])+
        #[derive(Debug)]
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                BTreeMap::from([($status.to_owned(), problem($status, $description))])
            }
        }
    )+};
}

documented! {
    /// 400, of a route that takes no body
    BadRequest = "400", "A parameter or header is wrong; `errors` names each";
    /// 400, of a route that takes a body
    Malformed = "400", "The body is not JSON, or a parameter or header is wrong; `errors` names each";
    /// 404
    NotFound = "404", "There is no such thing";
    /// 409
    Conflict = "409", "Others are changing the same thing; send the request again";
    /// 412
    PreconditionFailed = "412", "It is not at the version that `If-Match` names";
    /// 413
    TooLarge = "413", "The body has more than 64 KiB";
    /// 415
    UnsupportedMediaType = "415", "The content type is not `application/json`";
    /// 422
    Unprocessable = "422", "The body is JSON but breaks a rule (`errors` points to each place), or the idempotency key was used for another request";
    /// 503
    Unavailable = "503", "The service cannot answer for now; send the same request again later";
}

fn problem(status: &str, description: &str) -> RefOr<Response> {
    let content = Content::new(Some(Ref::from_schema_name(Problem::name())));
    let mut response = ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content);
    if status == "503" {
        let seconds = ObjectBuilder::new().schema_type(Type::Integer);
        let header = HeaderBuilder::new()
            .schema(Some(seconds))
            .description(Some("Seconds to wait before trying again"));
        response = response.header("Retry-After", header.build());
    }
    response.build().into()
}
