use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use axum::body::{Bytes, HttpBody as _};
use axum::extract::{FromRequest, OptionalFromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use tokio::time::timeout;

use super::json_pointer::{pointer, push};
use super::{FieldError, Problem, ProblemType};

/// Maximum size of a body in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// Time for a client to send a body. Shorter than the time for the whole request, so that what is
/// too slow is known: the client, or what the request needs.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum length of an error detail in characters, since it can contain the wrong value.
const MAX_DETAIL: usize = 200;

/// A body that is one JSON object. Anything else is answered with a problem.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

/// A JSON object that is deserialized to a `T`. Serde alone would also accept an array with the
/// fields of the struct in sequence; this type refuses it.
#[derive(Debug)]
pub struct Object<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        check_content_type(request.headers())?;
        check_content_encoding(request.headers())?;
        let body = whole_body(request, state).await?;
        parse(&body).map(|Object(content)| Self(content))
    }
}

/// `None` for an empty body or `null`. Anything else must be an object.
impl<S: Send + Sync, T: DeserializeOwned> OptionalFromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        let head = check_content_type(request.headers())
            .and_then(|()| check_content_encoding(request.headers()));
        let body = whole_body(request, state).await?;
        if body.is_empty() {
            return Ok(None);
        }
        head?;
        let content: Option<Object<T>> = parse(&body)?;
        Ok(content.map(|Object(content)| Self(content)))
    }
}

/// Refuses a body that is not declared as JSON, exactly once. A parameter `charset` is ignored:
/// JSON has none and is UTF-8 (RFC 8259).
fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let detail = match (values.next(), values.next()) {
        (Some(value), None) if is_json(essence(value)) => return Ok(()),
        (None, _) => "the request has no content type; send application/json".to_owned(),
        (Some(value), None) => {
            format!("send application/json instead of {:?}", essence(value))
        }
        (Some(_), Some(_)) => "the content type is given more than once".to_owned(),
    };
    Err(Problem::new(ProblemType::UnsupportedMediaType, detail))
}

/// The content type without its parameters.
fn essence(content_type: &HeaderValue) -> &str {
    content_type.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim()
}

/// Whether this is `application/json` or `application/…+json`.
fn is_json(essence: &str) -> bool {
    let essence = essence.to_ascii_lowercase();
    let subtype = essence.strip_prefix("application/").unwrap_or_default();
    let prefix = subtype.strip_suffix("+json");
    subtype == "json" || prefix.is_some_and(|prefix| !prefix.is_empty() && is_token(prefix))
}

/// Whether this is a `token` (RFC 9110, 5.6.2).
fn is_token(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

/// Refuses a compressed body. Bodies are small, and a limit of the compressed size limits nothing.
fn check_content_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    for value in headers.get_all(header::CONTENT_ENCODING) {
        let codings = String::from_utf8_lossy(value.as_bytes());
        for coding in codings.split(',').map(str::trim) {
            if !coding.is_empty() && !coding.eq_ignore_ascii_case("identity") {
                let detail = "the body is encoded; send it without Content-Encoding";
                return Err(Problem::new(ProblemType::UnsupportedContentEncoding, detail));
            }
        }
    }
    Ok(())
}

/// Reads the whole body, up to the size that the router allows and for a limited time.
pub(super) async fn whole_body<S: Send + Sync>(
    request: Request,
    state: &S,
) -> Result<Bytes, Problem> {
    let too_large = || {
        let detail = format!("the body may have at most {BODY_LIMIT} bytes");
        Problem::new(ProblemType::BodyTooLarge, detail)
    };
    // Otherwise a client that waits for `100 Continue` would have to send the body first.
    if request.body().size_hint().lower() > BODY_LIMIT as u64 {
        return Err(too_large());
    }
    let body = timeout(BODY_TIMEOUT, Bytes::from_request(request, state)).await.map_err(|_| {
        let detail = format!("the body did not arrive within {BODY_TIMEOUT:?}");
        Problem::new(ProblemType::BodyTimeout, detail)
    })?;
    body.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            too_large()
        } else {
            Problem::new(ProblemType::MalformedBody, "the body is incomplete")
        }
    })
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize(&mut json) {
        Ok(content) => match json.end() {
            Ok(()) => Ok(content),
            Err(error) => Err(malformed(&error)),
        },
        Err(error) => {
            check_json(body, error.inner())?;
            let at = pointer(error.path());
            Err(Problem::invalid_body(vec![explain(at, error.inner())]))
        }
    }
}

/// Refuses a body that is not JSON. Only UTF-8 and the grammar of JSON count: after a wrong value
/// the rest may not be JSON, and `1e400` is JSON, although `serde_json` calls it a syntax error.
fn check_json(body: &[u8], error: &serde_json::Error) -> Result<(), Problem> {
    let text = std::str::from_utf8(body).map_err(|wrong| {
        let detail = format!("the body is not UTF-8 after byte {}", wrong.valid_up_to());
        Problem::new(ProblemType::MalformedBody, detail)
    })?;
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(IgnoredAny) => Ok(()),
        Err(grammar) if error.is_data() => Err(malformed(&grammar)),
        Err(_) => Err(malformed(error)),
    }
}

fn malformed(error: &serde_json::Error) -> Problem {
    let detail =
        format!("line {}, column {}: {}", error.line(), error.column(), without_place(error));
    Problem::new(ProblemType::MalformedBody, detail)
}

fn explain(mut at: String, error: &serde_json::Error) -> FieldError {
    let text = without_place(error);
    // serde points to the object; the client needs the pointer to the member.
    for (prefix, detail) in
        [("missing field `", "is missing"), ("duplicate field `", "is repeated")]
    {
        let member = text.strip_prefix(prefix).and_then(|rest| rest.strip_suffix('`'));
        if let Some(member) = member {
            push(&mut at, member);
            return FieldError::body(at, detail);
        }
    }
    let mut detail = text.replace("expected i64", "expected a whole number of 64 bits");
    if let Some((end, _)) = detail.char_indices().nth(MAX_DETAIL) {
        detail.truncate(end);
        detail.push('…');
    }
    FieldError::body(at, &detail)
}

fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or_else(|| text.clone(), |(text, _)| text.to_owned())
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}
