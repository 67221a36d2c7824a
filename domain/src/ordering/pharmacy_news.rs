use super::Rejection;

/// What the pharmacy reports about its work on an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PharmacyNews {
    /// A pharmacist has confirmed it.
    Confirmed,
    /// Its preparation has started. Customers do not see this.
    PreparationStarted,
    /// It is ready for the customer.
    Ready,
    /// The customer has it.
    Dispensed,
    /// The pharmacy does not dispense it.
    Rejected(Rejection),
    /// It is cancelled.
    Cancelled,
    /// It cannot be cancelled any more.
    CancellationDeclined,
}
