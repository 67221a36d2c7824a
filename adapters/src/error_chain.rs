use std::error::Error;

/// An error and all its sources in one line, for the one place that logs it.
///
/// Errors here never print their source themselves, so nothing is said twice.
#[must_use]
pub fn one_line(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        line.push_str(": ");
        line.push_str(&error.to_string());
        source = error.source();
    }
    line.replace('\n', " ")
}
