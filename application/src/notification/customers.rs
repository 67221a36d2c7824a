use std::future::Future;

use domain::notification::{EmailAddress, Language, Preferences};
use domain::{CustomerId, Timestamp};

use crate::StoreError;

/// How to reach a customer. Its `Debug` form hides the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The address for letters.
    pub email: EmailAddress,
    /// The language of letters.
    pub language: Language,
    /// Which letters the customer wants.
    pub preferences: Preferences,
}

/// A stored [`Contact`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredContact {
    /// The contact.
    pub contact: Contact,
    /// Counts the changes. It never repeats for a customer, not even after an erasure.
    pub version: i64,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// Which stored contact a change may replace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replaces {
    /// Any, also none.
    Any,
    /// None: the customer has no contact yet.
    Nothing,
    /// One of any version.
    Something,
    /// One with one of these versions.
    Versions(Vec<i64>),
}

impl Replaces {
    /// Whether a contact with this version, or none, may be replaced.
    #[must_use]
    pub fn allows(&self, version: Option<i64>) -> bool {
        match self {
            Self::Any => true,
            Self::Nothing => version.is_none(),
            Self::Something => version.is_some(),
            Self::Versions(versions) => version.is_some_and(|has| versions.contains(&has)),
        }
    }
}

/// The result of storing a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactChange {
    /// The customer had no contact before.
    Created(StoredContact),
    /// The contact was replaced.
    Replaced(StoredContact),
    /// The stored contact may not be replaced by this change.
    Refused,
}

/// Port for the contacts of customers.
pub trait Customers: Send + Sync {
    /// The contact of a customer.
    fn find(
        &self,
        id: &CustomerId,
    ) -> impl Future<Output = Result<Option<StoredContact>, StoreError>> + Send;

    /// Stores a contact. From then on, an erased customer gets letters again, about new orders.
    fn put(
        &self,
        id: &CustomerId,
        contact: &Contact,
        replaces: &Replaces,
    ) -> impl Future<Output = Result<ContactChange, StoreError>> + Send;

    /// Erases all that notification stores about the customer, in one transaction: the contact, the
    /// names on orders, and all notifications on the channel `email` with their attempts. Only the id
    /// remains, so that a repeat of old events stores nothing again. `false` if the stored contact may
    /// not be replaced.
    fn erase(
        &self,
        id: &CustomerId,
        replaces: &Replaces,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
