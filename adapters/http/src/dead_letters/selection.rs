use std::borrow::Cow;

use application::dead_letters::{FilterError, Selection, SelectionArgs, SelectionError};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, Type,
};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::id::{DeadLetterId, IdJson, SCHEMA};
use crate::{FieldError, Problem};

/// Selects dead letters: by their ids, all open ones, or the open ones that match a filter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct SelectionJson {
    #[serde(default, deserialize_with = "given")]
    ids: Option<Vec<IdJson>>,
    #[serde(default)]
    all: bool,
    #[serde(default, deserialize_with = "given")]
    reason: Option<String>,
    #[serde(default, deserialize_with = "given")]
    event_type: Option<String>,
}

/// Reads a member that is there. It must not be null, which could mean all or nothing.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

impl SelectionJson {
    pub(super) fn selection<Id: DeadLetterId>(self) -> Result<Selection<Id>, Problem> {
        let Self { ids, all, reason, event_type } = self;
        if ids.as_ref().is_some_and(Vec::is_empty) {
            return Err(wrong("#/ids", "must not be empty"));
        }
        let ids = read_ids(&ids.unwrap_or_default())?;
        SelectionArgs { ids, all, reason, event_type }.try_into().map_err(|error| {
            let at = match error {
                SelectionError::Filter(FilterError::EmptyReason) => "#/reason",
                SelectionError::Filter(FilterError::EmptyEventType) => "#/eventType",
                SelectionError::Nothing | SelectionError::Mixed => "#",
            };
            wrong(at, &error.to_string())
        })
    }
}

fn wrong(at: &str, detail: &str) -> Problem {
    Problem::invalid_body(vec![FieldError::body(at, detail)])
}

fn read_ids<Id: DeadLetterId>(given: &[IdJson]) -> Result<Vec<Id>, Problem> {
    let (mut ids, mut errors) = (Vec::with_capacity(given.len()), Vec::new());
    for (place, IdJson(json)) in given.iter().enumerate() {
        match Id::from_json(json) {
            Some(id) => ids.push(id),
            None => errors.push(FieldError::body(format!("#/ids/{place}"), Id::MUST_BE)),
        }
    }
    if errors.is_empty() { Ok(ids) } else { Err(Problem::invalid_body(errors)) }
}

impl PartialSchema for SelectionJson {
    fn schema() -> RefOr<Schema> {
        let only = |title: &str| {
            let object = ObjectBuilder::new().schema_type(Type::Object).title(Some(title));
            object.additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
        };
        let text = |description: &str| {
            let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1));
            text.description(Some(description))
        };
        let ids = ArrayBuilder::new().items(Ref::from_schema_name(SCHEMA)).min_items(Some(1));
        let all = ObjectBuilder::new().schema_type(Type::Boolean).enum_values(Some([true]));
        let reason = text("A text that the reason contains");
        let event_type = text("The event type, such as `OrderCreated`");
        let filter = only("Open dead letters that match").min_properties(Some(1));
        OneOfBuilder::new()
            .item(only("Dead letters with these ids").property("ids", ids).required("ids"))
            .item(only("All open dead letters").property("all", all).required("all"))
            .item(filter.property("reason", reason).property("eventType", event_type))
            .description(Some("Which dead letters to retry or discard"))
            .examples([json!({"reason": "MessageSizeTooLarge"})])
            .into()
    }
}

impl ToSchema for SelectionJson {
    fn name() -> Cow<'static, str> {
        "DeadLetterSelection".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((IdJson::name().into_owned(), IdJson::schema()));
    }
}
