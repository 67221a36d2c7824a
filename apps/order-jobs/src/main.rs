//! The program `order-jobs`.

use std::process::ExitCode;

fn main() -> ExitCode {
    order_jobs::main()
}
