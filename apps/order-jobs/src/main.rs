//! The program `order-jobs`.
fn main() {}
