use adapter_ordering::{self as ordering, PgOrders};
use adapter_outbox::PgOutbox;
use adapter_postgres::{Database, MigrationGate};
use application::ordering::{PharmacyReport, follow_pharmacy};
use application::relay::{Claim as _, Outbox as _, OutboxRecord};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use domain::Outcome;
use domain::ordering::{PharmacyNews, Rejection, RejectionCode};
use embedded_postgres::testing::fresh_database;
use order_api::router;
use runtime::clock;
use runtime::config::MAX_IN_FLIGHT;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// A client of an order-api with its own database.
pub(crate) struct Client {
    pub(crate) router: Router,
    database: Database,
}

/// An answer of the API.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Client {
    pub(crate) async fn new() -> Self {
        Self::with_max_in_flight(MAX_IN_FLIGHT).await
    }

    /// A client of an order-api that handles at most this many requests at the same time.
    pub(crate) async fn with_max_in_flight(max_in_flight: u32) -> Self {
        let database =
            Database::new(&ordering::TABLES, &fresh_database().await.unwrap().args(), "test")
                .unwrap();
        let tables = MigrationGate::default();
        tables.prepare(&database).await.unwrap();
        Self { router: router(&database, &tables, max_in_flight).unwrap(), database }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        send(&self.router, request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Sends a JSON body.
    pub(crate) async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.send(post(path, body)).await
    }

    pub(crate) async fn place(&self, order: &Value) -> Answer {
        self.post("/api/orders", order.to_string()).await
    }

    /// Places an order and returns the answer.
    pub(crate) async fn placed(&self) -> Value {
        let answer = self.place(&an_order()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        answer.json()
    }

    /// The order as it is now.
    pub(crate) async fn order(&self, order: &Value) -> Value {
        self.get(&format!("/api/orders/{}", order["orderId"].as_str().unwrap())).await.json()
    }

    /// Lets the order follow what the pharmacy reports, which must change it.
    pub(crate) async fn follow(&self, order: &Value, news: PharmacyNews) {
        let orders = PgOrders::new(&self.database, adapter_avro::encode_event);
        let event_stamp = clock::event_stamp();
        let order_id = order["orderId"].as_str().unwrap().parse().unwrap();
        let report = PharmacyReport { event_id: clock::event_stamp().event_id, order_id, news };
        let outcome = follow_pharmacy(&orders, report, event_stamp).await.unwrap();
        assert_eq!(outcome, Outcome::Applied);
    }

    /// The events in the outbox.
    pub(crate) async fn events(&self) -> Vec<OutboxRecord> {
        let outbox = PgOutbox::new(&self.database, 16);
        let mut claims = Vec::new();
        while let Some(claim) = outbox.claim(1000).await.unwrap() {
            claims.push(claim);
        }
        claims.iter().flat_map(|claim| claim.records().to_vec()).collect()
    }

    /// Checks that neither an order nor an event is stored.
    pub(crate) async fn assert_nothing_stored(&self, after: &str) {
        let orders = self.get("/api/orders").await.json();
        assert_eq!(orders["items"], json!([]), "{after}");
        assert_eq!(self.events().await, [], "{after}");
    }
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn problem(&self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("/problems/{kind}"));
        problem
    }

    /// Checks that the answer is this problem. Returns this member of each error: the pointers,
    /// parameters or headers.
    #[track_caller]
    pub(crate) fn places(&self, status: u16, kind: &str, member: &str) -> Vec<String> {
        let problem = self.problem(status, kind);
        let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("{problem}"));
        errors.iter().map(|error| error[member].as_str().unwrap().to_owned()).collect()
    }
}

pub(crate) async fn send(router: &Router, request: Request<Body>) -> Answer {
    let (head, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: head.status,
        headers: head.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

pub(crate) fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::post(path).header("content-type", "application/json");
    request.body(body.into()).unwrap()
}

pub(crate) fn an_order() -> Value {
    json!({"customerName": "Ada Lovelace", "items": [{"productId": 7, "quantity": 2}]})
}

/// The pharmacy rejects an order.
pub(crate) fn rejected() -> PharmacyNews {
    let text = "we have none left".parse().unwrap();
    PharmacyNews::Rejected(Rejection { code: RejectionCode::OutOfStock, text })
}

/// An order with all optional members.
pub(crate) fn a_full_order() -> Value {
    let mut order = an_order();
    order["items"][0]["medication"] = json!({
        "system": "http://snomed.info/sct",
        "code": "387517004",
        "display": "Paracetamol",
    });
    order["customerId"] = json!("c-1815");
    order["note"] = json!("Please ring twice");
    order
}
