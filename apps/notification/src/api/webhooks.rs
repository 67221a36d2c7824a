//! The webhooks.

use std::time::Duration;

use adapter_http::{
    BadRequest, BodyTimeout, Conflict, CrossSite, EntityTag, IfMatch, JsonBody, Malformed,
    NotFound, PathParameter, PreconditionFailed, Problem, ProblemType, QueryParameters, TooLarge,
    Unavailable, Unprocessable, UnsupportedMediaType,
};
use application::notification::{
    ChannelName, MAX_WEBHOOKS, NoSecretsKey, Webhook, WebhookCall, WebhookId, WebhookSecrets,
    WebhookSender, Webhooks,
};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use runtime::{clock, one_line};
use tokio::time::timeout;

use super::Api;
use super::notification_json::{NotificationPageJson, PageQuery, StateJson};
use super::webhook_json::{
    PingJson, WebhookBody, WebhookJson, WebhookPageJson, WebhookWithSecretJson,
};

/// How long a test call may take. Shorter than other calls, because a client waits for the result.
const PING_TIMEOUT: Duration = Duration::from_secs(8);

/// How often a change is tried again when others change the webhook at the same time.
const MAX_TRIES: usize = 5;

/// Create a webhook
///
/// The answer contains the secret, which is not shown again. Calls are signed with it: see
/// [Standard Webhooks](https://www.standardwebhooks.com). The webhook is called for events that happen
/// from now on. There can be 200 webhooks.
#[utoipa::path(
    post,
    path = "/api/webhooks",
    tag = "webhooks",
    request_body = WebhookBody,
    responses(
        (status = 201, description = "The webhook and its secret", body = WebhookWithSecretJson,
         headers(("Location" = String, description = "The path of the webhook"))),
        Malformed,
        CrossSite,
        BodyTimeout,
        Conflict,
        TooLarge,
        UnsupportedMediaType,
        Unprocessable,
        Unavailable,
    ),
)]
pub(super) async fn create_webhook(
    State(api): State<Api>,
    JsonBody(body): JsonBody<WebhookBody>,
) -> Result<Response, Problem> {
    let settings = body.settings(&api.outgoing.policy)?;
    api.tables.ready()?;
    let (secret, sealed) = api.outgoing.secrets.generate().map_err(no_key)?;
    let stamp = clock::event_stamp();
    let id = WebhookId::new(stamp.event_id.get());
    let webhook = Webhook::new(id, settings, sealed, stamp.at);
    if !api.notifications.add(&webhook).await? {
        let detail = format!("there are {MAX_WEBHOOKS} webhooks; delete one that is not needed");
        return Err(Problem::new(ProblemType::Conflict, detail));
    }
    let location = format!("/api/webhooks/{id}");
    let body = WebhookWithSecretJson { webhook: webhook.into(), secret };
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(body)).into_response())
}

/// List webhooks
#[utoipa::path(
    get,
    path = "/api/webhooks",
    tag = "webhooks",
    params(
        ("cursor" = Option<Uuid>, Query, description = "The `nextCursor` of the previous page"),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 100,
         description = "Maximum number of webhooks on the page; default 20"),
    ),
    responses(
        (status = 200, description = "A page of webhooks", body = WebhookPageJson),
        BadRequest,
        Unavailable,
    ),
)]
pub(super) async fn list_webhooks(
    State(api): State<Api>,
    mut query: QueryParameters,
) -> Result<Json<WebhookPageJson>, Problem> {
    let after = query.take("cursor");
    let limit = query.take("limit").unwrap_or_default();
    query.finish()?;
    api.tables.ready()?;
    Ok(Json(Webhooks::list(&api.notifications, after, limit).await?.into()))
}

/// Get a webhook
#[utoipa::path(
    get,
    path = "/api/webhooks/{id}",
    tag = "webhooks",
    params(("id" = Uuid, Path, description = "The id of the webhook")),
    responses(
        (status = 200, description = "The webhook", body = WebhookJson,
         headers(("ETag" = String, description = "The version of the webhook"))),
        BadRequest,
        NotFound,
        Unavailable,
    ),
)]
pub(super) async fn get_webhook(
    State(api): State<Api>,
    PathParameter(id): PathParameter<WebhookId>,
) -> Result<Response, Problem> {
    Ok(shown(api.webhook(id).await?))
}

