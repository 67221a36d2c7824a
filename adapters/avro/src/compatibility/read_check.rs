use std::collections::{HashMap, HashSet};
use std::mem::discriminant;

use apache_avro::Schema;
use apache_avro::schema::{
    EnumSchema, NamesRef, RecordField, RecordSchema, ResolvedSchema, UnionSchema,
};
use apache_avro::schema_compatibility::{Compatibility, SchemaCompatibility};

use super::Direction;
use super::describe::{describe, is_logical};

/// Maximum nesting of types, references included. Deeper types count as incompatible.
const MAX_DEPTH: usize = 128;

/// Checks whether one schema can read data of another, in all nested types.
///
/// The check of the Avro library reports only the outermost field, ignores logical types and
/// namespaces, and does not follow references. It is used here only for promotions such as int to
/// long.
///
/// Each pair of records is compared once, so the time depends only on the sizes of the two schemas.
pub(super) struct ReadCheck<'s> {
    writer: NamesRef<'s>,
    reader: NamesRef<'s>,
    direction: Direction,
    /// The pairs of records that are being compared. A recursive record reaches its own pair again.
    in_progress: HashSet<Pair>,
    /// The results for pairs of records that were compared.
    known: HashMap<Pair, bool>,
}

/// The names of a writer's and a reader's record.
type Pair = (String, String);

/// The innermost place where the reader is incompatible, and the reason.
#[derive(Debug)]
pub(super) struct Mismatch {
    /// A path such as `items[].quantity`. Empty for the schema itself.
    pub(super) place: String,
    pub(super) reason: String,
}

impl<'s> ReadCheck<'s> {
    /// Checks that the reader can read all data that the writer can write.
    pub(super) fn check(
        writer: &'s Schema,
        reader: &'s Schema,
        direction: Direction,
    ) -> Result<(), Mismatch> {
        let mut check = Self {
            writer: names(writer),
            reader: names(reader),
            direction,
            in_progress: HashSet::new(),
            known: HashMap::new(),
        };
        if check.can_read(writer, reader, 0) {
            return Ok(());
        }
        let mismatch = check.explain(writer, reader, "", 0);
        Err(mismatch.unwrap_or_else(|| check.changed(writer, reader, "")))
    }

    fn can_read(&mut self, writer: &'s Schema, reader: &'s Schema, depth: usize) -> bool {
        if depth > MAX_DEPTH {
            return false;
        }
        let deeper = depth + 1;
        let writer = follow(writer, &self.writer);
        let reader = follow(reader, &self.reader);
        match (writer, reader) {
            (Schema::Union(branches), Schema::Union(known)) => {
                branches.variants().iter().all(|branch| self.any_can_read(branch, known, deeper))
            }
            (Schema::Union(branches), _) => {
                branches.variants().iter().all(|branch| self.can_read(branch, reader, deeper))
            }
            (_, Schema::Union(known)) => self.any_can_read(writer, known, deeper),
            (Schema::Array(written), Schema::Array(read)) => {
                self.can_read(&written.items, &read.items, deeper)
            }
            (Schema::Map(written), Schema::Map(read)) => {
                self.can_read(&written.types, &read.types, deeper)
            }
            (Schema::Record(written), Schema::Record(read)) if written.name == read.name => {
                self.can_read_record(written, read, deeper)
            }
            (Schema::Enum(written), Schema::Enum(read)) if written.name == read.name => {
                unknown_symbols(written, read).is_empty()
            }
            _ => can_read_plain(writer, reader),
        }
    }

    fn any_can_read(&mut self, writer: &'s Schema, known: &'s UnionSchema, depth: usize) -> bool {
        known.variants().iter().any(|reader| self.can_read(writer, reader, depth))
    }

    fn can_read_record(
        &mut self,
        written: &'s RecordSchema,
        read: &'s RecordSchema,
        depth: usize,
    ) -> bool {
        let pair = (written.name.to_string(), read.name.to_string());
        if let Some(&can_read) = self.known.get(&pair) {
            return can_read;
        }
        // A recursive record is compatible unless something else in it is not.
        if !self.in_progress.insert(pair.clone()) {
            return true;
        }
        let can_read = read.fields.iter().all(|field| match written_as(field, written) {
            Some(written) => self.can_read(&written.schema, &field.schema, depth),
            None => field.default.is_some(),
        });
        self.in_progress.remove(&pair);
        if !can_read {
            // Results of other pairs may have assumed that this pair is compatible.
            self.known.retain(|_, can_read| !*can_read);
        }
        self.known.insert(pair, can_read);
        can_read
    }

