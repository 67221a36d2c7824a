//! The program `pharmacy-order`.

fn main() {
    pharmacy_order::main()
}
