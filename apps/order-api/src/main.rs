//! The program `order-api`.

fn main() {
    order_api::main()
}
