//! Everything in one process: `cargo run`.

use std::process::ExitCode;

fn main() -> ExitCode {
    standalone::main()
}
