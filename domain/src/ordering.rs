//! Ordering: the order aggregate, its value objects and the events it records.

mod cancel_reason;
mod code;
mod code_display;
mod code_system;
mod customer_name;
mod event;
mod items;
mod medication_coding;
mod order;
mod order_note;
mod product_id;
mod quantity;
mod snapshot;
mod status;

pub use cancel_reason::CancelReason;
pub use code::{Code, CodeError};
pub use code_display::CodeDisplay;
pub use code_system::{CodeSystem, CodeSystemError};
pub use customer_name::CustomerName;
pub use event::{OrderCancelled, OrderCreated, OrderEvent, OrderFact};
pub use items::{ItemsError, OrderItem, OrderItems};
pub use medication_coding::MedicationCoding;
pub use order::{FoldError, NewOrder, Order};
pub use order_note::OrderNote;
pub use product_id::{ProductId, ProductIdError};
pub use quantity::{Quantity, QuantityError};
pub use snapshot::{OrderSnapshot, RestoreError};
pub use status::OrderStatus;
