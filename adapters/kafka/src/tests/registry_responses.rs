//! The error for each response of a registry, sent over HTTP.

use adapter_avro::{latest, ordering};
use application::one_line;
use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::response::IntoResponse;
use runtime::config::KafkaArgs;
use serde_json::json;

use crate::{Registry, RegistryError};

/// What caused an error response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// The requested id or schema.
    ByRequest,
    /// The registry.
    ByRegistry,
}
use Cause::{ByRegistry, ByRequest};

/// An error body in the registry's format.
fn error_body(code: u32) -> String {
    json!({ "error_code": code, "message": "the reason" }).to_string()
}

const PAGE: &str = "<html><body>Bad gateway, or your login please</body></html>";
const RESTEASY: &str = r#"{"title":"no resource","status":404,"name":"NotFoundException"}"#;

/// A client of a registry that answers every request like this, unless `except` returns a body.
async fn registry_that_answers(
    status: u16,
    body: String,
    except: impl Fn(&Method, &str) -> Option<String> + Clone + Send + Sync + 'static,
) -> Registry {
    let status = StatusCode::from_u16(status).unwrap();
    let app = Router::new().fallback(async move |method: Method, uri: Uri| {
        match except(&method, uri.path()) {
            Some(answer) => answer.into_response(),
            None => (status, [("location", "/elsewhere")], body).into_response(),
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    Registry::new(&KafkaArgs::at("localhost:1", url, "topic")).unwrap()
}

fn no_exception(_: &Method, _: &str) -> Option<String> {
    None
}

#[tokio::test]
async fn each_response_to_an_id_lookup_is_classified_as_in_the_table() {
    let table = [
        // Confluent, Apicurio, Karapace
        (404, error_body(40403), ByRequest),
        // Confluent
        (404, error_body(40401), ByRequest),
        (404, error_body(40402), ByRequest),
        (404, error_body(40406), ByRequest),
        (404, error_body(404), ByRegistry),
        (401, error_body(401), ByRegistry),
        (401, error_body(40101), ByRegistry),
        (403, error_body(40301), ByRegistry),
        (429, error_body(42901), ByRegistry),
        (422, error_body(42202), ByRequest),
        (500, error_body(50001), ByRegistry),
        (500, error_body(50002), ByRegistry),
        (500, error_body(50003), ByRegistry),
        (500, error_body(50004), ByRegistry),
        (503, error_body(50302), ByRegistry),
        // Older versions of the embedded registry, and Quarkus for an id that is not a number
        (400, error_body(400), ByRequest),
        (400, PAGE.to_owned(), ByRegistry),
        // Apicurio
        (404, String::new(), ByRegistry),
        (404, RESTEASY.to_owned(), ByRegistry),
        (403, error_body(403), ByRegistry),
        (405, String::new(), ByRegistry),
        (406, String::new(), ByRegistry),
        // Karapace
        (401, r#"{"message":"Unauthorized"}"#.to_owned(), ByRegistry),
        (403, r#"{"message":"Forbidden"}"#.to_owned(), ByRegistry),
        (500, error_body(50003), ByRegistry),
        (503, String::new(), ByRegistry),
        // A proxy, a load balancer, another server
        (200, PAGE.to_owned(), ByRegistry),
        (200, String::new(), ByRegistry),
        (200, "{}".to_owned(), ByRegistry),
        (200, r#"{"schema":7}"#.to_owned(), ByRegistry),
        (200, r#"["schema"]"#.to_owned(), ByRegistry),
        (204, String::new(), ByRegistry),
        (301, String::new(), ByRegistry),
        (302, PAGE.to_owned(), ByRegistry),
        (304, String::new(), ByRegistry),
        (307, String::new(), ByRegistry),
        (404, PAGE.to_owned(), ByRegistry),
        (407, PAGE.to_owned(), ByRegistry),
        (408, String::new(), ByRegistry),
        (410, PAGE.to_owned(), ByRegistry),
        (418, PAGE.to_owned(), ByRegistry),
        (429, PAGE.to_owned(), ByRegistry),
        (451, PAGE.to_owned(), ByRegistry),
        (502, PAGE.to_owned(), ByRegistry),
        (503, PAGE.to_owned(), ByRegistry),
        (504, PAGE.to_owned(), ByRegistry),
        (599, PAGE.to_owned(), ByRegistry),
    ];
    for (status, body, cause) in table {
        let registry = registry_that_answers(status, body.clone(), no_exception).await;
        let error = registry.fetch(7).await.err().unwrap();
        let got = match &error {
            RegistryError::Unknown { id: 7, .. } => ByRequest,
            RegistryError::Unavailable { .. } => ByRegistry,
            other => panic!("{status} {body}: {other}"),
        };
        assert_eq!(got, cause, "{status} {body}");
        let message = one_line(&error);
        assert!(!message.contains('\n'), "{message}");
    }
}

#[tokio::test]
async fn a_registry_that_cannot_be_reached_is_unavailable() {
    let registry = Registry::new(&KafkaArgs::at("localhost:1", "http://127.0.0.1:9", "t")).unwrap();
    assert!(matches!(registry.fetch(7).await, Err(RegistryError::Unavailable { .. })));
    let schema = latest("orders.OrderCreated").unwrap();
    assert!(matches!(registry.id_of(schema, "t").await, Err(RegistryError::Unavailable { .. })));
    assert!(registry.knows_one_of(ordering(), "t").await.is_err());
}

#[tokio::test]
async fn each_response_to_a_registration_is_classified_as_in_the_table() {
    let table = [
        (409, error_body(409), ByRequest),
        (409, error_body(40901), ByRequest),
        (422, error_body(42201), ByRequest),
        (422, error_body(42205), ByRequest),
        (422, error_body(42206), ByRequest),
        (422, error_body(42209), ByRequest),
        (403, error_body(40301), ByRequest),
        (403, r#"{"message":"Forbidden"}"#.to_owned(), ByRequest),
        (405, String::new(), ByRequest),
        (400, error_body(400), ByRequest),
        (401, error_body(40101), ByRegistry),
        (404, error_body(404), ByRegistry),
        (404, String::new(), ByRegistry),
        (404, PAGE.to_owned(), ByRegistry),
        (408, String::new(), ByRegistry),
        (413, PAGE.to_owned(), ByRegistry),
        (429, error_body(42901), ByRegistry),
        (500, error_body(50001), ByRegistry),
        (500, error_body(50003), ByRegistry),
        (502, PAGE.to_owned(), ByRegistry),
        (503, error_body(50302), ByRegistry),
        (504, PAGE.to_owned(), ByRegistry),
        (301, String::new(), ByRegistry),
        (200, PAGE.to_owned(), ByRegistry),
        (200, "{}".to_owned(), ByRegistry),
        (200, r#"{"id":"seven"}"#.to_owned(), ByRegistry),
        (204, String::new(), ByRegistry),
    ];
    let schema = latest("orders.OrderCreated").unwrap();
    for (status, body, cause) in table {
        // First the registry does not have the schema, then it does.
        let registry = registry_that_answers(status, body.clone(), no_exception).await;
        let error = registry.id_of(schema, "topic").await.unwrap_err();
        let got = match &error {
            RegistryError::Refused { .. } => ByRequest,
            RegistryError::Unavailable { .. } => ByRegistry,
            other => panic!("{status} {body}: {other}"),
        };
        assert_eq!(got, cause, "{status} {body}");
        if cause == ByRequest {
            assert!(one_line(&error).contains("`schemas register`"), "{error}");
        }

        let registry = registry_that_answers(status, body.clone(), |method, path| {
            let found = r#"{"subject":"s","version":2,"id":42}"#.to_owned();
            (method == Method::POST && path == "/subjects/topic-orders.OrderCreated")
                .then_some(found)
        });
        match registry.await.id_of(schema, "topic").await {
            Ok(id) => assert_eq!((id, cause), (42, ByRequest), "{status} {body}"),
            Err(error) => assert_eq!(cause, ByRegistry, "{status} {body}: {error}"),
        }
    }
}

#[tokio::test]
async fn the_message_of_an_error_response_says_what_to_check() {
    for (status, body, advice) in [
        (401, error_body(401), "check SCHEMA_REGISTRY_USERNAME and its password"),
        (403, error_body(40301), "check the permissions of the user in SCHEMA_REGISTRY_USERNAME"),
        (404, String::new(), "check SCHEMA_REGISTRY_URL"),
        (407, PAGE.to_owned(), "check HTTP_PROXY and NO_PROXY"),
        (429, error_body(42901), "the registry limits the rate of requests"),
    ] {
        let registry = registry_that_answers(status, body, no_exception).await;
        let message = one_line(&registry.fetch(7).await.err().unwrap());
        assert!(message.contains(advice), "{message}");
    }
}
