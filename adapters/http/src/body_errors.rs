use std::fmt::Display;

use super::{FieldError, Problem};

/// The errors of a body, so that all of them are reported together.
#[derive(Debug, Default)]
pub struct BodyErrors(Vec<FieldError>);

impl BodyErrors {
    /// Returns the value, or adds the error at this JSON pointer and returns `None`.
    pub fn collect<T, E: Display>(
        &mut self,
        result: Result<T, E>,
        at: impl Into<String>,
    ) -> Option<T> {
        result.map_err(|error| self.0.push(FieldError::body(at, &error))).ok()
    }

    /// Returns what was read. It may be `None` only if an error was collected.
    ///
    /// # Errors
    /// When there are errors.
    pub fn finish<T>(self, read: Option<T>) -> Result<T, Problem> {
        match read {
            Some(read) if self.0.is_empty() => Ok(read),
            _ => Err(Problem::invalid_body(self.0)),
        }
    }
}
