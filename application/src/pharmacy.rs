//! The pharmacy: takes in orders and shows them to pharmacists.

mod pharmacy_orders;
mod pharmacy_views;
mod receive_order;

pub use pharmacy_orders::{PharmacyOrders, Revised, SaveAllError};
pub use pharmacy_views::{PharmacyOrderView, PharmacyViewStatus, PharmacyViews};
pub use receive_order::ReceiveOrders;
