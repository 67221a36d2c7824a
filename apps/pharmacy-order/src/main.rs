//! The program `pharmacy-order`.

use std::process::ExitCode;

fn main() -> ExitCode {
    pharmacy_order::main()
}
