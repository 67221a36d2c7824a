//! What each answer of a registry means, asked over HTTP.

use adapter_avro::latest;
use application::one_line;
use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::response::IntoResponse;
use runtime::config::KafkaArgs;
use serde_json::json;

use crate::{Registry, RegistryError};

/// What an answer means to whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means {
    /// It is about this id, or this schema.
    Question,
    /// It is about the registry.
    Registry,
}
use Means::{Question, Registry as Whole};

/// A body in the registry's format.
fn coded(code: u32) -> String {
    json!({ "error_code": code, "message": "the reason" }).to_string()
}

const PAGE: &str = "<html><body>Bad gateway, or your login please</body></html>";
const RESTEASY: &str = r#"{"title":"no resource","status":404,"name":"NotFoundException"}"#;

/// A registry that gives this answer to every question but one, which it answers as told.
async fn answering(
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
    Registry::new(&KafkaArgs::at("localhost:1", url, "topic"), adapter_avro::SCHEMAS).unwrap()
}

fn nothing(_: &Method, _: &str) -> Option<String> {
    None
}

#[tokio::test]
async fn each_answer_about_an_id_means_what_the_table_says() {
    let table = [
        // Confluent, Apicurio, Karapace
        (404, coded(40403), Question),
        // Confluent
        (404, coded(40401), Question),
        (404, coded(40402), Question),
        (404, coded(40406), Question),
        (404, coded(404), Whole),
        (401, coded(401), Whole),
        (401, coded(40101), Whole),
        (403, coded(40301), Whole),
        (429, coded(42901), Whole),
        (422, coded(42202), Question),
        (500, coded(50001), Whole),
        (500, coded(50002), Whole),
        (500, coded(50003), Whole),
        (500, coded(50004), Whole),
        (503, coded(50302), Whole),
        // What the embedded registry answered once, and what Quarkus does for what is no number.
        (400, coded(400), Question),
        (400, PAGE.to_owned(), Whole),
        // Apicurio
        (404, String::new(), Whole),
        (404, RESTEASY.to_owned(), Whole),
        (403, coded(403), Whole),
        (405, String::new(), Whole),
        (406, String::new(), Whole),
        // Karapace
        (401, r#"{"message":"Unauthorized"}"#.to_owned(), Whole),
        (403, r#"{"message":"Forbidden"}"#.to_owned(), Whole),
        (500, coded(50003), Whole),
        (503, String::new(), Whole),
        // A proxy, a load balancer, another server
        (200, PAGE.to_owned(), Whole),
        (200, String::new(), Whole),
        (200, "{}".to_owned(), Whole),
        (200, r#"{"schema":7}"#.to_owned(), Whole),
        (200, r#"["schema"]"#.to_owned(), Whole),
        (204, String::new(), Whole),
        (301, String::new(), Whole),
        (302, PAGE.to_owned(), Whole),
        (304, String::new(), Whole),
        (307, String::new(), Whole),
        (404, PAGE.to_owned(), Whole),
        (407, PAGE.to_owned(), Whole),
        (408, String::new(), Whole),
        (410, PAGE.to_owned(), Whole),
        (418, PAGE.to_owned(), Whole),
        (429, PAGE.to_owned(), Whole),
        (451, PAGE.to_owned(), Whole),
        (502, PAGE.to_owned(), Whole),
        (503, PAGE.to_owned(), Whole),
        (504, PAGE.to_owned(), Whole),
        (599, PAGE.to_owned(), Whole),
    ];
    for (status, body, means) in table {
        let registry = answering(status, body.clone(), nothing).await;
        let error = registry.reader(7).await.err().unwrap();
        let got = match &error {
            RegistryError::Unknown { id: 7, .. } => Question,
            RegistryError::Unavailable { .. } => Whole,
            other => panic!("{status} {body}: {other}"),
        };
        assert_eq!(got, means, "{status} {body}");
        let said = one_line(&error);
        assert!(!said.contains('\n'), "{said}");
    }
}

#[tokio::test]
async fn a_registry_that_nobody_reaches_is_unavailable() {
    let registry = Registry::new(
        &KafkaArgs::at("localhost:1", "http://127.0.0.1:9", "t"),
        adapter_avro::SCHEMAS,
    )
    .unwrap();
    assert!(matches!(registry.reader(7).await, Err(RegistryError::Unavailable { .. })));
    let schema = latest("orders.OrderCreated").unwrap();
    assert!(matches!(registry.id_of(schema, "t").await, Err(RegistryError::Unavailable { .. })));
    assert!(registry.knows_events_of("t").await.is_err());
}

#[tokio::test]
async fn each_answer_to_a_registration_means_what_the_table_says() {
    let table = [
        (409, coded(409), Question),
        (409, coded(40901), Question),
        (422, coded(42201), Question),
        (422, coded(42205), Question),
        (422, coded(42206), Question),
        (422, coded(42209), Question),
        (403, coded(40301), Question),
        (403, r#"{"message":"Forbidden"}"#.to_owned(), Question),
        (405, String::new(), Question),
        (400, coded(400), Question),
        (401, coded(40101), Whole),
        (404, coded(404), Whole),
        (404, String::new(), Whole),
        (404, PAGE.to_owned(), Whole),
        (408, String::new(), Whole),
        (413, PAGE.to_owned(), Whole),
        (429, coded(42901), Whole),
        (500, coded(50001), Whole),
        (500, coded(50003), Whole),
        (502, PAGE.to_owned(), Whole),
        (503, coded(50302), Whole),
        (504, PAGE.to_owned(), Whole),
        (301, String::new(), Whole),
        (200, PAGE.to_owned(), Whole),
        (200, "{}".to_owned(), Whole),
        (200, r#"{"id":"seven"}"#.to_owned(), Whole),
        (204, String::new(), Whole),
    ];
    let schema = latest("orders.OrderCreated").unwrap();
    for (status, body, means) in table {
        // Without the schema, then with it: what cannot be registered may have been before.
        let registry = answering(status, body.clone(), nothing).await;
        let error = registry.id_of(schema, "topic").await.unwrap_err();
        let got = match &error {
            RegistryError::Refused { .. } => Question,
            RegistryError::Unavailable { .. } => Whole,
            other => panic!("{status} {body}: {other}"),
        };
        assert_eq!(got, means, "{status} {body}");
        if means == Question {
            assert!(one_line(&error).contains("`schemas register`"), "{error}");
        }

        let registry = answering(status, body.clone(), |method, path| {
            let found = r#"{"subject":"s","version":2,"id":42}"#.to_owned();
            (method == Method::POST && path == "/subjects/topic-orders.OrderCreated")
                .then_some(found)
        });
        match registry.await.id_of(schema, "topic").await {
            Ok(id) => assert_eq!((id, means), (42, Question), "{status} {body}"),
            Err(error) => assert_eq!(means, Whole, "{status} {body}: {error}"),
        }
    }
}

#[tokio::test]
async fn a_refusal_says_what_to_do() {
    for (status, body, advice) in [
        (401, coded(401), "see SCHEMA_REGISTRY_USERNAME and its password"),
        (403, coded(40301), "see SCHEMA_REGISTRY_USERNAME, and what it is allowed"),
        (404, String::new(), "see SCHEMA_REGISTRY_URL"),
        (407, PAGE.to_owned(), "see HTTP_PROXY and NO_PROXY"),
        (429, coded(42901), "it limits how often it is asked"),
    ] {
        let registry = answering(status, body, nothing).await;
        let said = one_line(&registry.reader(7).await.err().unwrap());
        assert!(said.contains(advice), "{said}");
    }
}
