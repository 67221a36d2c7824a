//! Whether a schema fits those before it.

pub(super) mod check;
mod level;

use apache_avro::schema_compatibility::{Compatibility, SchemaCompatibility};

pub(super) use self::level::Level;
use super::schema::Schema;
use crate::one_line;

/// Why `new` does not fit the `earlier` versions, oldest first, under a level; empty when it does.
pub(super) fn refusals(level: Level, new: &Schema, earlier: &[(i32, Schema)]) -> Vec<String> {
    let compared = if level.is_transitive() { earlier } else { latest(earlier) };
    compared
        .iter()
        .flat_map(|(version, old)| {
            let backward = level.is_backward().then(|| {
                refusal(old, new)
                    .map(|why| format!("it cannot read data of version {version}: {why}"))
            });
            let forward = level.is_forward().then(|| {
                refusal(new, old)
                    .map(|why| format!("version {version} cannot read its data: {why}"))
            });
            [backward, forward].into_iter().flatten().flatten()
        })
        .collect()
}

fn latest(earlier: &[(i32, Schema)]) -> &[(i32, Schema)] {
    &earlier[earlier.len().saturating_sub(1)..]
}

/// Compatible for some values only is not compatible.
fn refusal(writer: &Schema, reader: &Schema) -> Option<String> {
    match SchemaCompatibility::can_read(writer.avro(), reader.avro()) {
        Ok(Compatibility::Full) => None,
        Ok(Compatibility::Partial) => Some("some values could not be read".to_owned()),
        Err(error) => Some(one_line(&error)),
    }
}
