//! Bytes that claim to be a value of a schema, looked through before anything is made of them.

use std::mem::size_of;

use apache_avro::Schema;
use apache_avro::schema::{DecimalSchema, InnerDecimalSchema, NamesRef, RecordSchema, UuidSchema};
use apache_avro::types::Value;

use super::parse::MOST_DEPTH;

/// The most memory that the values of one datum may take. The largest order takes 0.3 MB.
const MOST_MEMORY: usize = 8 * 1024 * 1024;

/// Why bytes are not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DatumError {
    /// They end too soon.
    #[error("the bytes end before the event does")]
    End,
    /// They are no value of the schema.
    #[error("the bytes are damaged")]
    Damaged,
    /// The value contains itself, or nearly.
    #[error("its values are nested more than {MOST_DEPTH} deep")]
    TooDeep,
    /// The value is larger than any event; a few bytes can claim billions of items.
    #[error("its values would take more than {MOST_MEMORY} bytes of memory")]
    TooLarge,
}

/// Checks that the datum at the beginning of these bytes can be decoded on a small stack and in little
/// memory, by going through it as the decoder will.
///
/// The decoder itself follows a schema that contains itself until the stack is used up, makes as many
/// items as an array claims to have, and takes the end of the bytes for null where a union should
/// begin.
pub(super) fn check(schema: &Schema, names: &NamesRef<'_>, bytes: &[u8]) -> Result<(), DatumError> {
    Walk { names, rest: bytes, memory: 0 }.value(schema, None, 0)
}

struct Walk<'a> {
    names: &'a NamesRef<'a>,
    rest: &'a [u8],
    memory: usize,
}

impl Walk<'_> {
    fn value(
        &mut self,
        schema: &Schema,
        namespace: Option<&str>,
        depth: usize,
    ) -> Result<(), DatumError> {
        if depth > MOST_DEPTH {
            return Err(DatumError::TooDeep);
        }
        self.takes(size_of::<Value>())?;
        match schema {
            Schema::Null => Ok(()),
            Schema::Boolean => self.skip(1),
            Schema::Float => self.skip(4),
            Schema::Double => self.skip(8),
            Schema::Int
            | Schema::Long
            | Schema::Date
            | Schema::TimeMillis
            | Schema::TimeMicros
            | Schema::TimestampMillis
            | Schema::TimestampMicros
            | Schema::TimestampNanos
            | Schema::LocalTimestampMillis
            | Schema::LocalTimestampMicros
            | Schema::LocalTimestampNanos => self.long().map(drop),
            Schema::Bytes
            | Schema::String
            | Schema::BigDecimal
            | Schema::Decimal(DecimalSchema { inner: InnerDecimalSchema::Bytes, .. })
            | Schema::Uuid(UuidSchema::String | UuidSchema::Bytes) => self.bytes(),
            Schema::Fixed(fixed)
            | Schema::Duration(fixed)
            | Schema::Decimal(DecimalSchema { inner: InnerDecimalSchema::Fixed(fixed), .. })
            | Schema::Uuid(UuidSchema::Fixed(fixed)) => {
                self.takes(fixed.size)?;
                self.skip(fixed.size)
            }
            Schema::Enum(symbols) => {
                let place = self.place()?;
                let symbol = symbols.symbols.get(place).ok_or(DatumError::Damaged)?;
                self.takes(symbol.len())
            }
            Schema::Array(array) => {
                self.blocks(|walk| walk.value(&array.items, namespace, depth + 1))
            }
            Schema::Map(map) => self.blocks(|walk| {
                walk.takes(size_of::<(String, Value)>())?;
                walk.bytes()?;
                walk.value(&map.types, namespace, depth + 1)
            }),
            Schema::Union(union) => {
                let place = self.place()?;
                let branch = union.variants().get(place).ok_or(DatumError::Damaged)?;
                self.value(branch, namespace, depth + 1)
            }
            Schema::Record(record) => self.record(record, namespace, depth),
            Schema::Ref { name } => {
                let name = name.fully_qualified_name(namespace).into_owned();
                let schema = *self.names.get(&name).ok_or(DatumError::Damaged)?;
                self.value(schema, name.namespace(), depth + 1)
            }
        }
    }

    fn record(
        &mut self,
        record: &RecordSchema,
        namespace: Option<&str>,
        depth: usize,
    ) -> Result<(), DatumError> {
        let name = record.name.fully_qualified_name(namespace).into_owned();
        for field in &record.fields {
            // A decoded record holds the names of its fields.
            self.takes(size_of::<String>() + field.name.len())?;
            self.value(&field.schema, name.namespace(), depth + 1)?;
        }
        Ok(())
    }

    /// The blocks of an array or a map, up to the empty one.
    fn blocks(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), DatumError>,
    ) -> Result<(), DatumError> {
        loop {
            let count = self.long()?;
            if count < 0 {
                // The block's size in bytes, for those who want to skip it.
                self.long()?;
            }
            match count.unsigned_abs() {
                0 => return Ok(()),
                count => (0..count).try_for_each(|_| item(self))?,
            }
        }
    }

    fn bytes(&mut self) -> Result<(), DatumError> {
        let length = self.place()?;
        self.takes(length)?;
        self.skip(length)
    }

    /// A number from 0 on.
    fn place(&mut self) -> Result<usize, DatumError> {
        usize::try_from(self.long()?).map_err(|_| DatumError::Damaged)
    }

    /// A zigzag number of at most 10 bytes.
    fn long(&mut self) -> Result<i64, DatumError> {
        let mut number = 0_u64;
        for shift in (0..70).step_by(7) {
            let (&byte, rest) = self.rest.split_first().ok_or(DatumError::End)?;
            self.rest = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed());
            }
        }
        Err(DatumError::Damaged)
    }

    fn skip(&mut self, count: usize) -> Result<(), DatumError> {
        self.rest = self.rest.get(count..).ok_or(DatumError::End)?;
        Ok(())
    }

    fn takes(&mut self, bytes: usize) -> Result<(), DatumError> {
        self.memory = self.memory.saturating_add(bytes);
        if self.memory > MOST_MEMORY { Err(DatumError::TooLarge) } else { Ok(()) }
    }
}
