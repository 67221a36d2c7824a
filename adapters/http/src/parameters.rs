use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Query, RawPathParams};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::{FieldError, Problem};

/// The one parameter in the request's path.
#[derive(Debug)]
pub struct PathParameter<T>(pub T);

impl<S, T> FromRequestParts<S> for PathParameter<T>
where
    S: Send + Sync,
    T: FromStr<Err: Display>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let wrong = |error| Problem::invalid_parameters(vec![error]);
        let parameters = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| wrong(FieldError::parameter("path", "must be UTF-8")))?;
        let (name, value) = parameters.iter().next().unwrap_or_default();
        match value.parse() {
            Ok(value) => Ok(Self(value)),
            Err(error) => Err(wrong(FieldError::parameter(name, &error))),
        }
    }
}

/// The request's query, of which a handler takes the parameters it knows, one by one. Wrong,
/// repeated and unknown ones are reported together.
#[derive(Debug)]
pub struct QueryParameters {
    left: Vec<(String, String)>,
    errors: Vec<FieldError>,
}

impl<S: Send + Sync> FromRequestParts<S> for QueryParameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Query(left) = Query::try_from_uri(&parts.uri).map_err(|_| {
            Problem::invalid_parameters(vec![FieldError::parameter("query", "cannot be read")])
        })?;
        Ok(Self { left, errors: Vec::new() })
    }
}

impl QueryParameters {
    /// Takes a parameter that may be given once.
    pub fn take<T: FromStr<Err: Display>>(&mut self, name: &'static str) -> Option<T> {
        let place = self.left.iter().position(|(key, _)| key == name)?;
        let (_, value) = self.left.remove(place);
        let before = self.left.len();
        self.left.retain(|(key, _)| key != name);
        if self.left.len() < before {
            self.errors.push(FieldError::parameter(name, "is given more than once"));
        }
        match value.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.errors.push(FieldError::parameter(name, &error));
                None
            }
        }
    }

    /// Refuses what was wrong or is left. Call it before using what was taken.
    ///
    /// # Errors
    /// When a parameter was wrong, was repeated, or is unknown.
    pub fn finish(mut self) -> Result<(), Problem> {
        for (name, _) in self.left {
            self.errors.push(FieldError::parameter(name, "is unknown"));
        }
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid_parameters(self.errors)) }
    }
}

/// Reads a header that may be given once.
///
/// # Errors
/// When it is given more than once or cannot be read.
pub fn header<T: FromStr<Err: Display>>(
    headers: &HeaderMap,
    name: &'static str,
) -> Result<Option<T>, Problem> {
    let wrong =
        |detail: String| Problem::invalid_parameters(vec![FieldError::header(name, &detail)]);
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(wrong("is given more than once".to_owned()));
    }
    let text = value.to_str().map_err(|_| wrong("must be visible ASCII".to_owned()))?;
    text.parse().map(Some).map_err(|error: T::Err| wrong(error.to_string()))
}
