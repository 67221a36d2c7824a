use super::{Attempt, InMemoryNotifications, Notification, NotificationFilter, StoreError};
use crate::notification::{NotificationId, NotificationViews};
use crate::paging::{Page, PageLimit};

impl NotificationFilter {
    pub(super) fn selects(&self, one: &Notification) -> bool {
        self.id.is_none_or(|id| id == one.id)
            && self.order_id.is_none_or(|id| id == one.order_id)
            && self.state.is_none_or(|state| state == one.state.name())
            && self.channel.is_none_or(|channel| channel == one.channel)
            && self.destination.as_ref().is_none_or(|receiver| *receiver == one.destination)
    }
}

impl NotificationViews for InMemoryNotifications {
    async fn list(
        &self,
        filter: &NotificationFilter,
        after: Option<NotificationId>,
        limit: PageLimit,
    ) -> Result<Page<Notification, NotificationId>, StoreError> {
        let state = self.lock();
        let all = state.entries.values().map(|entry| &entry.notification);
        let chosen = all.filter(|one| Some(one.id) > after && filter.selects(one));
        let chosen = chosen.take(limit.plus_one()).cloned().collect();
        Ok(Page::from_rows(chosen, limit, |one| one.id))
    }

    async fn attempts(&self, id: NotificationId) -> Result<Vec<Attempt>, StoreError> {
        let state = self.lock();
        Ok(state.entries.get(&id.get()).map(|entry| entry.attempts.clone()).unwrap_or_default())
    }
}
