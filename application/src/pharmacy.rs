//! The pharmacy: receives orders and shows them to pharmacists.

mod list_pharmacy_orders;
mod pharmacy_orders;
mod pharmacy_views;
mod receive_order;

pub use list_pharmacy_orders::{ListPharmacyOrders, list_pharmacy_orders};
pub use pharmacy_orders::{OrderRevision, PharmacyOrders, SaveAllError};
pub use pharmacy_views::{PharmacyOrderView, PharmacyViewStatus, PharmacyViews};
pub use receive_order::ReceiveOrders;
