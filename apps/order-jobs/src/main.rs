//! The program `order-jobs`.

fn main() {
    order_jobs::main()
}
