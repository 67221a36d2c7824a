use axum::body::Body;
use axum::http::{Request, StatusCode};
use domain::ordering::PharmacyNews;
use serde_json::{Value, json};

use crate::client::{Client, rejected};

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
        assert_eq!(answer.json()["status"], "cancellation_requested");
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
async fn an_order_shows_what_the_pharmacy_reports() {
    let client = Client::new().await;
    let order = client.placed().await;
    let history = |order: &Value| {
        let history = order["history"].as_array().unwrap().clone();
        history.iter().map(|c| c["status"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(order["history"], json!([{"status": "created", "at": order["createdAt"]}]));
    for (news, status) in [
        (PharmacyNews::Confirmed, "confirmed"),
        (PharmacyNews::Ready, "ready"),
        (PharmacyNews::Dispensed, "completed"),
    ] {
        client.follow(&order, news).await;
        assert_eq!(client.order(&order).await["status"], status);
    }
    let completed = client.order(&order).await;
    assert_eq!(history(&completed), ["created", "confirmed", "ready", "completed"]);
    assert_eq!(completed["version"], 4);
    assert_eq!((&completed["rejection"], &completed["cancellation"]), (&Value::Null, &Value::Null));

    let order = client.placed().await;
    client.follow(&order, rejected()).await;
    let rejected = client.order(&order).await;
    assert_eq!(rejected["status"], "rejected");
    assert_eq!(rejected["rejection"], json!({"code": "out_of_stock", "text": "we have none left"}));
    assert_eq!(history(&rejected), ["created", "rejected"]);
}

#[tokio::test]
async fn pages_can_be_filtered_by_status() {
    let client = Client::new().await;
    let cases = [
        ("created", vec![]),
        ("confirmed", vec![PharmacyNews::Confirmed]),
        ("ready", vec![PharmacyNews::Confirmed, PharmacyNews::Ready]),
        ("completed", vec![PharmacyNews::Dispensed]),
        ("rejected", vec![rejected()]),
        ("cancelled", vec![PharmacyNews::Cancelled]),
        ("cancellation_requested", vec![]),
    ];
    let mut placed = Vec::new();
    for (status, news) in &cases {
        let mut ids = Vec::new();
        for _ in 0..3 {
            let order = client.placed().await;
            let id = order["orderId"].as_str().unwrap().to_owned();
            for news in news {
                client.follow(&order, news.clone()).await;
            }
            if *status == "cancellation_requested" {
                client.post(&format!("/api/orders/{id}/cancel"), "").await;
            }
            ids.insert(0, id);
        }
        placed.push((status, ids));
    }
    for (status, ids) in placed {
        let pages = walk(&client, &format!("limit=2&status={status}"), async || {}).await;
        assert_eq!(pages.concat(), ids, "{status}");
    }
}
