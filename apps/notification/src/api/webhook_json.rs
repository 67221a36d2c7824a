use std::collections::BTreeSet;

use adapter_http::{BodyErrors, Problem, text_schema};
use adapter_webhook::Policy;
use application::notification::{EventType, Webhook, WebhookId, WebhookSettings, WebhookState};
use application::paging::Page;
use chrono::{DateTime, Utc};
use domain::notification::WebhookDescription;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Where to call another system, and for what
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = WebhookSettings, example = json!({
    "url": "https://example.org/hooks/orders",
    "description": "The shop",
    "eventTypes": ["order.ready", "order.completed"],
}))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WebhookBody {
    /// The address: `https`, in the public internet
    #[schema(max_length = 2048)]
    url: String,
    /// What the webhook is for
    #[serde(default)]
    #[schema(schema_with = text_schema::webhook_description)]
    description: Option<String>,
    /// The types of events that it is called for; by default, all
    #[serde(default)]
    #[schema(value_type = Option<Vec<EventTypeJson>>, min_items = 1)]
    event_types: Option<Vec<String>>,
}

/// A type of events
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventType)]
#[allow(dead_code, reason = "only for the document")]
pub(super) enum EventTypeJson {
    /// The order was placed
    #[serde(rename = "order.created")]
    Created,
    /// The pharmacy has confirmed it
    #[serde(rename = "order.confirmed")]
    Confirmed,
    /// The customer can pick it up
    #[serde(rename = "order.ready")]
    Ready,
    /// The customer has it
    #[serde(rename = "order.completed")]
    Completed,
    /// The pharmacy does not dispense it
    #[serde(rename = "order.rejected")]
    Rejected,
    /// The customer asked to cancel it
    #[serde(rename = "order.cancellation_requested")]
    CancellationRequested,
    /// The pharmacy has declined to cancel it
    #[serde(rename = "order.cancellation_declined")]
    CancellationDeclined,
    /// It was cancelled
    #[serde(rename = "order.cancelled")]
    Cancelled,
    /// The personal data on it were erased: do not show copies of them any more
    #[serde(rename = "order.redacted")]
    Redacted,
}

/// A webhook: another system that is called for events
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Webhook, example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302f9a1c0de",
    "url": "https://example.org/hooks/orders",
    "eventTypes": ["order.ready", "order.completed"],
    "state": "enabled",
    "createdAt": "2026-01-31T12:00:00.000000Z",
}))]
#[serde(rename_all = "camelCase")]
pub(super) struct WebhookJson {
    /// The id of the webhook
    id: Uuid,
    /// The address
    url: String,
    /// What the webhook is for
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    description: Option<String>,
    /// The types of events that it is called for
    #[schema(value_type = Vec<EventTypeJson>)]
    event_types: Vec<&'static str>,
    /// Whether it is called
    state: WebhookStateJson,
    /// Why it was disabled
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    disabled_reason: Option<String>,
    /// When it was disabled
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "adapter_http::optional_timestamp"
    )]
    #[schema(nullable = false)]
    disabled_at: Option<DateTime<Utc>>,
    /// Since when every call has failed. After five days, the webhook is disabled
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "adapter_http::optional_timestamp"
    )]
    #[schema(nullable = false)]
    failing_since: Option<DateTime<Utc>>,
    /// Until when the previous secret signs calls too
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "adapter_http::optional_timestamp"
    )]
    #[schema(nullable = false)]
    previous_secret_until: Option<DateTime<Utc>>,
    /// When it was created
    #[serde(serialize_with = "adapter_http::timestamp")]
    created_at: DateTime<Utc>,
}

/// Whether a webhook is called
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookState)]
#[serde(rename_all = "lowercase")]
enum WebhookStateJson {
    /// It is called
    Enabled,
    /// It is not called
    Disabled,
}

/// A webhook with its new secret
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookWithSecret)]
#[serde(rename_all = "camelCase")]
pub(super) struct WebhookWithSecretJson {
    /// The webhook
    pub(super) webhook: WebhookJson,
    /// The secret that signs calls. It is not shown again
    #[schema(examples("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))]
    pub(super) secret: String,
}

/// A page of webhooks
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookPage)]
#[serde(rename_all = "camelCase")]
pub(super) struct WebhookPageJson {
    /// The webhooks, in the sequence of their ids
    items: Vec<WebhookJson>,
    /// The cursor of the next page; absent on the last page
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<Uuid>,
}

/// The result of a test call
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ping, example = json!({"accepted": true, "durationMs": 84, "answer": "HTTP 204"}))]
#[serde(rename_all = "camelCase")]
pub(super) struct PingJson {
    /// Whether the webhook answered with a status from 200 to 299
    pub(super) accepted: bool,
    /// How long it took
    #[schema(minimum = 0)]
    pub(super) duration_ms: u64,
    /// A short excerpt of the answer, or why there was none
    pub(super) answer: String,
}

impl WebhookBody {
    pub(super) fn settings(self, policy: &Policy) -> Result<WebhookSettings, Problem> {
        let mut errors = BodyErrors::default();
        errors.collect(policy.vet(&self.url), "#/url");
        let description = self.description.map(|text| text.parse::<WebhookDescription>());
        let description = errors.collect(description.transpose(), "#/description").flatten();
        let description = description.map(|text| text.to_string());
        let event_types = event_types(self.event_types, &mut errors);
        errors.finish(Some(WebhookSettings { url: self.url, description, event_types }))
    }
}

fn event_types(names: Option<Vec<String>>, errors: &mut BodyErrors) -> BTreeSet<EventType> {
    let Some(names) = names else { return EventType::ALL.into() };
    let some = if names.is_empty() { Err("must have at least one") } else { Ok(()) };
    errors.collect(some, "#/eventTypes");
    let parsed = names
        .iter()
        .enumerate()
        .filter_map(|(place, name)| errors.collect(name.parse(), format!("#/eventTypes/{place}")));
    parsed.collect()
}

impl From<Webhook> for WebhookJson {
    fn from(webhook: Webhook) -> Self {
        let (state, disabled_at, disabled_reason) = match webhook.state {
            WebhookState::Enabled => (WebhookStateJson::Enabled, None, None),
            WebhookState::Disabled { at, reason } => {
                (WebhookStateJson::Disabled, Some(at.get()), Some(reason))
            }
        };
        Self {
            id: webhook.id.get(),
            url: webhook.settings.url,
            description: webhook.settings.description,
            event_types: webhook.settings.event_types.iter().map(|one| one.as_str()).collect(),
            state,
            disabled_reason,
            disabled_at,
            failing_since: webhook.failing_since.map(domain::Timestamp::get),
            previous_secret_until: webhook.previous_secrets.first().map(|(_, until)| until.get()),
            created_at: webhook.created_at.get(),
        }
    }
}

impl From<Page<Webhook, WebhookId>> for WebhookPageJson {
    fn from(page: Page<Webhook, WebhookId>) -> Self {
        Self {
            items: page.items.into_iter().map(Into::into).collect(),
            next_cursor: page.next.map(WebhookId::get),
        }
    }
}
