//! The headers of a record as JSON, so that they are readable in the table.

use std::fmt::Write;

use application::StoreError;
use application::published::RecordHeader;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use crate::storable;

/// One header. Its value is stored as text if it is text that Postgres can store, otherwise as
/// hexadecimal digits.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
}

/// The value of the column. `None` if there are no headers.
pub(super) fn to_json(headers: &[RecordHeader]) -> Option<Json<Vec<Header>>> {
    (!headers.is_empty()).then(|| Json(headers.iter().map(Header::of).collect()))
}

/// The headers as they were received.
///
/// # Errors
/// When a value is not hexadecimal.
pub(super) fn from_json(json: Option<Json<Vec<Header>>>) -> Result<Vec<RecordHeader>, StoreError> {
    let headers = json.map(|Json(headers)| headers).unwrap_or_default();
    headers.into_iter().map(Header::into_header).collect()
}

impl Header {
    fn of(header: &RecordHeader) -> Self {
        let name = storable(&header.name);
        match header.value.as_deref() {
            None => Self { name, text: None, hex: None },
            Some(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) if !text.contains('\0') => {
                    Self { name, text: Some(text.to_owned()), hex: None }
                }
                _ => Self { name, text: None, hex: Some(digits(bytes)) },
            },
        }
    }

    fn into_header(self) -> Result<RecordHeader, StoreError> {
        let value =
            match (self.text, self.hex) {
                (Some(text), _) => Some(text.into_bytes()),
                (None, Some(hex)) => Some(bytes(&hex).ok_or_else(|| {
                    StoreError::Broken(format!("{hex} is not hexadecimal").into())
                })?),
                (None, None) => None,
            };
        Ok(RecordHeader { name: self.name, value })
    }
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
