//! The routes of dead letters, over stores in memory.

use std::future::ready;
use std::io;

use application::StoreError;
use application::dead_letters::{ConsumeAgain, PublishAgain};
use application::pharmacy::ReceiveOrders;
use application::published::{Content, RawRecord, Unreadable};
use application::testing::{DeadLetterFixture, InMemoryOrdering, InMemoryPharmacy, sample};

use super::*;
use crate::dead_letter_routes;

/// A consumer's dead letters of the orders 1 to 3. Only the record of order 2 can be read by now; the
/// registry cannot be reached for that of order 9.
async fn consumer() -> Router {
    let store = InMemoryPharmacy::default();
    for (n, version) in [(1, 1), (2, 1), (3, 2)] {
        store.add_dead_letter(n, version, &format!("reason {n}")).await;
    }
    router(&store)
}

fn router(store: &InMemoryPharmacy) -> Router {
    let decode = |record: RawRecord| {
        ready(match record.offset {
            21 => Ok(Content::Event(sample::created(2))),
            91 => Err(io::Error::other("the registry at 10.0.0.1 is down")),
            _ => Ok(Content::Unreadable(Unreadable("still no Avro".to_owned()))),
        })
    };
    let how =
        ConsumeAgain { decode, inbox: ReceiveOrders { orders: store.clone(), now: sample::now } };
    let routes = dead_letter_routes(store.dead_letter_port(), how, || Ok(()));
    site(routes, Vec::new(), MAX_IN_FLIGHT).unwrap()
}

async fn list(program: &Router, query: &str) -> Answer {
    let request = Request::get(format!("/api/dead-letters{query}"));
    ask_of(program.clone(), request.body(Body::empty()).unwrap()).await
}

async fn act(program: &Router, act: &str, body: Value) -> Answer {
    let request = Request::post(format!("/api/dead-letters/{act}")).header("content-type", JSON);
    ask_of(program.clone(), request.body(body.to_string().into()).unwrap()).await
}

/// The ids on a page.
fn ids(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let page = answer.json();
    page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect()
}

#[tokio::test]
async fn a_record_is_listed_with_its_place_headers_and_reason_and_without_its_value() {
    let page = list(&consumer().await, "?limit=1").await.json();
    assert_eq!(page["nextCursor"], "1");
    let expected = json!({
        "id": 1,
        "state": "open",
        "reason": "reason 1",
        "eventType": "OrderCreated",
        "keptAt": "2026-01-01T00:00:01.000000Z",
        "settledAt": null,
        "record": {
            "topic": "order-created-topic",
            "partition": 3,
            "offset": 11,
            "madeAt": "2026-01-01T00:00:00.011000Z",
            "key": sample::order_id(1).to_string(),
            "valueBytes": 3,
            "headers": [
                {"name": "ce_type", "value": "orders.OrderCreated"},
                {"name": "bytes", "value": "\u{fffd}\0"},
                {"name": "bytes", "value": null},
            ],
        },
    });
    assert_eq!(page["items"], json!([expected]));
}

#[tokio::test]
async fn pages_show_every_dead_letter_once() {
    let program = consumer().await;
    let first = list(&program, "?limit=2").await;
    assert_eq!(ids(&first), [1, 2]);
    let cursor = first.json()["nextCursor"].as_str().unwrap().to_owned();
    let second = list(&program, &format!("?limit=2&cursor={cursor}")).await;
    assert_eq!(ids(&second), [3]);
    assert_eq!(second.json()["nextCursor"], Value::Null);
}

#[tokio::test]
async fn the_list_is_filtered_by_state_reason_and_event_type() {
    let program = consumer().await;
    act(&program, "discard", json!({"ids": [1]})).await;
    for (query, expected) in [
        ("", &[2, 3][..]),
        ("?state=discarded", &[1]),
        ("?state=retried", &[]),
        ("?reason=reason%202", &[2]),
        ("?eventType=OrderCancelled", &[3]),
        ("?eventType=OrderCancelled&reason=reason%202", &[]),
    ] {
        assert_eq!(ids(&list(&program, query).await), expected, "{query}");
    }
}

