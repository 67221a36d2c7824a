//! Ordering: placing and looking up orders, asking to cancel them, following the pharmacy, and erasing
//! the data of a customer.

mod answers;
mod cause;
mod customer_orders;
mod erase_customer;
mod follow_pharmacy;
mod idempotency_key;
mod list_orders;
mod order_views;
mod orders;
mod place_order;
mod receive_reports;
mod request_cancellation;

pub use answers::Answers;
pub use cause::{Cause, Fingerprint};
pub use customer_orders::CustomerOrders;
pub use erase_customer::{ErasedCustomer, erase_customer};
pub use follow_pharmacy::{PharmacyReport, follow_pharmacy};
pub use idempotency_key::{IdempotencyKey, IdempotencyKeyError};
pub use list_orders::{ListOrders, list_orders};
pub use order_views::OrderViews;
pub use orders::{FindAnswerError, Orders, SaveError, Saved};
pub use place_order::{PlaceOrder, PlaceOrderError, place_order};
pub use receive_reports::ReceiveReports;
pub use request_cancellation::{
    RequestCancellation, RequestCancellationError, request_cancellation,
};
