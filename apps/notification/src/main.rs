//! The program `notification`.

fn main() {
    notification::main()
}