#[tokio::test]
async fn a_wrong_parameter_of_the_list_is_named() {
    let program = consumer().await;
    for (query, name) in [
        ("?state=closed", "state"),
        ("?limit=0", "limit"),
        ("?cursor=yesterday", "cursor"),
        ("?cursor=%2B1", "cursor"),
        ("?cursor=0", "cursor"),
        ("?reason=", "reason"),
        ("?eventType=", "eventType"),
        ("?status=open", "status"),
    ] {
        let problem = list(&program, query).await.problem(400, "invalid-parameter");
        assert_eq!(problem["errors"][0]["parameter"], name, "{query}");
    }
}

#[tokio::test]
async fn a_retry_says_what_became_of_each() {
    let program = consumer().await;
    let answer = act(&program, "retry", json!({"all": true})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let still_dead = |id| json!({"id": id, "outcome": "stillDead", "reason": "still no Avro"});
    let retried = json!({"id": 2, "outcome": "retried"});
    let results = json!([still_dead(1), retried, still_dead(3)]);
    assert_eq!(answer.json(), json!({"results": results, "more": false}));
    assert_eq!(ids(&list(&program, "?state=retried").await), [2]);
    let open = list(&program, "").await;
    assert_eq!(ids(&open), [1, 3]);
    assert_eq!(open.json()["items"][0]["reason"], "still no Avro");
}

#[tokio::test]
async fn ids_that_are_not_open_are_named() {
    let program = consumer().await;
    let answer = act(&program, "discard", json!({"ids": [3, 1.0, 77, 1]})).await;
    let results = json!([
        {"id": 3, "outcome": "discarded"},
        {"id": 1, "outcome": "discarded"},
        {"id": 77, "outcome": "notOpen"},
        {"id": 1, "outcome": "notOpen"},
    ]);
    assert_eq!(answer.json(), json!({"results": results, "more": false}));
    let discarded = list(&program, "?state=discarded").await.json();
    assert_eq!(discarded["items"][0]["settledAt"], "2026-01-01T00:00:04.000000Z");
}

#[tokio::test]
async fn a_body_that_selects_nothing_or_too_much_breaks_a_rule_and_nothing_is_done() {
    let program = consumer().await;
    for (body, pointer) in [
        (json!({}), "#"),
        (json!({"all": false}), "#"),
        (json!({"ids": []}), "#/ids"),
        (json!({"ids": null, "all": true}), "#/ids"),
        (json!({"reason": null}), "#/reason"),
        (json!({"all": "true"}), "#/all"),
        (json!({"ids": [1], "all": true}), "#"),
        (json!({"all": true, "reason": "reason"}), "#"),
        (json!({"ids": [1], "eventType": "OrderCreated"}), "#"),
        (json!({"reason": ""}), "#/reason"),
        (json!({"eventType": ""}), "#/eventType"),
        (json!({"ids": [1, "2"]}), "#/ids/1"),
        (json!({"ids": [1, 0]}), "#/ids/1"),
        (json!({"ids": [1, 1.5]}), "#/ids/1"),
        (json!({"ids": [true]}), "#/ids/0"),
        (json!({"ids": 1}), "#/ids"),
        (json!({"everything": true}), "#"),
    ] {
        for name in ["retry", "discard"] {
            let answer = act(&program, name, body.clone()).await;
            let problem = answer.problem(422, "invalid-body");
            let at = problem["errors"][0]["pointer"].as_str().unwrap();
            assert!(at.starts_with(pointer), "{body}: {problem}");
        }
    }
    assert_eq!(ids(&list(&program, "").await), [1, 2, 3]);
}

#[tokio::test]
async fn an_outage_of_the_registry_is_answered_with_try_again_and_what_was_done_stays_done() {
    let store = InMemoryPharmacy::default();
    for n in [2, 9] {
        store.add_dead_letter(n, 1, "schema 7 is unknown").await;
    }
    let program = router(&store);
    let answer = act(&program, "retry", json!({"all": true})).await;
    answer.problem(503, "unavailable");
    assert!(!answer.body.contains("10.0.0.1"), "{}", answer.body);
    assert_eq!(ids(&list(&program, "?state=retried").await), [1]);
    assert_eq!(ids(&list(&program, "").await), [2]);
}

#[tokio::test]
async fn one_request_treats_some_500_and_says_that_there_are_more() {
    let store = InMemoryPharmacy::default();
    for n in 1..=600 {
        store.add_dead_letter(n, 1, "no").await;
    }
    let program = router(&store);
    let mut treated = Vec::new();
    for more in [true, false] {
        let report = act(&program, "discard", json!({"reason": "no"})).await.json();
        assert_eq!(report["more"], more);
        treated.push(report["results"].as_array().unwrap().len());
    }
    assert_eq!(treated, [500, 100]);
}

#[tokio::test]
async fn a_refused_event_is_listed_with_its_aggregate_and_is_due_again_after_a_retry() {
    let store = InMemoryOrdering::default();
    let event = store.add_dead_letter(1, 2, "too large").await.to_string();
    let routes = dead_letter_routes(store.clone(), PublishAgain, || Ok(()));
    let program = site(routes, Vec::new(), MAX_IN_FLIGHT).unwrap();

    let listed = list(&program, "").await;
    assert_eq!(ids(&listed), [event.as_str()]);
    let item = &listed.json()["items"][0];
    assert_eq!(item["eventType"], "OrderCancelled");
    let order = sample::order_id(1).to_string();
    assert_eq!(item["event"], json!({"aggregateId": order, "aggregateVersion": 2}));
    assert_eq!(item["record"], Value::Null);

    let report = act(&program, "retry", json!({"eventType": "OrderCancelled"})).await.json();
    assert_eq!(report["results"], json!([{"id": event, "outcome": "retried"}]));
    assert_eq!(store.unprocessed(), 1);
    assert_eq!(ids(&list(&program, "?state=retried").await), [event]);
}

#[tokio::test]
async fn until_the_store_can_be_used_the_answer_is_try_again_later() {
    let store = InMemoryOrdering::default();
    let event = store.add_dead_letter(1, 1, "too large").await.to_string();
    let not_yet = || Err(StoreError::Unavailable("the tables are not there".into()));
    let routes = dead_letter_routes(store.clone(), PublishAgain, not_yet);
    let program = site(routes, Vec::new(), MAX_IN_FLIGHT).unwrap();
    list(&program, "").await.problem(503, "unavailable");
    for name in ["retry", "discard"] {
        act(&program, name, json!({"ids": [event]})).await.problem(503, "unavailable");
    }
    assert_eq!(store.unprocessed(), 0);
}

#[tokio::test]
async fn a_page_of_another_site_cannot_discard_anything() {
    let program = consumer().await;
    let request = Request::post("/api/dead-letters/discard")
        .header("content-type", JSON)
        .header("sec-fetch-site", "cross-site")
        .body(json!({"all": true}).to_string().into())
        .unwrap();
    ask_of(program.clone(), request).await.problem(403, "cross-site");
    assert_eq!(ids(&list(&program, "").await).len(), 3);
}

#[tokio::test]
async fn the_document_says_what_the_ids_of_this_kind_are() {
    let store = InMemoryOrdering::default();
    let routes = dead_letter_routes(store, PublishAgain, || Ok(()));
    let events = site(routes, Vec::new(), MAX_IN_FLIGHT).unwrap();
    for (program, kind, cursor) in
        [(consumer().await, "integer", "^[1-9]"), (events, "string", "^[0-9a-f]{8}-")]
    {
        let request = Request::get("/openapi.json").body(Body::empty()).unwrap();
        let document = ask_of(program, request).await.json();
        assert_eq!(document["components"]["schemas"]["DeadLetterId"]["type"], kind);
        let parameters = document["paths"]["/api/dead-letters"]["get"]["parameters"].clone();
        let pattern = parameters[0]["schema"]["pattern"].as_str().unwrap();
        assert!(parameters[0]["name"] == "cursor" && pattern.starts_with(cursor), "{parameters}");
    }
}
