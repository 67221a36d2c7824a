//! The pharmacy: receives orders, and pharmacists work on them.

mod list_pharmacy_orders;
mod pharmacy_orders;
mod pharmacy_views;
mod receive_order;
mod recover_work;
mod work_on_order;

pub use list_pharmacy_orders::{ListPharmacyOrders, list_pharmacy_orders};
pub use pharmacy_orders::{OrderRevision, PharmacyOrders, SaveAllError};
pub use pharmacy_views::{OpenWork, PharmacyOrderView, PharmacyViews, Sequence, WorkState};
pub use receive_order::ReceiveOrders;
pub use recover_work::recover_work;
pub use work_on_order::{WorkOnOrder, WorkOnOrderError, work_on_order};