/// Change a webhook
///
/// With `If-Match`, only this version is changed. Calls that are pending go to the new address.
#[utoipa::path(
    put,
    path = "/api/webhooks/{id}",
    tag = "webhooks",
    params(
        ("id" = Uuid, Path, description = "The id of the webhook"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the webhook, or `*`",
         pattern = r#"^(\*|(,[\t ,]*)?(W/)?"[!#-~]*"([\t ]*,[\t ,]*(W/)?"[!#-~]*")*([\t ]*,)*)$"#),
    ),
    request_body = WebhookBody,
    responses(
        (status = 200, description = "The changed webhook", body = WebhookJson,
         headers(("ETag" = String, description = "The version of the webhook"))),
        Malformed,
        CrossSite,
        NotFound,
        BodyTimeout,
        Conflict,
        PreconditionFailed,
        TooLarge,
        UnsupportedMediaType,
        Unprocessable,
        Unavailable,
    ),
)]
pub(super) async fn change_webhook(
    State(api): State<Api>,
    PathParameter(id): PathParameter<WebhookId>,
    if_match: IfMatch,
    JsonBody(body): JsonBody<WebhookBody>,
) -> Result<Response, Problem> {
    let settings = body.settings(&api.outgoing.policy)?;
    let webhook = api
        .change(id, |webhook| {
            if if_match.versions().is_some_and(|versions| !versions.contains(&webhook.version)) {
                let detail = format!("the webhook is at version {}", webhook.version);
                return Err(Problem::new(ProblemType::PreconditionFailed, detail));
            }
            webhook.change(settings.clone());
            Ok(())
        })
        .await?;
    Ok(shown(webhook))
}

/// Delete a webhook
///
/// Also deletes its notifications. If these are more than 10,000, some are deleted within two hours.
#[utoipa::path(
    delete,
    path = "/api/webhooks/{id}",
    tag = "webhooks",
    params(("id" = Uuid, Path, description = "The id of the webhook")),
    responses(
        (status = 204, description = "The webhook is deleted"),
        BadRequest,
        CrossSite,
        NotFound,
        Unavailable,
    ),
)]
pub(super) async fn delete_webhook(
    State(api): State<Api>,
    PathParameter(id): PathParameter<WebhookId>,
) -> Result<StatusCode, Problem> {
    api.tables.ready()?;
    if api.notifications.delete(id).await? { Ok(StatusCode::NO_CONTENT) } else { Err(unknown(id)) }
}

/// Change the secret of a webhook
///
/// The answer contains the new secret, which is not shown again. The previous one also signs calls for 24
/// hours, so that the receiver can change it at any time until then.
#[utoipa::path(
    post,
    path = "/api/webhooks/{id}/rotate-secret",
    tag = "webhooks",
    params(("id" = Uuid, Path, description = "The id of the webhook")),
    responses(
        (status = 200, description = "The webhook and its new secret", body = WebhookWithSecretJson),
        BadRequest,
        CrossSite,
        NotFound,
        Conflict,
        Unavailable,
    ),
)]
pub(super) async fn rotate_secret(
    State(api): State<Api>,
    PathParameter(id): PathParameter<WebhookId>,
) -> Result<Json<WebhookWithSecretJson>, Problem> {
    let (secret, sealed) = api.outgoing.secrets.generate().map_err(no_key)?;
    let now = clock::now();
    let webhook = api
        .change(id, |webhook| {
            webhook.rotate(sealed.clone(), now);
            Ok(())
        })
        .await?;
    Ok(Json(WebhookWithSecretJson { webhook: webhook.into(), secret }))
}

/// Enable a webhook
///
/// It is called for events that happen from now on. Calls that were suppressed can be retried.
#[utoipa::path(
    post,
    path = "/api/webhooks/{id}/enable",
    tag = "webhooks",
    params(("id" = Uuid, Path, description = "The id of the webhook")),
    responses(
        (status = 200, description = "The enabled webhook", body = WebhookJson,
         headers(("ETag" = String, description = "The version of the webhook"))),
        BadRequest,
        CrossSite,
        NotFound,
        Conflict,
        Unavailable,
    ),
)]
pub(super) async fn enable_webhook(
    State(api): State<Api>,
    PathParameter(id): PathParameter<WebhookId>,
) -> Result<Response, Problem> {
    let webhook = api.change(id, |webhook| {
        webhook.enable();
        Ok(())
    });
    Ok(shown(webhook.await?))
}

