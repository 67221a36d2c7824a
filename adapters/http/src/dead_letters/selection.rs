use std::fmt;
use std::str::FromStr;

use application::dead_letters::{FilterError, Selection, SelectionArgs, SelectionError};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use crate::{FieldError, Problem};

/// Which dead letters: by their ids, all that are open, or those that match. One of the three must be
/// given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = DeadLetterSelection, example = json!({"reason": "MessageSizeTooLarge"}))]
pub(super) struct SelectionJson {
    /// Their ids, as the list shows them
    #[serde(default)]
    #[schema(required = false, value_type = Vec<String>)]
    ids: Vec<IdJson>,
    /// `true` for all that are open
    #[serde(default)]
    #[schema(required = false)]
    all: bool,
    /// Those that are open and whose reason contains this text
    #[schema(min_length = 1)]
    reason: Option<String>,
    /// Those that are open and of this event type
    #[schema(min_length = 1, example = "OrderCreated")]
    event_type: Option<String>,
}

/// An id as a text. A whole number is taken as well: it is what some ids look like.
#[derive(Debug)]
struct IdJson(String);

impl SelectionJson {
    pub(super) fn selection<Id: FromStr>(self) -> Result<Selection<Id>, Problem> {
        let wrong = |at: String, detail: &str| FieldError::body(at, detail);
        let (mut ids, mut errors) = (Vec::with_capacity(self.ids.len()), Vec::new());
        for (place, IdJson(text)) in self.ids.into_iter().enumerate() {
            match text.parse() {
                Ok(id) => ids.push(id),
                Err(_) => {
                    errors
                        .push(wrong(format!("#/ids/{place}"), "must be the `id` of a dead letter"));
                }
            }
        }
        if !errors.is_empty() {
            return Err(Problem::invalid_body(errors));
        }
        let (all, reason, event_type) = (self.all, self.reason, self.event_type);
        SelectionArgs { ids, all, reason, event_type }.try_into().map_err(|error| {
            let at = match error {
                SelectionError::Filter(FilterError::EmptyReason) => "#/reason",
                SelectionError::Filter(FilterError::EmptyEventType) => "#/eventType",
                SelectionError::Nothing | SelectionError::Mixed => "#",
            };
            Problem::invalid_body(vec![FieldError::body(at, &error)])
        })
    }
}

impl<'de> Deserialize<'de> for IdJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IdVisitor)
    }
}

struct IdVisitor;

impl Visitor<'_> for IdVisitor {
    type Value = IdJson;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the `id` of a dead letter")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<IdJson, E> {
        Ok(IdJson(text.to_owned()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<IdJson, E> {
        Ok(IdJson(number.to_string()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<IdJson, E> {
        Ok(IdJson(number.to_string()))
    }
}
