//! The program `order-api`.

use std::process::ExitCode;

fn main() -> ExitCode {
    order_api::main()
}
