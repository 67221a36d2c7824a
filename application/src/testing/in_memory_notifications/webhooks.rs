use super::{InMemoryNotifications, StoreError, Webhook, WebhookId};
use crate::notification::{MAX_WEBHOOKS, Webhooks};
use crate::paging::{Page, PageLimit};

impl Webhooks for InMemoryNotifications {
    async fn add(&self, webhook: &Webhook) -> Result<bool, StoreError> {
        let webhooks = &mut self.lock().webhooks;
        let has_room = webhooks.len() < MAX_WEBHOOKS;
        if has_room {
            webhooks.insert(webhook.id, webhook.clone());
        }
        Ok(has_room)
    }

    async fn find(&self, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        Ok(self.lock().webhooks.get(&id).cloned())
    }

    async fn list(
        &self,
        after: Option<WebhookId>,
        limit: PageLimit,
    ) -> Result<Page<Webhook, WebhookId>, StoreError> {
        let state = self.lock();
        let rest = state.webhooks.values().filter(|webhook| Some(webhook.id) > after);
        let rest = rest.take(limit.plus_one()).cloned().collect();
        Ok(Page::from_rows(rest, limit, |webhook: &Webhook| webhook.id))
    }

    async fn save(&self, webhook: &Webhook) -> Result<Option<i64>, StoreError> {
        let mut state = self.lock();
        let stored = state.webhooks.get_mut(&webhook.id);
        let Some(stored) = stored.filter(|stored| stored.version == webhook.version) else {
            return Ok(None);
        };
        let failing_since = webhook.failing_since.and(stored.failing_since);
        *stored = Webhook { version: webhook.version + 1, failing_since, ..webhook.clone() };
        Ok(Some(stored.version))
    }

    async fn delete(&self, id: WebhookId) -> Result<bool, StoreError> {
        let mut state = self.lock();
        let name = id.to_string();
        state.entries.retain(|_, entry| entry.notification.destination != name);
        Ok(state.webhooks.remove(&id).is_some())
    }
}
