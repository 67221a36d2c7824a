//! Ordering: the order aggregate, its value objects and the events it records.

mod code;
mod code_system;
mod event;
mod items;
mod medication_coding;
mod order;
mod product_id;
mod quantity;
mod snapshot;
mod status;
mod texts;

pub use code::{Code, CodeError};
pub use code_system::{CodeSystem, CodeSystemError};
pub use event::{OrderCancelled, OrderCreated, OrderEvent, OrderFact};
pub use items::{ItemsError, OrderItem, OrderItems};
pub use medication_coding::MedicationCoding;
pub use order::{FoldError, NewOrder, Order};
pub use product_id::{ProductId, ProductIdError};
pub use quantity::{Quantity, QuantityError};
pub use snapshot::{OrderSnapshot, RestoreError};
pub use status::OrderStatus;
pub use texts::{CancelReason, CodeDisplay, CustomerName, OrderNote};
