use std::collections::HashSet;
use std::mem::discriminant;

use apache_avro::Schema;
use apache_avro::schema::{
    EnumSchema, NamesRef, RecordField, RecordSchema, ResolvedSchema, UnionSchema,
};
use apache_avro::schema_compatibility::{Compatibility, SchemaCompatibility};

use super::Direction;
use super::describe::{describe, is_logical};

/// One schema reading what another wrote, followed into every part.
///
/// The library's own check stops at the outermost field, takes a logical type for the type below it
/// and a name without its namespace, and does not follow names. It is asked what may be promoted.
pub(super) struct Reading<'s> {
    writer: NamesRef<'s>,
    reader: NamesRef<'s>,
    direction: Direction,
    /// The pairs of records being compared, which a record that contains itself meets again.
    open: HashSet<(String, String)>,
}

/// The innermost place where the reader fails, and why.
#[derive(Debug)]
pub(super) struct Blame {
    /// Such as `items[].quantity`; empty for the schema itself.
    pub(super) place: String,
    pub(super) reason: String,
}

type Verdict = Result<(), Blame>;

impl<'s> Reading<'s> {
    /// Whether the reader understands all that the writer can write.
    pub(super) fn check(writer: &'s Schema, reader: &'s Schema, direction: Direction) -> Verdict {
        let mut reading =
            Self { writer: names(writer), reader: names(reader), direction, open: HashSet::new() };
        reading.read(writer, reader, "")
    }

    fn read(&mut self, writer: &'s Schema, reader: &'s Schema, at: &str) -> Verdict {
        let writer = follow(writer, &self.writer);
        let reader = follow(reader, &self.reader);
        match (writer, reader) {
            (Schema::Union(branches), Schema::Union(known)) => branches
                .variants()
                .iter()
                .try_for_each(|branch| self.read_branch(branch, known, at)),
            (Schema::Union(branches), _) => {
                let fits = branches.variants().iter().all(|b| self.read(b, reader, at).is_ok());
                self.require(fits, writer, reader, at)
            }
            (_, Schema::Union(known)) => {
                let fits = known.variants().iter().any(|b| self.read(writer, b, at).is_ok());
                self.require(fits, writer, reader, at)
            }
            (Schema::Array(written), Schema::Array(read)) => {
                self.read(&written.items, &read.items, &format!("{at}[]"))
            }
            (Schema::Map(written), Schema::Map(read)) => {
                self.read(&written.types, &read.types, &format!("{at}{{}}"))
            }
            (Schema::Record(written), Schema::Record(read)) if written.name == read.name => {
                let pair = (written.name.to_string(), read.name.to_string());
                if !self.open.insert(pair.clone()) {
                    return Ok(());
                }
                let verdict = self.read_fields(written, read, at);
                self.open.remove(&pair);
                verdict
            }
            (Schema::Enum(written), Schema::Enum(read)) if written.name == read.name => {
                self.read_symbols(written, read, at)
            }
            _ => self.require(understands(writer, reader), writer, reader, at),
        }
    }

    /// Each branch of the writer needs one of the reader's; that of its own kind tells best what is
    /// wrong.
    fn read_branch(&mut self, branch: &'s Schema, known: &'s UnionSchema, at: &str) -> Verdict {
        if known.variants().iter().any(|reader| self.read(branch, reader, at).is_ok()) {
            return Ok(());
        }
        let branch = follow(branch, &self.writer);
        let alike = known
            .variants()
            .iter()
            .map(|reader| follow(reader, &self.reader))
            .find(|reader| discriminant(*reader) == discriminant(branch));
        if let Some(reader) = alike {
            return self.read(branch, reader, at);
        }
        let did = self.removed_or_added();
        blame(at, format!("the branch {} was {did}", describe(branch)))
    }

    fn read_fields(
        &mut self,
        written: &'s RecordSchema,
        read: &'s RecordSchema,
        at: &str,
    ) -> Verdict {
        for field in &read.fields {
            let place =
                if at.is_empty() { field.name.clone() } else { format!("{at}.{}", field.name) };
            match written_as(field, written) {
                Some(written) => self.read(&written.schema, &field.schema, &place)?,
                None if field.default.is_some() => {}
                None => {
                    let reason = match self.direction {
                        Direction::Backward => "was added (or renamed) without a default",
                        Direction::Forward => "was removed (or renamed) and has no default",
                    };
                    return blame(&place, reason.to_owned());
                }
            }
        }
        Ok(())
    }

    fn read_symbols(&self, written: &EnumSchema, read: &EnumSchema, at: &str) -> Verdict {
        let unknown: Vec<&str> = written
            .symbols
            .iter()
            .filter(|symbol| !read.symbols.contains(symbol))
            .map(String::as_str)
            .collect();
        if unknown.is_empty() || read.default.is_some() {
            return Ok(());
        }
        let did = self.removed_or_added();
        let reason =
            format!("the symbol {} was {did}, and the enum has no default", unknown.join(", "));
        blame(at, reason)
    }

    /// What happened to that which the reader does not know.
    const fn removed_or_added(&self) -> &'static str {
        match self.direction {
            Direction::Backward => "removed",
            Direction::Forward => "added",
        }
    }

    fn require(&self, fits: bool, writer: &Schema, reader: &Schema, at: &str) -> Verdict {
        if fits {
            return Ok(());
        }
        let (older, newer) = match self.direction {
            Direction::Backward => (writer, reader),
            Direction::Forward => (reader, writer),
        };
        let meaning = if is_logical(older) || is_logical(newer) {
            ", which gives the same bytes another meaning"
        } else {
            ""
        };
        blame(at, format!("{} was changed to {}{meaning}", describe(older), describe(newer)))
    }
}

/// Whether one schema reads another, neither of which has parts to look into.
fn understands(writer: &Schema, reader: &Schema) -> bool {
    match (writer, reader) {
        // Of a name, the library reads the last part only.
        _ if writer.name() != reader.name() => false,
        // Bytes that are no UTF-8 are no string.
        (Schema::Bytes, Schema::String) => false,
        _ if is_logical(writer) || is_logical(reader) => describe(writer) == describe(reader),
        _ => SchemaCompatibility::can_read(writer, reader) == Ok(Compatibility::Full),
    }
}

/// The writer's field that the reader takes for its own: of the same name, or of an alias.
fn written_as<'s>(field: &RecordField, writer: &'s RecordSchema) -> Option<&'s RecordField> {
    std::iter::once(&field.name)
        .chain(&field.aliases)
        .find_map(|name| writer.fields.iter().find(|written| &written.name == name))
}

/// The schema that a name stands for.
fn follow<'s>(schema: &'s Schema, names: &NamesRef<'s>) -> &'s Schema {
    match schema {
        Schema::Ref { name } => names.get(name).copied().unwrap_or(schema),
        other => other,
    }
}

/// What is defined in a schema. One that was parsed refers to nothing else.
fn names(schema: &Schema) -> NamesRef<'_> {
    ResolvedSchema::new(schema).map(|resolved| resolved.get_names().clone()).unwrap_or_default()
}

fn blame(at: &str, reason: String) -> Verdict {
    Err(Blame { place: at.to_owned(), reason })
}
