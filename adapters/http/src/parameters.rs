use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequestParts, MatchedPath, Query, RawPathParams};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::{FieldError, Problem};

/// The only parameter in the path of a request.
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
        let parameters = RawPathParams::from_request_parts(parts, state).await;
        let parameters = parameters
            .map_err(|_| wrong(FieldError::parameter(name_in_route(parts), "must be UTF-8")))?;
        let (name, value) = parameters.iter().next().unwrap_or_default();
        match value.parse() {
            Ok(value) => Ok(Self(value)),
            Err(error) => Err(wrong(FieldError::parameter(name, &error))),
        }
    }
}

/// The name of the parameter in the route of the request, such as `id` in `/api/orders/{id}`.
fn name_in_route(parts: &Parts) -> String {
    let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let name = route.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
    name.map_or("path", |(name, _)| name).to_owned()
}

/// The query of a request. A handler takes the parameters that it knows, one by one, and then calls
/// [`finish`](Self::finish), which reports all wrong, repeated and unknown parameters together.
#[derive(Debug)]
pub struct QueryParameters {
    remaining: Vec<(String, String)>,
    errors: Vec<FieldError>,
}

impl<S: Send + Sync> FromRequestParts<S> for QueryParameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Query(remaining) = Query::try_from_uri(&parts.uri).map_err(|_| {
            Problem::invalid_parameters(vec![FieldError::parameter("query", "cannot be read")])
        })?;
        Ok(Self { remaining, errors: Vec::new() })
    }
}

impl QueryParameters {
    /// Takes a parameter. It may be given at most once.
    pub fn take<T: FromStr<Err: Display>>(&mut self, name: &'static str) -> Option<T> {
        let place = self.remaining.iter().position(|(key, _)| key == name)?;
        let (_, value) = self.remaining.remove(place);
        let before = self.remaining.len();
        self.remaining.retain(|(key, _)| key != name);
        if self.remaining.len() < before {
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

    /// Reports wrong and remaining parameters. Must be called before the taken ones are used.
    ///
    /// # Errors
    /// When a parameter is wrong, repeated or unknown.
    pub fn finish(mut self) -> Result<(), Problem> {
        for (name, _) in self.remaining {
            self.errors.push(FieldError::parameter(name, "is unknown"));
        }
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid_parameters(self.errors)) }
    }
}

/// Parses a header. It may be given at most once.
///
/// # Errors
/// When it is given more than once or cannot be parsed.
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
