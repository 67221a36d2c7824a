//! Ordering: placing, cancelling and looking up orders.

mod answers;
mod cancel_order;
mod cause;
mod idempotency_key;
mod list_orders;
mod order_views;
mod orders;
mod place_order;

pub use answers::Answers;
pub use cancel_order::{CancelOrder, CancelOrderError, cancel_order};
pub use cause::{Cause, Fingerprint};
pub use idempotency_key::{IdempotencyKey, IdempotencyKeyError};
pub use list_orders::{ListOrders, list_orders};
pub use order_views::{OrderViews, StatusFilter};
pub use orders::{FindAnswerError, Orders, SaveError, Saved};
pub use place_order::{PlaceOrder, PlaceOrderError, place_order};
