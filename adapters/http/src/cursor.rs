use std::fmt;
use std::str::FromStr;

use domain::OrderId;
use uuid::Uuid;

/// Where a page of orders ended. Clients are not to look into it, so that it may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(pub OrderId);

/// A text that no page gave as its cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the `nextCursor` of a page")]
pub struct CursorError;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.get().simple().fmt(f)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let id = Uuid::try_parse(text).map_err(|_| CursorError)?;
        let cursor = Self(OrderId::new(id));
        if cursor.to_string() == text { Ok(cursor) } else { Err(CursorError) }
    }
}
