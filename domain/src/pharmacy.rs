//! The pharmacy: what it knows of the orders it will have to prepare.

mod order;

pub use order::{
    Contents, PharmacyOrder, PharmacySnapshot, PharmacyStatus, RequestedItem, RequestedMedication,
};
