//! The pharmacy: its copy of each order, built from the events that ordering publishes.

mod order;

pub use order::{
    Contents, PharmacyOrder, PharmacySnapshot, PharmacyStatus, RequestedItem, RequestedMedication,
};
