//! Validation of encoded data before it is decoded.

use std::mem::size_of;

use apache_avro::Schema;
use apache_avro::schema::{DecimalSchema, InnerDecimalSchema, NamesRef, RecordSchema, UuidSchema};
use apache_avro::types::Value;

use super::parse::MAX_DEPTH;

/// Maximum memory of the decoded values of a datum. The largest order takes 0.3 MB.
const MAX_MEMORY: usize = 8 * 1024 * 1024;

/// Why encoded data cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DatumError {
    /// The bytes end too early.
    #[error("the bytes end before the end of the event")]
    End,
    /// The bytes are not a value of the schema.
    #[error("the bytes do not match the schema")]
    Damaged,
    /// Values are nested too deeply, for example in a recursive schema.
    #[error("its values are nested more than {MAX_DEPTH} deep")]
    TooDeep,
    /// The values would be larger than any event. A few bytes can declare billions of items.
    #[error("its values would need more than {MAX_MEMORY} bytes of memory")]
    TooLarge,
}

/// Checks that the datum at the start of these bytes can be decoded with limited stack and memory.
///
/// The decoder of the Avro library has no limits: it follows a recursive schema until the stack
/// overflows, allocates as many items as an array declares, and reads a missing union as null.
pub(super) fn check(schema: &Schema, names: &NamesRef<'_>, bytes: &[u8]) -> Result<(), DatumError> {
    DatumCheck { names, rest: bytes, memory: 0 }.value(schema, None, 0)
}

struct DatumCheck<'a> {
    names: &'a NamesRef<'a>,
    rest: &'a [u8],
    memory: usize,
}

impl DatumCheck<'_> {
    fn value(
        &mut self,
        schema: &Schema,
        namespace: Option<&str>,
        depth: usize,
    ) -> Result<(), DatumError> {
        if depth > MAX_DEPTH {
            return Err(DatumError::TooDeep);
        }
        self.reserve(size_of::<Value>())?;
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
                self.reserve(fixed.size)?;
                self.skip(fixed.size)
            }
            Schema::Enum(symbols) => {
                let index = self.index()?;
                let symbol = symbols.symbols.get(index).ok_or(DatumError::Damaged)?;
                self.reserve(symbol.len())
            }
            Schema::Array(array) => {
                self.blocks(|check| check.value(&array.items, namespace, depth + 1))
            }
            Schema::Map(map) => self.blocks(|check| {
                check.reserve(size_of::<(String, Value)>())?;
                check.bytes()?;
                check.value(&map.types, namespace, depth + 1)
            }),
            Schema::Union(union) => {
                let index = self.index()?;
                let branch = union.variants().get(index).ok_or(DatumError::Damaged)?;
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
            self.reserve(size_of::<String>() + field.name.len())?;
            self.value(&field.schema, name.namespace(), depth + 1)?;
        }
        Ok(())
    }

    /// Checks the blocks of an array or a map, up to the empty block that ends it.
    fn blocks(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), DatumError>,
    ) -> Result<(), DatumError> {
        loop {
            let count = self.long()?;
            if count < 0 {
                // The size of the block in bytes, which allows readers to skip it.
                self.long()?;
            }
            match count.unsigned_abs() {
                0 => return Ok(()),
                count => (0..count).try_for_each(|_| item(self))?,
            }
        }
    }

    fn bytes(&mut self) -> Result<(), DatumError> {
        let length = self.index()?;
        self.reserve(length)?;
        self.skip(length)
    }

    /// Reads a number that must not be negative.
    fn index(&mut self) -> Result<usize, DatumError> {
        usize::try_from(self.long()?).map_err(|_| DatumError::Damaged)
    }

    /// Reads a zigzag-encoded number of at most 10 bytes.
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

    fn reserve(&mut self, bytes: usize) -> Result<(), DatumError> {
        self.memory = self.memory.saturating_add(bytes);
        if self.memory > MAX_MEMORY { Err(DatumError::TooLarge) } else { Ok(()) }
    }
}
