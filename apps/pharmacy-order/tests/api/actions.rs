//! The actions of pharmacists.

use std::collections::HashMap;

use adapter_outbox::PgOutbox;
use application::relay::{Claim, Outbox as _};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use domain::OrderId;
use runtime::clock;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{Pharmacy, cancelled, created};

const OUT_OF_STOCK: &str = r#"{"code": "out_of_stock", "text": "Next week"}"#;

/// How often two pharmacists act at the same time.
const RACES: usize = 1_000;

impl Pharmacy {
    /// Posts the action, with this `If-Match` if there is one.
    async fn act(
        &self,
        id: OrderId,
        action: &str,
        if_match: Option<&str>,
    ) -> (StatusCode, HeaderMap, Value) {
        let body = if action == "reject" { OUT_OF_STOCK } else { "" };
        self.act_with(id, action, if_match, body).await
    }

    async fn act_with(
        &self,
        id: OrderId,
        action: &str,
        if_match: Option<&str>,
        body: &'static str,
    ) -> (StatusCode, HeaderMap, Value) {
        let mut request = Request::post(format!("/api/pharmacy/orders/{id}/{action}"))
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(tag) = if_match {
            request = request.header(header::IF_MATCH, tag);
        }
        let request = request.body(Body::from(body)).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        (parts.status, parts.headers, serde_json::from_slice(&body).unwrap())
    }

    /// A new order of which the pharmacy has received the creation.
    async fn draft(&self) -> OrderId {
        let id = clock::new_order_id();
        self.receive(&[created(id)]).await;
        id
    }

    /// The types of the events in the outbox, by order.
    async fn outbox(&self) -> HashMap<OrderId, Vec<String>> {
        let outbox = PgOutbox::new(&self.database, 16);
        let mut claims = Vec::new();
        while let Some(claim) = outbox.claim(10_000).await.unwrap() {
            claims.push(claim);
        }
        let mut types: HashMap<OrderId, Vec<String>> = HashMap::new();
        for record in claims.iter().flat_map(Claim::records) {
            let id = OrderId::new(record.aggregate_id);
            types.entry(id).or_default().push(record.event_type.clone());
        }
        types
    }
}

#[tokio::test]
async fn a_pharmacist_works_on_an_order_until_it_is_dispensed() {
    let pharmacy = Pharmacy::new().await;
    let id = pharmacy.draft().await;
    let steps = [
        ("confirm", "confirmed", json!(["start", "reject"])),
        ("start", "in_preparation", json!(["ready", "reject"])),
        ("ready", "ready", json!(["dispense"])),
        ("dispense", "dispensed", json!([])),
    ];
    let mut tag = "\"0\"".to_owned();
    for (number, (action, status, allowed)) in (1..).zip(steps) {
        let (answer, headers, order) = pharmacy.act(id, action, Some(&tag)).await;
        assert_eq!(answer, StatusCode::OK, "{order}");
        assert_eq!((&order["status"], &order["allowedActions"]), (&json!(status), &allowed));
        assert_eq!(order["pharmacyVersion"], number);
        assert_eq!(order["history"].as_array().unwrap().len(), number);
        assert_eq!(order["history"][number - 1]["status"], status);
        tag = headers[header::ETAG].to_str().unwrap().to_owned();
        assert_eq!(tag, format!("\"{number}\""));
    }
    let expected = [
        "PharmacyOrderConfirmed",
        "PharmacyOrderPreparationStarted",
        "PharmacyOrderReady",
        "PharmacyOrderDispensed",
    ];
    assert_eq!(pharmacy.outbox().await[&id], expected);
}

#[tokio::test]
async fn a_rejected_order_shows_why() {
    let pharmacy = Pharmacy::new().await;
    let id = pharmacy.draft().await;
    let (status, _, order) = pharmacy.act(id, "reject", Some("*")).await;
    assert_eq!(status, StatusCode::OK, "{order}");
    assert_eq!(order["status"], "rejected");
    assert_eq!(order["rejection"], json!({"code": "out_of_stock", "text": "Next week"}));
    assert_eq!(pharmacy.outbox().await[&id], ["PharmacyOrderRejected"]);
}

