use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::Value;

use crate::client::Client;

#[tokio::test]
async fn an_order_that_the_client_has_cached_is_not_sent_again() {
    let client = Client::new().await;
    let order = client.placed().await;
    let path = format!("/api/orders/{}", order["orderId"].as_str().unwrap());
    let get_if_none_match = |if_none_match: &str| {
        let request = Request::get(&path).header("if-none-match", if_none_match);
        client.send(request.body(Body::empty()).unwrap())
    };
    for tags in ["\"1\"", "W/\"1\"", "\"0\", \"1\"", "*"] {
        let answer = get_if_none_match(tags).await;
        assert_eq!(answer.status, StatusCode::NOT_MODIFIED, "{tags}");
        assert_eq!(answer.header("etag"), Some("\"1\""));
        assert_eq!(answer.body, "");
    }
    client.post(&format!("{path}/cancel"), "").await;
    for tags in ["\"1\"", "nonsense"] {
        let answer = get_if_none_match(tags).await;
        assert_eq!(answer.status, StatusCode::OK, "{tags}");
        assert_eq!(answer.header("etag"), Some("\"2\""));
        assert_eq!(answer.json()["status"], "cancelled");
    }
}

/// Reads all pages. Runs `between` before each page except the first.
async fn walk(client: &Client, query: &str, between: impl AsyncFn()) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = client.get(&format!("/api/orders?{query}{cursor}")).await.json();
        let id = |order: &Value| order["orderId"].as_str().unwrap().to_owned();
        pages.push(page["items"].as_array().unwrap().iter().map(id).collect());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return pages,
        }
        assert!(pages.len() < 100, "the pages never end");
        between().await;
    }
}

#[tokio::test]
async fn pages_show_every_order_once_newest_first_while_new_orders_are_placed() {
    let client = Client::new().await;
    let mut placed = Vec::new();
    for _ in 0..7 {
        placed.push(client.placed().await["orderId"].as_str().unwrap().to_owned());
    }
    placed.reverse();
    let pages = walk(&client, "limit=3", async || {
        client.placed().await;
    });
    let pages = pages.await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
    assert_eq!(pages.concat(), placed);
}

#[tokio::test]
async fn a_last_page_that_is_full_has_no_next_one() {
    let client = Client::new().await;
    assert_eq!(walk(&client, "", async || {}).await, [Vec::<String>::new()]);
    for _ in 0..4 {
        client.placed().await;
    }
    let sizes = |pages: Vec<Vec<String>>| pages.iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(sizes(walk(&client, "limit=2", async || {}).await), [2, 2]);
    assert_eq!(sizes(walk(&client, "limit=4", async || {}).await), [4]);
    assert_eq!(sizes(walk(&client, "limit=100", async || {}).await), [4]);
}

#[tokio::test]
async fn pages_can_be_filtered_by_status() {
    let client = Client::new().await;
    let mut cancelled = Vec::new();
    let mut created = Vec::new();
    for number in 0..6 {
        let id = client.placed().await["orderId"].as_str().unwrap().to_owned();
        if number % 2 == 0 {
            client.post(&format!("/api/orders/{id}/cancel"), "").await;
            cancelled.insert(0, id);
        } else {
            created.insert(0, id);
        }
    }
    let pages = walk(&client, "limit=2&status=cancelled", async || {}).await;
    assert_eq!(pages.concat(), cancelled);
    let pages = walk(&client, "limit=2&status=created", async || {}).await;
    assert_eq!(pages.concat(), created);
}