/// Call a webhook to test it
///
/// Sends an event of type `ping` at once, also to a disabled webhook, and shows the answer.
#[utoipa::path(
    post,
    path = "/api/webhooks/{id}/ping",
    tag = "webhooks",
    params(("id" = Uuid, Path, description = "The id of the webhook")),
    responses(
        (status = 200, description = "The result of the call", body = PingJson),
        BadRequest,
        CrossSite,
        NotFound,
        Unavailable,
    ),
)]
pub(super) async fn ping_webhook(
    State(api): State<Api>,
    PathParameter(id): PathParameter<WebhookId>,
) -> Result<Json<PingJson>, Problem> {
    let webhook = api.webhook(id).await?;
    let stamp = clock::event_stamp();
    let call = WebhookCall {
        id: stamp.event_id.to_string(),
        at: stamp.at,
        secrets: webhook.secrets(stamp.at),
        url: webhook.settings.url,
        body: format!(r#"{{"type":"ping","timestamp":"{}","data":{{}}}}"#, stamp.at),
    };
    let (accepted, answer) = match timeout(PING_TIMEOUT, api.outgoing.sender.send(&call)).await {
        Ok(Ok(answer)) => (true, answer.0),
        Ok(Err(error)) => (false, one_line(&error)),
        Err(_) => (false, format!("no answer within {} s", PING_TIMEOUT.as_secs())),
    };
    let duration = (clock::now().get() - stamp.at.get()).num_milliseconds();
    Ok(Json(PingJson { accepted, duration_ms: duration.unsigned_abs(), answer }))
}

/// List the notifications for a webhook, oldest first
#[utoipa::path(
    get,
    path = "/api/webhooks/{id}/deliveries",
    tag = "webhooks",
    params(
        ("id" = Uuid, Path, description = "The id of the webhook"),
        ("state" = Option<StateJson>, Query, description = "Only notifications in this state"),
        ("cursor" = Option<String>, Query, pattern = "^(0|-?[1-9][0-9]{0,17})$",
         description = "The `nextCursor` of the previous page"),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 100,
         description = "Maximum number of notifications on the page; default 20"),
    ),
    responses(
        (status = 200, description = "A page of notifications", body = NotificationPageJson),
        BadRequest,
        NotFound,
        Unavailable,
    ),
)]
pub(super) async fn list_deliveries(
    State(api): State<Api>,
    PathParameter(id): PathParameter<WebhookId>,
    mut query: QueryParameters,
) -> Result<Json<NotificationPageJson>, Problem> {
    let mut page = PageQuery::take(&mut query);
    query.finish()?;
    api.webhook(id).await?;
    page.filter.channel = Some(ChannelName::Webhook);
    page.filter.destination = Some(id.to_string());
    api.page(&page).await
}

impl Api {
    async fn webhook(&self, id: WebhookId) -> Result<Webhook, Problem> {
        self.tables.ready()?;
        Webhooks::find(&self.notifications, id).await?.ok_or_else(|| unknown(id))
    }

    /// Changes a webhook, again if others change it at the same time. Returns it as it is stored.
    async fn change(
        &self,
        id: WebhookId,
        change: impl Fn(&mut Webhook) -> Result<(), Problem>,
    ) -> Result<Webhook, Problem> {
        for _ in 0..MAX_TRIES {
            let mut webhook = self.webhook(id).await?;
            change(&mut webhook)?;
            if let Some(version) = self.notifications.save(&webhook).await? {
                return Ok(Webhook { version, ..webhook });
            }
        }
        Err(Problem::new(ProblemType::Conflict, "other requests are changing the webhook"))
    }
}

fn shown(webhook: Webhook) -> Response {
    let tag = EntityTag(webhook.version).to_string();
    ([(header::ETAG, tag)], Json(WebhookJson::from(webhook))).into_response()
}

fn unknown(id: WebhookId) -> Problem {
    Problem::new(ProblemType::NotFound, format!("there is no webhook {id}"))
}

fn no_key(error: NoSecretsKey) -> Problem {
    Problem::new(ProblemType::Unavailable, error.to_string())
}
