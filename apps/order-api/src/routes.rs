//! The API's routes, a file each.

pub(crate) mod cancel_order;
pub(crate) mod get_order;
pub(crate) mod list_orders;
pub(crate) mod place_order;
