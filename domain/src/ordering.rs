//! Ordering: the order aggregate, its value objects and the events it records.

mod cancellation;
mod code;
mod code_system;
mod event;
mod items;
mod medication_coding;
mod order;
mod pharmacy_news;
mod product_id;
mod progress;
mod quantity;
mod redaction;
mod rejection;
mod snapshot;
mod status;
mod texts;
mod transitions;

pub use cancellation::{Cancellation, CannotCancel};
pub use code::{Code, CodeError};
pub use code_system::{CodeSystem, CodeSystemError};
pub use event::{OrderCancellationRequested, OrderCancelled, OrderCreated, OrderEvent, OrderFact};
pub use items::{ItemsError, OrderItem, OrderItems};
pub use medication_coding::MedicationCoding;
pub use order::{FoldError, NewOrder, Order};
pub use pharmacy_news::PharmacyNews;
pub use product_id::{ProductId, ProductIdError};
pub use progress::Progress;
pub use quantity::{Quantity, QuantityError};
pub use rejection::{Rejection, RejectionCode, RejectionCodeError, RejectionText};
pub use snapshot::{OrderSnapshot, RestoreError};
pub use status::{OrderStatus, StatusChange, StatusName, StatusNameError};
pub use texts::{CancelReason, CodeDisplay, CustomerName, OrderNote};
