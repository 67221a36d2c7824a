use std::fmt;

use apache_avro::error::Details;

/// What Avro's library says is wrong, without quoting values.
///
/// Many of its messages quote the value that does not fit, which may be personal, and an error ends up
/// in logs and dead letters.
#[derive(Debug)]
pub struct AvroFault(String);

impl From<apache_avro::Error> for AvroFault {
    fn from(error: apache_avro::Error) -> Self {
        Self(match error.details() {
            // Where the bytes are damaged: positions, lengths and numbers.
            Details::BoolValue(_)
            | Details::CompareFixedSizes { .. }
            | Details::ConvertFixedToUuid(_)
            | Details::ConvertI32ToUsize(..)
            | Details::ConvertI64ToUsize(..)
            | Details::ConvertToUtf8(_)
            | Details::ConvertToUtf8Error(_)
            | Details::GetEnumUnknownIndexValue
            | Details::GetEnumValue { .. }
            | Details::GetField(_)
            | Details::GetUnionVariant { .. }
            | Details::IntegerOverflow
            | Details::MapKeyType(_)
            | Details::MemoryAllocation { .. }
            | Details::ReadBoolean(_)
            | Details::ReadBytes(_)
            | Details::ReadDouble(_)
            | Details::ReadDuration(_)
            | Details::ReadFixed(..)
            | Details::ReadFloat(_)
            | Details::ReadString(_)
            | Details::ReadVariableIntegerBytes(_)
            | Details::SchemaResolutionError(_)
            | Details::ZagI32(..) => application::one_line(&error),
            _ => "a value is not what its field must hold".to_owned(),
        })
    }
}

impl fmt::Display for AvroFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for AvroFault {}
