use std::borrow::Cow;

use application::dead_letters::DeadLetterNumber;
use domain::EventId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{OpenApi, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::whole_number;

/// The name of the id's schema in the document.
pub(super) const SCHEMA: &str = "DeadLetterId";

/// The greatest number that every JSON reader reads exactly (RFC 8259, section 6).
const MAX_NUMBER: i64 = (1 << 53) - 1;

/// The id of a dead letter as the API knows it: in JSON, as a cursor, and in the document.
pub trait DeadLetterId: Copy {
    /// What an id must be, for the client who sent something else.
    const MUST_BE: &'static str;

    /// What a cursor looks like: a regular expression.
    const CURSOR: &'static str;

    /// The id in JSON.
    fn to_json(self) -> Value;

    /// Reads it from JSON.
    fn from_json(json: &Value) -> Option<Self>;

    /// Reads it from a cursor, which is its text.
    fn from_cursor(text: &str) -> Option<Self>;

    /// Its schema.
    fn schema() -> Schema;
}

impl DeadLetterId for EventId {
    const MUST_BE: &'static str = "must be the id of an event, which is a UUID";
    const CURSOR: &'static str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

    fn to_json(self) -> Value {
        Value::String(self.to_string())
    }

    fn from_json(json: &Value) -> Option<Self> {
        json.as_str()?.parse().ok()
    }

    fn from_cursor(text: &str) -> Option<Self> {
        text.parse().ok().filter(|id: &Self| id.to_string() == text)
    }

    fn schema() -> Schema {
        let format = SchemaFormat::KnownFormat(KnownFormat::Uuid);
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(format))
            .description(Some("The id of the event"))
            .examples(["01890a5d-ac96-774b-bcce-b302099a8057"])
            .into()
    }
}

impl DeadLetterId for DeadLetterNumber {
    const MUST_BE: &'static str = "must be the number of a dead letter, such as 17";
    const CURSOR: &'static str = "^[1-9][0-9]{0,14}$";

    fn to_json(self) -> Value {
        self.get().into()
    }

    fn from_json(json: &Value) -> Option<Self> {
        let number = whole_number(json).ok()?;
        (1..=MAX_NUMBER).contains(&number).then(|| Self::new(number))
    }

    fn from_cursor(text: &str) -> Option<Self> {
        let number: Self = text.parse().ok()?;
        let is_canonical = number.get() >= 1 && text.len() <= 15 && number.to_string() == text;
        is_canonical.then_some(number)
    }

    fn schema() -> Schema {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(MAX_NUMBER))
            .description(Some("The number of the dead letter"))
            .examples([17])
            .into()
    }
}

/// An id in a body. Its schema stands for one that [`describe`] puts in its place.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct IdJson(pub(super) Value);

impl PartialSchema for IdJson {
    fn schema() -> RefOr<Schema> {
        RefOr::T(Schema::default())
    }
}

impl ToSchema for IdJson {
    fn name() -> Cow<'static, str> {
        SCHEMA.into()
    }
}

/// Documents the kind of id: in the schema, and in the parameter `cursor` of the list.
pub(super) fn describe<Id: DeadLetterId>(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    components.schemas.insert(SCHEMA.to_owned(), RefOr::T(Id::schema()));
    let lists = document.paths.paths.values_mut().filter_map(|path| path.get.as_mut());
    for parameter in lists.filter_map(|list| list.parameters.as_mut()).flatten() {
        if let RefOr::T(parameter) = parameter
            && parameter.name == "cursor"
        {
            let cursor = ObjectBuilder::new().schema_type(Type::String).pattern(Some(Id::CURSOR));
            parameter.schema = Some(cursor.into());
        }
    }
}
