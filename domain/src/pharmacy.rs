//! The pharmacy: its copy of each order, built from the events that ordering publishes, and its work
//! on the order.

mod command;
mod event;
mod order;
mod received_versions;
mod rejection;
mod work;
mod work_status;

pub use command::{Action, Command};
pub use event::{PharmacyEvent, PharmacyFact};
pub use order::{
    Cancellation, CommandError, Contents, PharmacyOrder, PharmacySnapshot, RequestedItem,
    RequestedMedication,
};
pub use received_versions::ReceivedVersions;
pub use rejection::{Rejection, RejectionCode, RejectionCodeError, RejectionText};
pub use work::{IllegalTransition, StatusChange, Work, WorkSnapshot};
pub use work_status::WorkStatus;
