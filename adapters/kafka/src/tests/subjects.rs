use std::sync::Arc;

use application::one_line;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use runtime::config::RegistryArgs;
use serde_json::{Value, json};

use crate::subjects::{SubjectError, Subjects};

type Answer = (&'static str, u16, Value);

/// Answers every path as told, and all others with a plain 404.
async fn registry(answers: Vec<Answer>) -> Subjects {
    let app = Router::new().fallback(answer).with_state(Arc::new(answers));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/apis/ccompat/v7/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    Subjects::new(&url, &RegistryArgs::default()).unwrap()
}

async fn answer(State(answers): State<Arc<Vec<Answer>>>, uri: Uri) -> Response {
    let asked = uri.to_string();
    let asked = asked.strip_prefix("/apis/ccompat/v7").unwrap();
    match answers.iter().find(|(path, ..)| *path == asked) {
        Some((_, status, body)) => {
            (StatusCode::from_u16(*status).unwrap(), body.to_string()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn no_subject() -> Value {
    json!({ "error_code": 40401, "message": "Subject 's' not found." })
}

fn no_level() -> Value {
    json!({ "error_code": 40408, "message": "Subject 's' does not have a level" })
}

fn full() -> Value {
    json!({ "compatibilityLevel": "FULL_TRANSITIVE" })
}

#[tokio::test]
async fn a_subject_that_apicurio_does_not_know_has_nothing_and_takes_everything() {
    let subjects = registry(vec![
        ("/config/s?defaultToGlobal=true", 404, no_subject()),
        ("/config", 200, full()),
        ("/subjects/s/versions", 404, no_subject()),
        ("/subjects/s", 404, no_subject()),
        ("/compatibility/subjects/s/versions?verbose=true", 404, no_subject()),
    ])
    .await;
    assert_eq!(subjects.level("s").await.unwrap(), "FULL_TRANSITIVE");
    assert_eq!(subjects.versions("s").await.unwrap(), [0_u32; 0]);
    assert_eq!(subjects.find("s", "{}").await.unwrap(), None);
    assert_eq!(subjects.objection("s", "{}").await.unwrap(), None);
}

#[tokio::test]
async fn a_registry_that_knows_no_fallback_is_asked_for_the_level_of_all() {
    let subjects = registry(vec![
        ("/config/s?defaultToGlobal=true", 404, no_level()),
        ("/config", 200, full()),
    ])
    .await;
    assert_eq!(subjects.level("s").await.unwrap(), "FULL_TRANSITIVE");
}

#[tokio::test]
async fn a_registry_that_gives_no_reasons_objects_all_the_same() {
    for (verdict, objection) in [
        (json!({ "is_compatible": true }), None),
        (json!({ "is_compatible": false }), Some("it is incompatible")),
        (json!({ "is_compatible": false, "messages": ["a\nb", "c"] }), Some("a b; c")),
    ] {
        let path = "/compatibility/subjects/s/versions?verbose=true";
        let subjects = registry(vec![(path, 200, verdict)]).await;
        assert_eq!(subjects.objection("s", "{}").await.unwrap().as_deref(), objection);
    }
}

#[tokio::test]
async fn something_else_that_listens_there_is_no_empty_registry() {
    let subjects = registry(vec![("/config", 200, json!("hello"))]).await;
    for refused in [
        subjects.level("s").await.map(drop),
        subjects.versions("s").await.map(drop),
        subjects.find("s", "{}").await.map(drop),
        subjects.objection("s", "{}").await.map(drop),
        subjects.register("s", "{}").await.map(drop),
        subjects.set_level_of_all("FULL").await,
    ] {
        let said = one_line(&refused.unwrap_err());
        assert!(said.contains("is its address right?"), "{said}");
    }
    assert!(matches!(
        Subjects::new("localhost:8081", &RegistryArgs::default()),
        Err(SubjectError::Setting(_))
    ));
}

#[tokio::test]
async fn it_logs_in_as_the_settings_say() {
    let app = Router::new().fallback(|headers: HeaderMap| async move {
        match headers.get_all("authorization").iter().collect::<Vec<_>>()[..] {
            [login] if login == "Basic YWRhOnBhc3M=" => (StatusCode::OK, "[7]"),
            _ => (StatusCode::UNAUTHORIZED, r#"{"error_code": 401, "message": "who are you?"}"#),
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });

    let nobody = RegistryArgs::default();
    let [ada, eve] = ["ada", "eve"].map(|name| RegistryArgs {
        schema_registry_username: Some(name.to_owned()),
        schema_registry_password: Some("pass".into()),
        ..RegistryArgs::default()
    });
    for (args, is_let_in) in [(&ada, true), (&nobody, false), (&eve, false)] {
        let subjects = Subjects::new(&format!("http://{address}"), args).unwrap();
        match subjects.versions("s").await {
            Ok(versions) => assert!(is_let_in && versions == [7]),
            Err(SubjectError::Refused { status, .. }) => assert!(!is_let_in && status == 401),
            Err(other) => panic!("{}", one_line(&other)),
        }
    }
}
