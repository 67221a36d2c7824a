//! Whether a schema fits those before it, by the rules of the published language.

pub(super) mod check;
pub(super) mod level;

use adapter_avro::compatibility::{Level, check_history};
use application::one_line;

use super::schema::Schema;

/// Why `new` does not fit the `earlier` versions, oldest first, under a level; empty when it does.
pub(super) fn refusals(level: Level, new: &Schema, earlier: &[(i32, Schema)]) -> Vec<String> {
    let history: Vec<&str> = earlier.iter().map(|(_, schema)| schema.text()).collect();
    match check_history(&history, new.text(), level) {
        Ok(()) => Vec::new(),
        Err((place, why)) => {
            let version = earlier.get(place).map_or(0, |(version, _)| *version);
            vec![format!("version {version}: {}", one_line(&why))]
        }
    }
}
