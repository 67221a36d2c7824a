use std::error::Error;

/// An error and all its sources in one line, for the one place that logs it.
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
