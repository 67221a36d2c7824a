use axum::http::{Method, StatusCode};
use runtime::clock;
use serde_json::{Value, json};

use crate::fixture::{Fixture, cancelled, created_by};

const PATH: &str = "/api/customers/c-1";

fn contact(email: &str) -> Value {
    json!({"email": email, "language": "en"})
}

#[tokio::test]
async fn a_contact_is_created_shown_replaced_and_erased() {
    let fixture = Fixture::new().await;
    let (status, _, problem) = fixture.request(Method::GET, PATH, &[], None).await;
    assert_eq!((status, &problem["type"]), (StatusCode::NOT_FOUND, &json!("/problems/not-found")));

    let body = json!({
        "email": "ada@example.org", "language": "fr", "preferences": {"confirmed": false},
    });
    let (status, headers, mut created) = fixture.request(Method::PUT, PATH, &[], Some(body)).await;
    assert_eq!((status, &headers["etag"]), (StatusCode::CREATED, &"\"1\"".parse().unwrap()));
    assert!(created["updatedAt"].take().is_string());
    let expected = json!({
        "customerId": "c-1", "email": "ada@example.org", "language": "fr",
        "preferences": {
            "received": true, "confirmed": false, "ready": true, "completed": true,
            "cancellationDeclined": true,
        },
        "updatedAt": null,
    });
    assert_eq!(created, expected);
    let (status, headers, _) = fixture.request(Method::GET, PATH, &[], None).await;
    assert_eq!((status, &headers["etag"]), (StatusCode::OK, &"\"1\"".parse().unwrap()));

    let (status, headers, _) = fixture.request(Method::PUT, PATH, &[], Some(contact("b@x"))).await;
    assert_eq!((status, &headers["etag"]), (StatusCode::OK, &"\"2\"".parse().unwrap()));
    for _ in 0..2 {
        let (status, _, body) = fixture.request(Method::DELETE, PATH, &[], None).await;
        assert_eq!((status, body), (StatusCode::NO_CONTENT, Value::Null));
    }
    let (status, ..) = fixture.request(Method::GET, PATH, &[], None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_change_can_depend_on_the_version() {
    let fixture = Fixture::new().await;
    let put = async |headers: &[(&str, &str)]| {
        fixture.request(Method::PUT, PATH, headers, Some(contact("ada@example.org"))).await.0
    };
    let failed = StatusCode::PRECONDITION_FAILED;
    assert_eq!(put(&[("if-match", "*")]).await, failed);
    assert_eq!(put(&[("if-match", "\"1\"")]).await, failed);
    assert_eq!(put(&[("if-none-match", "*")]).await, StatusCode::CREATED);
    assert_eq!(put(&[("if-none-match", "*")]).await, failed);
    assert_eq!(put(&[("if-match", "\"1\"")]).await, StatusCode::OK);
    assert_eq!(put(&[("if-match", "\"1\"")]).await, failed);
    assert_eq!(put(&[("if-match", "*")]).await, StatusCode::OK);
    let stale = [("if-match", "\"1\"")];
    let (status, ..) = fixture.request(Method::DELETE, PATH, &stale, None).await;
    assert_eq!(status, failed);
}

#[tokio::test]
async fn a_wrong_contact_is_refused_with_each_error() {
    let fixture = Fixture::new().await;
    let put = async |body: Value| {
        let (status, _, problem) = fixture.request(Method::PUT, PATH, &[], Some(body)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
        let errors = problem["errors"].as_array().unwrap().clone();
        errors.into_iter().map(|error| error["pointer"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(put(json!({"email": "ada", "language": "it"})).await, ["#/email", "#/language"]);
    assert_eq!(put(json!({"language": "en"})).await, ["#/email"]);
    let injected = "ada@example.org\r\nBcc: eve@example.org";
    assert_eq!(put(json!({"email": injected, "language": "en"})).await, ["#/email"]);
    for letter in ["rejected", "cancelled"] {
        let preferences = json!({letter: false});
        let body = json!({"email": "a@x", "language": "en", "preferences": preferences});
        assert_eq!(put(body).await.len(), 1, "{letter} cannot be declined");
    }
    let (status, ..) =
        fixture.request(Method::PUT, "/api/customers/a%20b", &[], Some(contact("a@x"))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_erased_customer_has_no_notifications() {
    let fixture = Fixture::new().await;
    let id = clock::new_order_id();
    fixture.receive(&[created_by(id, Some("c-1")), cancelled(id)]).await;
    let letters = "/api/notifications?channel=email&destination=c-1";
    let (_, list) = fixture.get(letters).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    fixture.request(Method::DELETE, PATH, &[], None).await;
    let (_, list) = fixture.get(letters).await;
    assert_eq!(list, json!({"items": []}));
}
