use std::collections::HashSet;
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
    failing: Option<Answer>,
    hidden: HashSet<usize>,
    empty: bool,
    read_only: bool,
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
            .route("/subjects/{subject}", post(find))
            .route("/subjects/{subject}/versions", post(register))
            .route("/subjects/{subject}/versions/latest", get(latest))
            .route("/schemas/ids/{id}", get(by_id))
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        url
    }

    /// Answers every question with this status from now on, or as it should again.
    pub(super) fn fail_with(&self, status: Option<u16>) {
        let answer = |status| {
            let code = u32::from(status) * 100;
            let body = json!({ "error_code": code, "message": "told to fail" });
            answer(StatusCode::from_u16(status).unwrap(), &body)
        };
        self.0.lock().unwrap().failing = status.map(answer);
    }

    /// Does not know this id, or knows it again.
    pub(super) fn hide(&self, id: u32, hidden: bool) {
        let ids = &mut self.0.lock().unwrap().hidden;
        let id = usize::try_from(id).unwrap();
        if hidden {
            ids.insert(id)
        } else {
            ids.remove(&id)
        };
    }

    /// Knows nothing, as one that was set up anew, or all again.
    pub(super) fn forget(&self, empty: bool) {
        self.0.lock().unwrap().empty = empty;
    }

    /// Registers nothing, or does so again.
    pub(super) fn read_only(&self, read_only: bool) {
        self.0.lock().unwrap().read_only = read_only;
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

    /// Answers a question, unless it was told to fail.
    fn answer(&self, answer: impl FnOnce(&Inner) -> Answer) -> Answer {
        let mut inner = self.0.lock().unwrap();
        inner.questions += 1;
        if let Some(failure) = &inner.failing { failure.clone() } else { answer(&inner) }
    }
}

type Answer = (StatusCode, String);

fn answer(status: StatusCode, body: &Value) -> Answer {
    (status, body.to_string())
}

fn refusal(code: u16) -> Answer {
    let status = StatusCode::from_u16(code / 100).unwrap();
    answer(status, &json!({ "error_code": code, "message": "told to refuse" }))
}

/// The versions of a subject as places in all schemas.
fn versions(inner: &Inner, subject: &str) -> Vec<usize> {
    let all = inner.schemas.iter().enumerate().filter(|_| !inner.empty);
    all.filter(|(_, s)| s.subject == subject).map(|(place, _)| place).collect()
}

async fn register(
    State(registry): State<StubRegistry>,
    Path(subject): Path<String>,
    body: Bytes,
) -> Answer {
    let failing = registry.answer(|inner| {
        if inner.read_only { refusal(42205) } else { answer(StatusCode::OK, &Value::Null) }
    });
    if failing.0 != StatusCode::OK {
        return failing;
    }
    let body: Value = serde_json::from_slice(&body).unwrap();
    let id = registry.put(&subject, body["schema"].as_str().unwrap());
    answer(StatusCode::OK, &json!({ "id": id }))
}

async fn find(
    State(registry): State<StubRegistry>,
    Path(subject): Path<String>,
    body: Bytes,
) -> Answer {
    let body: Value = serde_json::from_slice(&body).unwrap();
    registry.answer(|inner| {
        let known = |place: &usize| inner.schemas[*place].schema == body["schema"];
        match versions(inner, &subject).into_iter().find(known) {
            Some(place) => answer(StatusCode::OK, &json!({ "id": place + 1, "version": 1 })),
            None => refusal(40403),
        }
    })
}

async fn latest(State(registry): State<StubRegistry>, Path(subject): Path<String>) -> Answer {
    registry.answer(|inner| match versions(inner, &subject).last() {
        Some(place) => answer(StatusCode::OK, &json!({ "id": place + 1, "version": 1 })),
        None => refusal(40401),
    })
}

async fn by_id(State(registry): State<StubRegistry>, Path(id): Path<usize>) -> Answer {
    registry.answer(|inner| {
        let known = !inner.empty && !inner.hidden.contains(&id);
        let place = id.checked_sub(1).filter(|_| known);
        match place.and_then(|place| inner.schemas.get(place)) {
            Some(found) => answer(StatusCode::OK, &json!({ "schema": found.schema })),
            None => refusal(40403),
        }
    })
}
