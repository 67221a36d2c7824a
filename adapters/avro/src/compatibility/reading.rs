use std::collections::{HashMap, HashSet};
use std::mem::discriminant;

use apache_avro::Schema;
use apache_avro::schema::{
    EnumSchema, NamesRef, RecordField, RecordSchema, ResolvedSchema, UnionSchema,
};
use apache_avro::schema_compatibility::{Compatibility, SchemaCompatibility};

use super::Direction;
use super::describe::{describe, is_logical};

/// How deeply types are followed, names included. What is nested deeper counts as not understood.
const MOST_DEPTH: usize = 128;

/// One schema reading what another wrote, followed into every part.
///
/// The library's own check stops at the outermost field, takes a logical type for the type below it
/// and a name without its namespace, and does not follow names. It is asked what may be promoted.
///
/// Each pair of records is compared once, so the time is bounded by the sizes of the two schemas.
pub(super) struct Reading<'s> {
    writer: NamesRef<'s>,
    reader: NamesRef<'s>,
    direction: Direction,
    /// The pairs of records being compared, which a record that contains itself meets again.
    open: HashSet<Pair>,
    /// What was found out about pairs of records.
    known: HashMap<Pair, bool>,
}

/// The names of a writer's and a reader's record.
type Pair = (String, String);

/// The innermost place where the reader fails, and why.
#[derive(Debug)]
pub(super) struct Blame {
    /// Such as `items[].quantity`; empty for the schema itself.
    pub(super) place: String,
    pub(super) reason: String,
}

impl<'s> Reading<'s> {
    /// Whether the reader understands all that the writer can write.
    pub(super) fn check(
        writer: &'s Schema,
        reader: &'s Schema,
        direction: Direction,
    ) -> Result<(), Blame> {
        let mut reading = Self {
            writer: names(writer),
            reader: names(reader),
            direction,
            open: HashSet::new(),
            known: HashMap::new(),
        };
        if reading.fits(writer, reader, 0) {
            return Ok(());
        }
        let blame = reading.explain(writer, reader, "", 0);
        Err(blame.unwrap_or_else(|| reading.changed(writer, reader, "")))
    }

    fn fits(&mut self, writer: &'s Schema, reader: &'s Schema, depth: usize) -> bool {
        if depth > MOST_DEPTH {
            return false;
        }
        let deeper = depth + 1;
        let writer = follow(writer, &self.writer);
        let reader = follow(reader, &self.reader);
        match (writer, reader) {
            (Schema::Union(branches), Schema::Union(known)) => {
                branches.variants().iter().all(|branch| self.fits_any(branch, known, deeper))
            }
            (Schema::Union(branches), _) => {
                branches.variants().iter().all(|branch| self.fits(branch, reader, deeper))
            }
            (_, Schema::Union(known)) => self.fits_any(writer, known, deeper),
            (Schema::Array(written), Schema::Array(read)) => {
                self.fits(&written.items, &read.items, deeper)
            }
            (Schema::Map(written), Schema::Map(read)) => {
                self.fits(&written.types, &read.types, deeper)
            }
            (Schema::Record(written), Schema::Record(read)) if written.name == read.name => {
                self.fits_record(written, read, deeper)
            }
            (Schema::Enum(written), Schema::Enum(read)) if written.name == read.name => {
                unknown_symbols(written, read).is_empty()
            }
            _ => understands(writer, reader),
        }
    }

    fn fits_any(&mut self, writer: &'s Schema, known: &'s UnionSchema, depth: usize) -> bool {
        known.variants().iter().any(|reader| self.fits(writer, reader, depth))
    }

    fn fits_record(
        &mut self,
        written: &'s RecordSchema,
        read: &'s RecordSchema,
        depth: usize,
    ) -> bool {
        let pair = (written.name.to_string(), read.name.to_string());
        if let Some(&fits) = self.known.get(&pair) {
            return fits;
        }
        // What contains itself fits if nothing else in it does not.
        if !self.open.insert(pair.clone()) {
            return true;
        }
        let fits = read.fields.iter().all(|field| match written_as(field, written) {
            Some(written) => self.fits(&written.schema, &field.schema, depth),
            None => field.default.is_some(),
        });
        self.open.remove(&pair);
        if !fits {
            // Others may have been found to fit on the condition that this one does.
            self.known.retain(|_, fits| !*fits);
        }
        self.known.insert(pair, fits);
        fits
    }

    /// Where a reader fails that does not fit, and why. `None` if the way there leads through a record
    /// that was looked at already.
    fn explain(
        &mut self,
        writer: &'s Schema,
        reader: &'s Schema,
        at: &str,
        depth: usize,
    ) -> Option<Blame> {
        if depth > MOST_DEPTH {
            return Some(blame(at, format!("is nested more than {MOST_DEPTH} deep")));
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
                if !self.open.insert((written.name.to_string(), read.name.to_string())) {
                    return None;
                }
                read.fields.iter().find_map(|field| self.explain_field(field, written, at, deeper))
            }
            (Schema::Enum(written), Schema::Enum(read)) if written.name == read.name => {
                let (did, unknown) = (self.removed_or_added(), unknown_symbols(written, read));
                let symbols = unknown.join(", ");
                let reason = format!("the symbol {symbols} was {did}, and the enum has no default");
                Some(blame(at, reason))
            }
            _ => Some(self.changed(writer, reader, at)),
        }
    }

    /// Each branch of the writer needs one of the reader's; that of its own kind tells best what is
    /// wrong.
    fn explain_branch(
        &mut self,
        branch: &'s Schema,
        known: &'s UnionSchema,
        at: &str,
        depth: usize,
    ) -> Option<Blame> {
        if self.fits_any(branch, known, depth) {
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
        Some(blame(at, format!("the branch {} was {did}", describe(branch))))
    }

    fn explain_field(
        &mut self,
        field: &'s RecordField,
        written: &'s RecordSchema,
        at: &str,
        depth: usize,
    ) -> Option<Blame> {
        let place = if at.is_empty() { field.name.clone() } else { format!("{at}.{}", field.name) };
        match written_as(field, written) {
            Some(written) if self.fits(&written.schema, &field.schema, depth) => None,
            Some(written) => self.explain(&written.schema, &field.schema, &place, depth),
            None if field.default.is_some() => None,
            None => {
                let reason = match self.direction {
                    Direction::Backward => "was added (or renamed) without a default",
                    Direction::Forward => "was removed (or renamed) and has no default",
                };
                Some(blame(&place, reason.to_owned()))
            }
        }
    }

    /// What happened to that which the reader does not know.
    const fn removed_or_added(&self) -> &'static str {
        match self.direction {
            Direction::Backward => "removed",
            Direction::Forward => "added",
        }
    }

    fn changed(&self, writer: &Schema, reader: &Schema, at: &str) -> Blame {
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
        blame(at, reason)
    }
}

/// The symbols of the writer that the reader neither knows nor has a default for.
fn unknown_symbols<'s>(written: &'s EnumSchema, read: &EnumSchema) -> Vec<&'s str> {
    if read.default.is_some() {
        return Vec::new();
    }
    let known: HashSet<&String> = read.symbols.iter().collect();
    let unknown = written.symbols.iter().filter(|symbol| !known.contains(symbol));
    unknown.map(String::as_str).collect()
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

fn blame(at: &str, reason: String) -> Blame {
    Blame { place: at.to_owned(), reason }
}
