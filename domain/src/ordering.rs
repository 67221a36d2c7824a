//! Ordering: what an order is, what may happen to it, and the events it records.

mod cancel_reason;
mod customer_name;
mod event;
mod items;
mod order;
mod product_id;
mod quantity;
mod snapshot;
mod status;
mod text;

pub use cancel_reason::CancelReason;
pub use customer_name::CustomerName;
pub use event::{OrderCancelled, OrderCreated, OrderEvent, OrderFact};
pub use items::{ItemsError, OrderItem, OrderItems};
pub use order::{FoldError, NewOrder, Occasion, Order};
pub use product_id::{ProductId, ProductIdError};
pub use quantity::{Quantity, QuantityError};
pub use snapshot::{OrderSnapshot, RestoreError};
pub use status::OrderStatus;
pub use text::TextError;
