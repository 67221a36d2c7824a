/// The text with each NUL character replaced, because Postgres cannot store NUL.
///
/// An error text may quote foreign data that contains one.
#[must_use]
pub fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