    /// Finds where an incompatible reader fails, and why. `None` if the path goes through a record
    /// that was visited before.
    fn explain(
        &mut self,
        writer: &'s Schema,
        reader: &'s Schema,
        at: &str,
        depth: usize,
    ) -> Option<Mismatch> {
        if depth > MAX_DEPTH {
            return Some(mismatch(at, format!("is nested more than {MAX_DEPTH} deep")));
        }
        let deeper = depth + 1;
        let writer = follow(writer, &self.writer);
        let reader = follow(reader, &self.reader);
        match (writer, reader) {
            (Schema::Union(branches), Schema::Union(known)) => {
                branches.variants().iter().find_map(|b| self.explain_branch(b, known, at, deeper))
            }
            (Schema::Array(written), Schema::Array(read)) => {
                self.explain(&written.items, &read.items, &format!("{at}[]"), deeper)
            }
            (Schema::Map(written), Schema::Map(read)) => {
                self.explain(&written.types, &read.types, &format!("{at}{{}}"), deeper)
            }
            (Schema::Record(written), Schema::Record(read)) if written.name == read.name => {
                if !self.in_progress.insert((written.name.to_string(), read.name.to_string())) {
                    return None;
                }
                read.fields.iter().find_map(|field| self.explain_field(field, written, at, deeper))
            }
            (Schema::Enum(written), Schema::Enum(read)) if written.name == read.name => {
                let (did, unknown) = (self.removed_or_added(), unknown_symbols(written, read));
                let symbols = unknown.join(", ");
                let reason = format!("the symbol {symbols} was {did}, and the enum has no default");
                Some(mismatch(at, reason))
            }
            _ => Some(self.changed(writer, reader, at)),
        }
    }

    /// Explains a branch of the writer that no branch of the reader can read. If the reader has a
    /// branch of the same type, the two are compared to find the exact reason.
    fn explain_branch(
        &mut self,
        branch: &'s Schema,
        known: &'s UnionSchema,
        at: &str,
        depth: usize,
    ) -> Option<Mismatch> {
        if self.any_can_read(branch, known, depth) {
            return None;
        }
        let branch = follow(branch, &self.writer);
        let alike = known
            .variants()
            .iter()
            .map(|reader| follow(reader, &self.reader))
            .find(|reader| discriminant(*reader) == discriminant(branch));
        if let Some(reader) = alike {
            return self.explain(branch, reader, at, depth);
        }
        let did = self.removed_or_added();
        Some(mismatch(at, format!("the branch {} was {did}", describe(branch))))
    }

    fn explain_field(
        &mut self,
        field: &'s RecordField,
        written: &'s RecordSchema,
        at: &str,
        depth: usize,
    ) -> Option<Mismatch> {
        let place = if at.is_empty() { field.name.clone() } else { format!("{at}.{}", field.name) };
        match written_as(field, written) {
            Some(written) if self.can_read(&written.schema, &field.schema, depth) => None,
            Some(written) => self.explain(&written.schema, &field.schema, &place, depth),
            None if field.default.is_some() => None,
            None => {
                let reason = match self.direction {
                    Direction::Backward => "was added (or renamed) without a default",
                    Direction::Forward => "was removed (or renamed) and has no default",
                };
                Some(mismatch(&place, reason.to_owned()))
            }
        }
    }

    /// What the change did to the part that the reader does not have.
    const fn removed_or_added(&self) -> &'static str {
        match self.direction {
            Direction::Backward => "removed",
            Direction::Forward => "added",
        }
    }

    fn changed(&self, writer: &Schema, reader: &Schema, at: &str) -> Mismatch {
        let (older, newer) = match self.direction {
            Direction::Backward => (writer, reader),
            Direction::Forward => (reader, writer),
        };
        let meaning = if is_logical(older) || is_logical(newer) {
            ", which gives the same bytes another meaning"
        } else {
            ""
        };
        let reason = format!("{} was changed to {}{meaning}", describe(older), describe(newer));
        mismatch(at, reason)
    }
}

/// The symbols of the writer that the reader does not have. Empty if the reader's enum has a
/// default.
fn unknown_symbols<'s>(written: &'s EnumSchema, read: &EnumSchema) -> Vec<&'s str> {
    if read.default.is_some() {
        return Vec::new();
    }
    let known: HashSet<&String> = read.symbols.iter().collect();
    let unknown = written.symbols.iter().filter(|symbol| !known.contains(symbol));
    unknown.map(String::as_str).collect()
}

/// Whether the reader can read the writer's data, for schemas without nested types.
fn can_read_plain(writer: &Schema, reader: &Schema) -> bool {
    match (writer, reader) {
        // The library compares names without their namespaces.
        _ if writer.name() != reader.name() => false,
        // Bytes that are not UTF-8 cannot be read as a string.
        (Schema::Bytes, Schema::String) => false,
        _ if is_logical(writer) || is_logical(reader) => describe(writer) == describe(reader),
        _ => SchemaCompatibility::can_read(writer, reader) == Ok(Compatibility::Full),
    }
}

/// The writer's field that matches a reader's field: by name, or by an alias of the reader.
fn written_as<'s>(field: &RecordField, writer: &'s RecordSchema) -> Option<&'s RecordField> {
    std::iter::once(&field.name)
        .chain(&field.aliases)
        .find_map(|name| writer.fields.iter().find(|written| &written.name == name))
}

/// Resolves a reference to the schema that it names.
fn follow<'s>(schema: &'s Schema, names: &NamesRef<'s>) -> &'s Schema {
    match schema {
        Schema::Ref { name } => names.get(name).copied().unwrap_or(schema),
        other => other,
    }
}

/// The named types that a schema defines. A parsed schema refers to no other types.
fn names(schema: &Schema) -> NamesRef<'_> {
    ResolvedSchema::new(schema).map(|resolved| resolved.get_names().clone()).unwrap_or_default()
}

fn mismatch(at: &str, reason: String) -> Mismatch {
    Mismatch { place: at.to_owned(), reason }
}
