use std::error::Error;

/// Formats an error and all its sources in one line, for logs.
///
/// Errors of this product never print their source, but errors of other crates may. A source that
/// the line already ends with is not repeated.
#[must_use]
pub fn one_line(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let message = error.to_string();
        if !line.ends_with(&message) {
            line.push_str(": ");
            line.push_str(&message);
        }
        source = error.source();
    }
    line.replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no order was\nsaved")]
    struct Outer(#[source] Middle);

    /// Prints its source, as some errors of other crates do.
    #[derive(Debug, thiserror::Error)]
    #[error("Postgres failed: {0}")]
    struct Middle(#[source] std::fmt::Error);

    #[test]
    fn an_error_and_its_sources_are_one_line_without_repetition() {
        let source = std::fmt::Error.to_string();
        let expected = format!("no order was saved: Postgres failed: {source}");
        assert_eq!(one_line(&Outer(Middle(std::fmt::Error))), expected);
    }
}
