//! The HTTP server of every program: strict parsing of requests, errors as problem details
//! (RFC 9457), health checks, metrics, API documentation and graceful shutdown.

mod admission;
mod body_errors;
mod browsers;
mod cursor;
mod dead_letters;
mod documentation;
mod documented;
mod entity_tag;
mod health;
mod json_body;
mod json_pointer;
mod limit_log;
mod parameters;
mod prefer;
mod prefix;
mod problem;
mod problem_type;
mod prometheus;
mod server;
mod site;
#[cfg(test)]
mod tests;
pub mod text_schema;
mod timestamp;
mod trace;
mod whole_number;

pub use body_errors::BodyErrors;
pub use browsers::refuse_cross_site;
pub use cursor::{Cursor, CursorError};
pub use dead_letters::{DeadLetterContent, DeadLetterId, dead_letter_routes};
pub use documented::{
    BadRequest, BodyTimeout, Conflict, CrossSite, IllegalTransition, Malformed, NotCancellable,
    NotFound, PreconditionFailed, PreconditionRequired, TooLarge, Unavailable, Unprocessable,
    UnsupportedMediaType,
};
pub use entity_tag::{EntityTag, IfMatch, IfNoneMatch, RequiredIfMatch};
pub use json_body::{BODY_LIMIT, JsonBody, Object};
pub use parameters::{PathParameter, QueryParameters, header};
pub use prefer::{OptionalPreferWait, PreferWait};
pub use problem::{FieldError, Problem};
pub use problem_type::ProblemType;
pub use server::{Listener, bind, serve};
pub use site::site;
pub use timestamp::{optional_timestamp, timestamp};
pub use whole_number::whole_number;
