use adapter_postgres::timeouts::in_time;
use adapter_postgres::{PgError, storable};
use application::StoreError;
use application::notification::{
    EventType, MAX_WEBHOOKS, SealedSecret, Webhook, WebhookId, WebhookSettings, WebhookState,
    Webhooks,
};
use application::paging::{Page, PageLimit};
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use super::PgNotifications;

/// How many notifications of a webhook are deleted together with it.
const AT_ONCE: usize = 10_000;

/// A webhook as the statements of this module select it.
#[derive(Debug)]
struct WebhookRow {
    id: Uuid,
    url: String,
    description: Option<String>,
    event_types: Vec<String>,
    secret: Vec<u8>,
    previous_secrets: Vec<Vec<u8>>,
    previous_until: Vec<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    failing_since: Option<DateTime<Utc>>,
    disabled_at: Option<DateTime<Utc>>,
    disabled_reason: Option<String>,
    version: i64,
}

impl Webhooks for PgNotifications {
    async fn add(&self, webhook: &Webhook) -> Result<bool, StoreError> {
        let Fields { event_types, previous_secrets, previous_until, disabled_at, reason, failing } =
            Fields::of(webhook);
        let add = sqlx::query!(
            "INSERT INTO webhooks (id, url, description, event_types, secret, previous_secrets,
                 previous_until, created_at, failing_since, disabled_at, disabled_reason, version)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
             WHERE (SELECT count(*) FROM webhooks) < $13",
            webhook.id.get(),
            webhook.settings.url,
            webhook.settings.description,
            &event_types as _,
            webhook.secret.0,
            &previous_secrets as _,
            &previous_until,
            webhook.created_at.get(),
            failing,
            disabled_at,
            reason,
            webhook.version,
            i64::try_from(MAX_WEBHOOKS).unwrap_or(i64::MAX)
        );
        let added = in_time(async { Ok::<_, PgError>(add.execute(&self.pool).await?) }).await?;
        Ok(added.rows_affected() > 0)
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
        let Fields { event_types, previous_secrets, previous_until, disabled_at, reason, failing } =
            Fields::of(webhook);
        let save = sqlx::query_scalar!(
            "UPDATE webhooks
             SET url = $3, description = $4, event_types = $5, secret = $6, previous_secrets = $7,
                 previous_until = $8, disabled_at = $10, disabled_reason = $11,
                 -- Calls change it at the same time. So it can be ended here, but not set.
                 failing_since = CASE WHEN $9::timestamptz IS NOT NULL THEN failing_since END,
                 version = version + 1
             WHERE id = $1 AND version = $2
             RETURNING version",
            webhook.id.get(),
            webhook.version,
            webhook.settings.url,
            webhook.settings.description,
            &event_types as _,
            webhook.secret.0,
            &previous_secrets as _,
            &previous_until,
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
    /// committed it before the notifications are deleted, or finds no webhook any more. There can be
    /// millions of them; housekeeping deletes what is left here.
    async fn delete_webhook(&self, id: WebhookId) -> Result<bool, PgError> {
        let delete = sqlx::query!(
            "WITH deleted AS (DELETE FROM webhooks WHERE id = $1 RETURNING id)
             INSERT INTO deleted_webhooks (id) SELECT id FROM deleted",
            id.get()
        );
        if delete.execute(&self.pool).await?.rows_affected() == 0 {
            return Ok(false);
        }
        delete_calls(&self.pool, AT_ONCE).await?;
        Ok(true)
    }
}

/// Deletes at most `limit` notifications of a deleted webhook. Returns how many; 0 if none are left.
pub(super) async fn delete_calls(pool: &PgPool, limit: usize) -> Result<u64, PgError> {
    loop {
        let next = sqlx::query_scalar!("SELECT id FROM deleted_webhooks ORDER BY id LIMIT 1");
        let Some(id) = next.fetch_optional(pool).await? else { return Ok(0) };
        let calls = sqlx::query!(
            "DELETE FROM notifications WHERE id IN (
                 SELECT id FROM notifications WHERE channel = 'webhook' AND destination = $1
                 ORDER BY id LIMIT $2)",
            id.to_string(),
            i64::try_from(limit).unwrap_or(i64::MAX)
        );
        let deleted = calls.execute(pool).await?.rows_affected();
        if deleted > 0 {
            return Ok(deleted);
        }
        let done = sqlx::query!("DELETE FROM deleted_webhooks WHERE id = $1", id);
        done.execute(pool).await?;
    }
}

/// What two statements store in the same way.
struct Fields<'w> {
    event_types: Vec<&'static str>,
    previous_secrets: Vec<&'w [u8]>,
    previous_until: Vec<DateTime<Utc>>,
    disabled_at: Option<DateTime<Utc>>,
    reason: Option<String>,
    failing: Option<DateTime<Utc>>,
}

impl<'w> Fields<'w> {
    fn of(webhook: &'w Webhook) -> Self {
        let previous = webhook.previous_secrets.iter();
        let (previous_secrets, previous_until) =
            previous.map(|(secret, until)| (secret.0.as_slice(), until.get())).unzip();
        let (disabled_at, reason) = match &webhook.state {
            WebhookState::Enabled => (None, None),
            WebhookState::Disabled { at, reason } => (Some(at.get()), Some(storable(reason))),
        };
        let event_types = webhook.settings.event_types.iter().map(|one| one.as_str()).collect();
        let failing = webhook.failing_since.map(domain::Timestamp::get);
        Self { event_types, previous_secrets, previous_until, disabled_at, reason, failing }
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
        let previous = self.previous_secrets.into_iter().map(SealedSecret);
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
            previous_secrets: previous
                .zip(self.previous_until.into_iter().map(Into::into))
                .collect(),
            created_at: self.created_at.into(),
            version: self.version,
        }
    }
}
