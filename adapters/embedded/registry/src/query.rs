//! Query parameters, read as the registry of Confluent reads them, which uses JAX-RS.
//!
//! Clients depend on it: Confluent's Python client sends `deleted=False`, with a capital letter.

use std::collections::HashSet;

use axum::extract::{FromRequestParts, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::value::{Error, MapDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::api_error::ApiError;
use super::request::malformed;

/// Extractor for query parameters. Unknown parameters are ignored, and parameters without a value too.
/// If a parameter is given twice, the first one counts.
pub(super) struct InQuery<T>(pub(super) T);

/// Query parameter: whether to include deleted versions.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct DeletedQuery {
    pub(super) deleted: bool,
}

/// Query parameter: whether to return only deleted versions, or subjects that have some.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct DeletedOnlyQuery {
    pub(super) deleted_only: bool,
}

/// Query parameters: which part of a list to return.
#[derive(Deserialize)]
#[serde(default)]
pub(super) struct Page {
    offset: i64,
    limit: i64,
}

impl Default for Page {
    /// The whole list.
    fn default() -> Self {
        Self { offset: 0, limit: -1 }
    }
}

impl Page {
    /// The elements of this page. A negative limit is no limit.
    pub(super) fn of<T>(&self, list: impl IntoIterator<Item = T>) -> Vec<T> {
        let offset = usize::try_from(self.offset).unwrap_or(0);
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        list.into_iter().skip(offset).take(limit).collect()
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for InQuery<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Query(mut pairs) = Query::<Vec<(String, String)>>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| malformed(rejection.status(), rejection.body_text()))?;
        let mut names = HashSet::new();
        pairs.retain(|(name, value)| names.insert(name.clone()) && !value.is_empty());
        let pairs = pairs.into_iter().map(|(name, value)| (name, Parameter(value)));
        T::deserialize(MapDeserializer::new(pairs))
            .map(Self)
            .map_err(|error: Error| malformed(StatusCode::BAD_REQUEST, error.to_string()))
    }
}

/// The text of a parameter. The type of the field that it is read into decides how it is parsed.
struct Parameter(String);

impl IntoDeserializer<'_, Error> for Parameter {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Parameter {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.0)
    }

    /// `true` in any case is true, and every other text is false, as in Java's `Boolean.valueOf`.
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(self.0.eq_ignore_ascii_case("true"))
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let number = self.0.parse();
        visitor.visit_i64(number.map_err(|_| Error::custom(format!("{:?} is no number", self.0)))?)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
