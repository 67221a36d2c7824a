//! The routes of the API.

pub(crate) mod cancel_order;
pub(crate) mod get_order;
pub(crate) mod list_orders;
pub(crate) mod place_order;
