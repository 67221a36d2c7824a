use domain::CustomerId;

use super::{InMemoryNotifications, StoreError, StoredContact};
use crate::notification::{ChannelName, Contact, ContactChange, Customers, Replaces};

impl Customers for InMemoryNotifications {
    async fn find(&self, id: &CustomerId) -> Result<Option<StoredContact>, StoreError> {
        Ok(self.lock().customers.get(id).and_then(|customer| customer.contact.clone()))
    }

    async fn put(
        &self,
        id: &CustomerId,
        contact: &Contact,
        replaces: &Replaces,
    ) -> Result<ContactChange, StoreError> {
        let mut state = self.lock();
        let updated_at = state.now();
        let customer = state.customers.entry(id.clone()).or_default();
        let before = customer.contact.as_ref().map(|stored| stored.version);
        if !replaces.allows(before) {
            return Ok(ContactChange::Refused);
        }
        customer.version += 1;
        customer.erased = false;
        let stored =
            StoredContact { contact: contact.clone(), version: customer.version, updated_at };
        customer.contact = Some(stored.clone());
        Ok(match before {
            None => ContactChange::Created(stored),
            Some(_) => ContactChange::Replaced(stored),
        })
    }

    async fn erase(&self, id: &CustomerId, replaces: &Replaces) -> Result<bool, StoreError> {
        let mut state = self.lock();
        let customer = state.customers.entry(id.clone()).or_default();
        if !replaces.allows(customer.contact.as_ref().map(|stored| stored.version)) {
            return Ok(false);
        }
        customer.contact = None;
        customer.erased = true;
        customer.version += 1;
        state.orders.retain(|_, customer| customer.id != *id);
        state.entries.retain(|_, entry| {
            entry.notification.channel != ChannelName::Email
                || entry.notification.destination != id.as_str()
        });
        Ok(true)
    }
}
