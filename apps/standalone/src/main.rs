//! Everything in one process: `cargo run`.

fn main() {
    standalone::main()
}
