//! Quick runs: `QUICK=1`. They check the same with fewer orders and fewer measurements.

use std::env;

/// The first value, or the second one in a quick run.
pub fn unless_quick<T>(full: T, quick: T) -> T {
    if env::var_os("QUICK").is_some_and(|value| value == "1") { quick } else { full }
}
