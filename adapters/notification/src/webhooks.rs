use adapter_postgres::timeouts::in_time;
use adapter_postgres::{PgError, storable};
use application::StoreError;
use application::notification::{
    EventType, SealedSecret, Webhook, WebhookId, WebhookSettings, WebhookState, Webhooks,
};
use application::paging::{Page, PageLimit};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::PgNotifications;

/// A webhook as the statements of this module select it.
#[derive(Debug)]
struct WebhookRow {
    id: Uuid,
    url: String,
    description: Option<String>,
    event_types: Vec<String>,
    secret: Vec<u8>,
    previous_secret: Option<Vec<u8>>,
    previous_until: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    failing_since: Option<DateTime<Utc>>,
    disabled_at: Option<DateTime<Utc>>,
    disabled_reason: Option<String>,
    version: i64,
}

impl Webhooks for PgNotifications {
    async fn add(&self, webhook: &Webhook) -> Result<(), StoreError> {
        let Fields { event_types, previous_secret, previous_until, disabled_at, reason, failing } =
            Fields::of(webhook);
        let add = sqlx::query!(
            "INSERT INTO webhooks (id, url, description, event_types, secret, previous_secret,
                 previous_until, created_at, failing_since, disabled_at, disabled_reason, version)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            webhook.id.get(),
            webhook.settings.url,
            webhook.settings.description,
            &event_types as _,
            webhook.secret.0,
            previous_secret,
            previous_until,
            webhook.created_at.get(),
            failing,
            disabled_at,
            reason,
            webhook.version
        );
        in_time(async { Ok::<_, PgError>(add.execute(&self.pool).await?) }).await?;
        Ok(())
    }

    async fn find(&self, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        let find = sqlx::query_as!(WebhookRow, "SELECT * FROM webhooks WHERE id = $1", id.get());
        let row =
            in_time(async { Ok::<_, PgError>(find.fetch_optional(&self.pool).await?) }).await?;
        Ok(row.map(WebhookRow::into_webhook))
    }

    async fn list(
        &self,
        after: Option<WebhookId>,
        limit: PageLimit,
    ) -> Result<Page<Webhook, WebhookId>, StoreError> {
        let list = sqlx::query_as!(
            WebhookRow,
            "SELECT * FROM webhooks WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2",
            after.map(WebhookId::get),
            i64::try_from(limit.plus_one()).unwrap_or(i64::MAX)
        );
        let rows = in_time(async { Ok::<_, PgError>(list.fetch_all(&self.pool).await?) }).await?;
        let webhooks = rows.into_iter().map(WebhookRow::into_webhook).collect();
        Ok(Page::from_rows(webhooks, limit, |webhook: &Webhook| webhook.id))
    }

    async fn save(&self, webhook: &Webhook) -> Result<Option<i64>, StoreError> {
        let Fields { event_types, previous_secret, previous_until, disabled_at, reason, failing } =
            Fields::of(webhook);
        let save = sqlx::query_scalar!(
            "UPDATE webhooks
             SET url = $3, description = $4, event_types = $5, secret = $6, previous_secret = $7,
                 previous_until = $8, failing_since = $9, disabled_at = $10, disabled_reason = $11,
                 version = version + 1
             WHERE id = $1 AND version = $2
             RETURNING version",
            webhook.id.get(),
            webhook.version,
            webhook.settings.url,
            webhook.settings.description,
            &event_types as _,
            webhook.secret.0,
            previous_secret,
            previous_until,
            failing,
            disabled_at,
            reason
        );
        Ok(in_time(async { Ok::<_, PgError>(save.fetch_optional(&self.pool).await?) }).await?)
    }

    async fn delete(&self, id: WebhookId) -> Result<bool, StoreError> {
        Ok(in_time(self.delete_webhook(id)).await?)
    }
}

impl PgNotifications {
    /// The webhook is deleted before its notifications: whoever records one at the same moment has either
    /// committed it before the notifications are deleted, or finds no webhook any more.
    async fn delete_webhook(&self, id: WebhookId) -> Result<bool, PgError> {
        let mut transaction = self.pool.begin().await?;
        let webhook = sqlx::query!("DELETE FROM webhooks WHERE id = $1", id.get());
        let deleted = webhook.execute(&mut *transaction).await?.rows_affected();
        let calls = sqlx::query!(
            "DELETE FROM notifications WHERE channel = 'webhook' AND destination = $1",
            id.to_string()
        );
        calls.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(deleted > 0)
    }
}

/// What two statements store in the same way.
struct Fields {
    event_types: Vec<&'static str>,
    previous_secret: Option<Vec<u8>>,
    previous_until: Option<DateTime<Utc>>,
    disabled_at: Option<DateTime<Utc>>,
    reason: Option<String>,
    failing: Option<DateTime<Utc>>,
}

impl Fields {
    fn of(webhook: &Webhook) -> Self {
        let (previous_secret, previous_until) = match &webhook.previous_secret {
            Some((secret, until)) => (Some(secret.0.clone()), Some(until.get())),
            None => (None, None),
        };
        let (disabled_at, reason) = match &webhook.state {
            WebhookState::Enabled => (None, None),
            WebhookState::Disabled { at, reason } => (Some(at.get()), Some(storable(reason))),
        };
        let event_types = webhook.settings.event_types.iter().map(|one| one.as_str()).collect();
        let failing = webhook.failing_since.map(domain::Timestamp::get);
        Self { event_types, previous_secret, previous_until, disabled_at, reason, failing }
    }
}

impl WebhookRow {
    /// Event types that this version does not know are left out.
    fn into_webhook(self) -> Webhook {
        let is_wanted = |one: &EventType| self.event_types.iter().any(|name| name == one.as_str());
        let state = match self.disabled_at.zip(self.disabled_reason) {
            Some((at, reason)) => WebhookState::Disabled { at: at.into(), reason },
            None => WebhookState::Enabled,
        };
        let previous = self.previous_secret.map(SealedSecret);
        Webhook {
            id: WebhookId::new(self.id),
            settings: WebhookSettings {
                url: self.url,
                description: self.description,
                event_types: EventType::ALL.into_iter().filter(is_wanted).collect(),
            },
            state,
            failing_since: self.failing_since.map(Into::into),
            secret: SealedSecret(self.secret),
            previous_secret: previous.zip(self.previous_until.map(Into::into)),
            created_at: self.created_at.into(),
            version: self.version,
        }
    }
}