#[tokio::test]
async fn an_action_that_cannot_be_done_is_a_problem() {
    let pharmacy = Pharmacy::new().await;
    let (draft, empty, unknown) =
        (pharmacy.draft().await, clock::new_order_id(), clock::new_order_id());
    pharmacy.receive(&[cancelled(empty)]).await;
    let table = [
        (
            draft,
            "confirm",
            None,
            428,
            "precondition-required",
            "send the ETag of the resource in If-Match",
        ),
        (
            draft,
            "confirm",
            Some("\"1\""),
            412,
            "precondition-failed",
            "the work on the order is at version 0",
        ),
        (
            draft,
            "confirm",
            Some("W/\"0\""),
            412,
            "precondition-failed",
            "the work on the order is at version 0",
        ),
        (draft, "confirm", Some("0"), 400, "invalid-parameter", ""),
        (
            draft,
            "dispense",
            Some("\"0\""),
            409,
            "illegal-transition",
            "the order is draft; allowed actions: confirm, reject",
        ),
        (
            draft,
            "start",
            Some("*"),
            409,
            "illegal-transition",
            "the order is draft; allowed actions: confirm, reject",
        ),
        (
            empty,
            "confirm",
            Some("*"),
            409,
            "conflict",
            "the contents of the order have not been received yet",
        ),
        (unknown, "confirm", Some("*"), 404, "not-found", ""),
        (draft, "eat", Some("*"), 404, "not-found", ""),
    ];
    for (id, action, if_match, expected, kind, detail) in table {
        let (status, _, problem) = pharmacy.act(id, action, if_match).await;
        assert_eq!(status.as_u16(), expected, "{action} {if_match:?}: {problem}");
        assert_eq!(problem["type"], format!("/problems/{kind}"));
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
    }
    assert!(!pharmacy.outbox().await.contains_key(&draft));
}

#[tokio::test]
async fn a_rejection_names_each_error_of_its_body() {
    let pharmacy = Pharmacy::new().await;
    let id = pharmacy.draft().await;
    for (body, status, pointers) in [
        (r#"{"code": "no", "text": " "}"#, 422, &["#/code", "#/text"][..]),
        (r#"{"code": "other"}"#, 422, &["#/text"]),
        (r#"{"code": "other", "text": "x", "why": 1}"#, 422, &["#/why"]),
        ("", 400, &[]),
    ] {
        let (answer, _, problem) = pharmacy.act_with(id, "reject", Some("*"), body).await;
        assert_eq!(answer.as_u16(), status, "{body}: {problem}");
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        let found: Vec<_> = errors.iter().map(|it| it["pointer"].as_str().unwrap()).collect();
        assert_eq!(found, pointers, "{problem}");
    }
}

#[tokio::test]
async fn the_worklist_shows_what_is_not_done() {
    let pharmacy = Pharmacy::new().await;
    let (first, second) = (pharmacy.draft().await, pharmacy.draft().await);
    pharmacy.draft().await;
    pharmacy.act(first, "confirm", Some("*")).await;
    pharmacy.act(second, "reject", Some("*")).await;
    let (_, mut worklist) = pharmacy.get("/api/pharmacy/worklist").await;
    for entry in &mut worklist["items"].as_array_mut().unwrap()[..2] {
        assert!(entry["oldestSeconds"].take().as_f64().unwrap() >= 0.0);
    }
    let entry = |status, orders| json!({"status": status, "orders": orders, "oldestSeconds": null});
    let expected =
        [entry("draft", 1), entry("confirmed", 1), entry("in_preparation", 0), entry("ready", 0)];
    assert_eq!(worklist["items"], json!(expected));
}

#[tokio::test]
async fn of_two_pharmacists_who_act_at_once_exactly_one_succeeds() {
    let pharmacy = Pharmacy::new().await;
    for _ in 0..RACES {
        let id = pharmacy.draft().await;
        let tag = Some("\"0\"");
        let ((first, _, order), (second, _, other)) =
            tokio::join!(pharmacy.act(id, "confirm", tag), pharmacy.act(id, "reject", tag));
        let ((StatusCode::OK, refused) | (refused, StatusCode::OK)) = (first, second) else {
            panic!("{first} {order}, {second} {other}");
        };
        let lost = [StatusCode::PRECONDITION_FAILED, StatusCode::CONFLICT];
        assert!(lost.contains(&refused), "{order} {other}");
    }
    let outbox = pharmacy.outbox().await;
    assert_eq!(outbox.len(), RACES);
    assert!(outbox.values().all(|types| types.len() == 1));
}

#[tokio::test]
async fn an_order_is_never_cancelled_and_dispensed() {
    let pharmacy = Pharmacy::new().await;
    let (mut dispensed, mut cancelled_orders) = (0, 0);
    for _ in 0..100 {
        let id = pharmacy.draft().await;
        for action in ["confirm", "start", "ready"] {
            pharmacy.act(id, action, Some("*")).await;
        }
        let cancellation = [cancelled(id)];
        tokio::join!(pharmacy.act(id, "dispense", Some("*")), pharmacy.receive(&cancellation));
    }
    for types in pharmacy.outbox().await.values() {
        match &types[3..] {
            [only] if only == "PharmacyOrderCancelled" => cancelled_orders += 1,
            [first, second] => {
                assert_eq!(first, "PharmacyOrderDispensed");
                assert_eq!(second, "PharmacyOrderCancellationDeclined");
                dispensed += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(dispensed + cancelled_orders, 100);
}
