use std::error::Error;

/// An error and all its sources in one line, for the one place that tells it.
///
/// Errors here never print their source themselves, but those of others do: what the line ends with
/// already is not said again.
#[must_use]
pub fn one_line(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let said = error.to_string();
        if !line.ends_with(&said) {
            line.push_str(": ");
            line.push_str(&said);
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

    /// Prints its source, as some do.
    #[derive(Debug, thiserror::Error)]
    #[error("Postgres failed: {0}")]
    struct Middle(#[source] std::fmt::Error);

    #[test]
    fn an_error_and_its_sources_are_one_line_that_says_nothing_twice() {
        let source = std::fmt::Error.to_string();
        let expected = format!("no order was saved: Postgres failed: {source}");
        assert_eq!(one_line(&Outer(Middle(std::fmt::Error))), expected);
    }
}
