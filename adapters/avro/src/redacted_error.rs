use std::fmt;

use apache_avro::error::Details;

/// An error message of the Avro library without any values.
///
/// Many messages of the library contain the invalid value, which may be personal data. Errors are
/// written to logs and dead letters.
#[derive(Debug)]
pub struct RedactedAvroError(String);

impl From<apache_avro::Error> for RedactedAvroError {
    fn from(error: apache_avro::Error) -> Self {
        Self(match error.details() {
            // These messages contain only positions, lengths and numbers.
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
            _ => "a value does not match the type of its field".to_owned(),
        })
    }
}

impl fmt::Display for RedactedAvroError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RedactedAvroError {}
