//! HTTP as every program speaks it: requests read strictly, errors answered as problem details
//! (RFC 9457), health, metrics and API documentation on each server, and a graceful end.

mod admission;
mod browsers;
mod cursor;
mod dead_letters;
mod documented;
mod entity_tag;
mod health;
mod json_body;
mod json_pointer;
mod moment;
mod parameters;
mod problem;
mod problem_type;
mod prometheus;
mod server;
mod site;
mod surge;
#[cfg(test)]
mod tests;
mod trace;
mod whole_number;

pub use browsers::refuse_cross_site;
pub use cursor::{Cursor, CursorError};
pub use dead_letters::{DeadLetterContent, DeadLetterId, dead_letter_routes};
pub use documented::{
    BadRequest, Conflict, CrossSite, Malformed, NotFound, PreconditionFailed, TooLarge,
    Unavailable, Unprocessable, UnsupportedMediaType,
};
pub use entity_tag::{EntityTag, IfMatch, IfNoneMatch};
pub use json_body::{BODY_LIMIT, JsonBody, Object};
pub use moment::{moment, moment_if_any};
pub use parameters::{PathParameter, QueryParameters, header};
pub use problem::{FieldError, Problem};
pub use problem_type::ProblemType;
pub use server::{Listener, bind, serve};
pub use site::site;
pub use whole_number::whole_number;
