use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use crate::mailbox::Mailbox;
use crate::{Mail, SmtpSink};

/// Nothing is loaded or executed. The HTML of a mail is in a sandboxed frame and inherits this policy.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; \
     frame-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Web pages that show the received mails: `/` lists them, `/mails/{number}` shows one, and
/// `/api/mails` returns them as JSON, with `?to=` those of one recipient. Newest first.
///
/// The pages have relative links, so that they can be served below any path that ends with a slash.
pub fn inbox_routes(sink: &SmtpSink) -> Router {
    Router::new()
        .route("/", get(list))
        .route("/mails/{number}", get(one))
        .route("/api/mails", get(api))
        .layer(from_fn(protected))
        .with_state(sink.mailbox())
}

#[derive(Template)]
#[template(path = "list.html")]
struct ListPage {
    mails: Vec<Arc<Mail>>,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct MailPage {
    mail: Arc<Mail>,
    text: Option<String>,
    html: Option<String>,
}

/// A mail in the JSON API.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MailJson {
    number: u64,
    received_at: String,
    from: String,
    to: Vec<String>,
    subject: String,
    headers: Vec<(String, String)>,
    text: Option<String>,
    html: Option<String>,
    accepted: bool,
    answer: String,
}

#[derive(Deserialize)]
struct Filter {
    to: Option<String>,
}

async fn list(State(mailbox): State<Arc<Mailbox>>) -> Response {
    page(&ListPage { mails: newest_first(&mailbox) })
}

async fn one(State(mailbox): State<Arc<Mailbox>>, Path(number): Path<u64>) -> Response {
    match mailbox.get(number) {
        None => (StatusCode::NOT_FOUND, "There is no mail with this number.").into_response(),
        Some(mail) => page(&MailPage { text: mail.text(), html: mail.html(), mail }),
    }
}

async fn api(
    State(mailbox): State<Arc<Mailbox>>,
    Query(filter): Query<Filter>,
) -> Json<Vec<MailJson>> {
    let wanted = |mail: &Arc<Mail>| match &filter.to {
        None => true,
        Some(address) => mail.to.iter().any(|to| to.eq_ignore_ascii_case(address)),
    };
    Json(newest_first(&mailbox).iter().filter(|mail| wanted(mail)).map(json).collect())
}

fn newest_first(mailbox: &Mailbox) -> Vec<Arc<Mail>> {
    let mut mails = mailbox.all();
    mails.reverse();
    mails
}

fn json(mail: &Arc<Mail>) -> MailJson {
    MailJson {
        number: mail.number,
        received_at: mail.received_at.to_string(),
        from: mail.from.clone(),
        to: mail.to.clone(),
        subject: mail.subject(),
        headers: mail.headers(),
        text: mail.text(),
        html: mail.html(),
        accepted: mail.accepted,
        answer: mail.answer.clone(),
    }
}

fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(page) => Html(page).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn protected(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
