/// A text that Postgres can keep: it takes no character 0, and an error may quote foreign data.
#[must_use]
pub fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
