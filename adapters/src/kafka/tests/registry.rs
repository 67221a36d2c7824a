use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde_json::{Value, json};

/// Just enough of a schema registry, which can be told to misbehave.
#[derive(Debug, Clone, Default)]
pub(super) struct StubRegistry(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    schemas: Vec<Registered>,
    failing: Option<StatusCode>,
    questions: usize,
}

#[derive(Debug, Clone)]
struct Registered {
    subject: String,
    schema: String,
}

impl StubRegistry {
    /// Starts it; says where it is.
    pub(super) async fn start(&self) -> String {
        let app = Router::new()
            .route("/subjects/{subject}/versions", post(register))
            .route("/schemas/ids/{id}", get(by_id))
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        url
    }

    /// Answers every question with this status from now on, or as it should again.
    pub(super) fn fail_with(&self, status: Option<u16>) {
        self.0.lock().unwrap().failing = status.map(|s| StatusCode::from_u16(s).unwrap());
    }

    /// The subjects in the order of their ids, from 1 on.
    pub(super) fn subjects(&self) -> Vec<String> {
        self.0.lock().unwrap().schemas.iter().map(|s| s.subject.clone()).collect()
    }

    /// How often it was asked.
    pub(super) fn questions(&self) -> usize {
        self.0.lock().unwrap().questions
    }

    /// Registers a schema without being asked; says its id.
    pub(super) fn put(&self, subject: &str, schema: &str) -> u32 {
        let schemas = &mut self.0.lock().unwrap().schemas;
        let known = |s: &Registered| s.subject == subject && s.schema == schema;
        let place = schemas.iter().position(known).unwrap_or_else(|| {
            schemas.push(Registered { subject: subject.to_owned(), schema: schema.to_owned() });
            schemas.len() - 1
        });
        u32::try_from(place + 1).unwrap()
    }
}

type Answer = (StatusCode, String);

fn answer(status: StatusCode, body: &Value) -> Answer {
    (status, body.to_string())
}

fn failing(registry: &StubRegistry) -> Option<Answer> {
    let mut inner = registry.0.lock().unwrap();
    inner.questions += 1;
    let status = inner.failing?;
    let code = u32::from(status.as_u16()) * 100;
    Some(answer(status, &json!({ "error_code": code, "message": "told to fail" })))
}

async fn register(
    State(registry): State<StubRegistry>,
    Path(subject): Path<String>,
    body: Bytes,
) -> Answer {
    if let Some(failure) = failing(&registry) {
        return failure;
    }
    let body: Value = serde_json::from_slice(&body).unwrap();
    let id = registry.put(&subject, body["schema"].as_str().unwrap());
    answer(StatusCode::OK, &json!({ "id": id }))
}

async fn by_id(State(registry): State<StubRegistry>, Path(id): Path<usize>) -> Answer {
    if let Some(failure) = failing(&registry) {
        return failure;
    }
    let inner = registry.0.lock().unwrap();
    match id.checked_sub(1).and_then(|place| inner.schemas.get(place)) {
        Some(found) => answer(StatusCode::OK, &json!({ "schema": found.schema })),
        None => answer(
            StatusCode::NOT_FOUND,
            &json!({ "error_code": 40403, "message": "Schema not found" }),
        ),
    }
}
