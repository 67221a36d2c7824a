//! The embedded schema registry, as clients meet it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use adapter_postgres::Database;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use embedded_postgres::testing::fresh_database;
use embedded_registry as registry;
use runtime::config::DatabaseArgs;
use schema_registry_converter::async_impl::schema_registry::{
    SrSettings, get_schema_by_id, get_schema_by_subject, post_schema,
};
use schema_registry_converter::schema_registry_common::{
    SchemaType, SubjectNameStrategy, SuppliedReference, SuppliedSchema,
};
use serde_json::{Value, json};
use tower::ServiceExt;

const SUBJECT: &str = "order-created-topic-orders.OrderCreated";
const V1: &str = r#"{"type":"record","name":"OrderCreated","namespace":"orders","fields":[
    {"name":"orderId","type":{"type":"string","logicalType":"uuid"}}]}"#;
/// Readable by all and from all: the new field has a default.
const V2: &str = r#"{"type":"record","name":"OrderCreated","namespace":"orders","fields":[
    {"name":"orderId","type":{"type":"string","logicalType":"uuid"}},
    {"name":"note","type":"string","default":""}]}"#;
/// Cannot read what was written before: the new field has no default.
const WITHOUT_DEFAULT: &str = r#"{"type":"record","name":"OrderCreated","namespace":"orders","fields":[
    {"name":"orderId","type":{"type":"string","logicalType":"uuid"}},
    {"name":"price","type":"long"}]}"#;
/// The field is gone that an older version has no default for.
const WITHOUT_ID: &str = r#"{"type":"record","name":"OrderCreated","namespace":"orders","fields":[
    {"name":"note","type":"string","default":""}]}"#;

struct Registry {
    router: Router,
    args: DatabaseArgs,
}

impl Registry {
    async fn start() -> Self {
        let args = fresh_database().await.unwrap().args();
        Self { router: open(&args).await, args }
    }

    /// The registry on a real socket, for the client library.
    async fn serve(&self) -> SrSettings {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let router = self.router.clone();
        tokio::spawn(async move { axum::serve(listener, router).await });
        adapter_kafka::tls::prepare();
        SrSettings::new_builder(format!("http://{addr}")).no_proxy().build().unwrap()
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let request = Request::builder().method(method).uri(path).body(body).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        assert_eq!(
            response.headers()["content-type"],
            "application/vnd.schemaregistry.v1+json",
            "{method} {path}"
        );
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    async fn register(&self, subject: &str, schema: &str) -> Value {
        let path = format!("/subjects/{subject}/versions");
        let (status, body) = self.ask("POST", &path, json!({ "schema": schema })).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body["id"].clone()
    }

    /// The status and Confluent's code of a refusal.
    async fn refusal(&self, method: &str, path: &str, body: Value) -> (u16, u64) {
        let (status, body) = self.ask(method, path, body).await;
        assert!(!body["message"].as_str().unwrap().is_empty(), "{body}");
        (status.as_u16(), body["error_code"].as_u64().unwrap())
    }
}

async fn open(args: &DatabaseArgs) -> Router {
    registry::router(&Database::new(args, "registry").unwrap()).await.unwrap()
}

/// Arrays within arrays.
fn nested(levels: usize) -> String {
    (0..levels)
        .fold(r#""int""#.to_owned(), |inner, _| format!(r#"{{"type":"array","items":{inner}}}"#))
}

fn avro(schema: &str) -> SuppliedSchema {
    SuppliedSchema::new(None, SchemaType::Avro, schema.to_owned())
}

#[tokio::test]
async fn the_client_library_finds_what_it_registered() {
    let settings = Registry::start().await.serve().await;
    let first = post_schema(&settings, SUBJECT.to_owned(), avro(V1)).await.unwrap();
    let second = post_schema(&settings, SUBJECT.to_owned(), avro(V2)).await.unwrap();
    assert_ne!(first.id, second.id);

    let found = get_schema_by_id(first.id, &settings).await.unwrap();
    assert_eq!((found.schema.as_str(), found.schema_type), (V1, SchemaType::Avro));

    let strategy = SubjectNameStrategy::TopicRecordNameStrategy(
        "order-created-topic".to_owned(),
        "orders.OrderCreated".to_owned(),
    );
    let latest = get_schema_by_subject(&settings, &strategy).await.unwrap();
    assert_eq!((latest.id, latest.version), (second.id, Some(2)));
}

#[tokio::test]
async fn the_client_library_is_told_what_is_wrong() {
    let settings = Registry::start().await.serve().await;
    let unknown = get_schema_by_id(7, &settings).await.unwrap_err();
    assert!(!unknown.retriable && unknown.to_string().contains("404"), "{unknown}");

    post_schema(&settings, SUBJECT.to_owned(), avro(V1)).await.unwrap();
    let refused = post_schema(&settings, SUBJECT.to_owned(), avro(WITHOUT_DEFAULT)).await;
    let refused = refused.unwrap_err();
    assert!(!refused.retriable && refused.to_string().contains("409"), "{refused}");

    let reference =
        SuppliedReference::new("Id".to_owned(), "id".to_owned(), r#""string""#.to_owned());
    let referring = avro(V2).with_references(vec![reference]);
    let refused = post_schema(&settings, SUBJECT.to_owned(), referring).await.unwrap_err();
    assert!(refused.to_string().contains("422"), "{refused}");
}

#[tokio::test]
async fn the_client_library_may_try_again_while_the_database_is_away() {
    let registry = Registry::start().await;
    let settings = registry.serve().await;
    let away = DatabaseArgs { database_max_connections: 2, ..registry.args.clone() };
    let database = Database::new(&away, "registry").unwrap();
    let router = registry::router(&database).await.unwrap();
    database.close().await;
    let cut_off = Registry { router, args: away };
    let error = get_schema_by_id(1, &cut_off.serve().await).await.unwrap_err();
    assert!(error.retriable, "{error}");
    assert!(!get_schema_by_id(1, &settings).await.unwrap_err().retriable);
}

#[tokio::test]
async fn a_schema_has_one_id_in_all_subjects_however_it_is_written() {
    let registry = Registry::start().await;
    let id = registry.register("one", V1).await;
    let compact = serde_json::from_str::<Value>(V1).unwrap().to_string();
    assert_eq!(registry.register("one", &compact).await, id);
    assert_eq!(registry.register("other", &compact).await, id);
    assert_eq!(registry.get("/subjects/one/versions").await, json!([1]));
    assert_eq!(
        registry.get(&format!("/schemas/ids/{id}/versions")).await,
        json!([{ "subject": "one", "version": 1 }, { "subject": "other", "version": 1 }])
    );
    assert_eq!(registry.get(&format!("/schemas/ids/{id}/subjects")).await, json!(["one", "other"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn registering_at_once_makes_one_id_and_one_version() {
    let registry = Registry::start().await;
    let settings = registry.serve().await;
    let registrations = (0..32).map(|n| {
        let settings = settings.clone();
        let subject = format!("subject-{}", n % 4);
        tokio::spawn(async move { post_schema(&settings, subject, avro(V1)).await.unwrap().id })
    });
    let mut ids = Vec::new();
    for registration in registrations.collect::<Vec<_>>() {
        ids.push(registration.await.unwrap());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(registry.get("/schemas").await.as_array().unwrap().len(), 4);
    assert_eq!(registry.get("/subjects/subject-3/versions").await, json!([1]));
}

#[tokio::test]
async fn what_was_registered_is_there_after_a_restart() {
    let registry = Registry::start().await;
    let id = registry.register(SUBJECT, V1).await;
    let again = Registry { router: open(&registry.args).await, args: registry.args };
    assert_eq!(again.get(&format!("/schemas/ids/{id}")).await, json!({ "schema": V1 }));
    assert_eq!(again.register(SUBJECT, V1).await, id);
}

#[tokio::test]
async fn a_schema_that_does_not_fit_is_refused_with_the_reason() {
    let registry = Registry::start().await;
    registry.register(SUBJECT, V1).await;
    let path = format!("/subjects/{SUBJECT}/versions");
    let (status, body) = registry.ask("POST", &path, json!({ "schema": WITHOUT_DEFAULT })).await;
    assert_eq!((status, &body["error_code"]), (StatusCode::CONFLICT, &json!(409)));
    assert!(body["message"].as_str().unwrap().contains("field price: was added"), "{body}");
    assert_eq!(registry.get(&path).await, json!([1]));
}

#[tokio::test]
async fn what_fits_is_a_matter_of_the_level() {
    // Whether a field without default may be added, and whether a field without default may go.
    for (level, adding, removing) in [
        ("NONE", true, true),
        ("BACKWARD", false, true),
        ("BACKWARD_TRANSITIVE", false, true),
        ("FORWARD", true, false),
        ("FORWARD_TRANSITIVE", true, false),
        ("FULL", false, false),
        ("FULL_TRANSITIVE", false, false),
    ] {
        let registry = Registry::start().await;
        for (subject, first, then, fits) in
            [("adding", V1, WITHOUT_DEFAULT, adding), ("removing", WITHOUT_DEFAULT, V1, removing)]
        {
            let config = format!("/config/{subject}");
            let (_, set) = registry.ask("PUT", &config, json!({ "compatibility": level })).await;
            assert_eq!(set, json!({ "compatibility": level }));
            registry.register(subject, first).await;

            let check = format!("/compatibility/subjects/{subject}/versions/latest?verbose=true");
            let (_, verdict) = registry.ask("POST", &check, json!({ "schema": then })).await;
            assert_eq!(verdict["is_compatible"], json!(fits), "{level} {subject}");
            assert_eq!(verdict["messages"].as_array().unwrap().is_empty(), fits);

            let versions = format!("/subjects/{subject}/versions");
            let (status, _) = registry.ask("POST", &versions, json!({ "schema": then })).await;
            assert_eq!(status == StatusCode::OK, fits, "{level} {subject}");
        }
    }
}

#[tokio::test]
async fn a_transitive_level_asks_all_versions_and_another_the_latest() {
    const CHANGED: &str = r#"{"type":"record","name":"OrderCreated","namespace":"orders","fields":[
        {"name":"orderId","type":"int","default":0},{"name":"note","type":"string","default":""}]}"#;
    for (level, fits) in [("BACKWARD", true), ("BACKWARD_TRANSITIVE", false)] {
        let registry = Registry::start().await;
        registry.ask("PUT", "/config", json!({ "compatibility": level })).await;
        registry.register(SUBJECT, V1).await;
        registry.register(SUBJECT, WITHOUT_ID).await;
        let check = format!("/compatibility/subjects/{SUBJECT}/versions");
        let (_, verdict) = registry.ask("POST", &check, json!({ "schema": CHANGED })).await;
        assert_eq!(verdict, json!({ "is_compatible": fits }), "{level}");
    }
}

#[tokio::test]
async fn a_union_that_fits_some_values_only_does_not_fit() {
    let registry = Registry::start().await;
    registry.register(SUBJECT, r#"["int","string"]"#).await;
    let check = format!("/compatibility/subjects/{SUBJECT}/versions/1");
    let (_, verdict) = registry.ask("POST", &check, json!({ "schema": r#""int""# })).await;
    assert_eq!(verdict, json!({ "is_compatible": false }));
}

#[tokio::test]
async fn kafka_uis_find_what_they_ask_for() {
    let registry = Registry::start().await;
    let id = registry.register("orders%2Fcreated", V1).await;
    let version = json!({ "subject": "orders/created", "version": 1, "id": id, "schema": V1 });
    assert_eq!(registry.get("/").await, json!({}));
    assert_eq!(registry.get("/subjects").await, json!(["orders/created"]));
    assert_eq!(registry.get("/subjects?subjectPrefix=payments").await, json!([]));
    assert_eq!(registry.get("/subjects/orders%2Fcreated/versions/latest").await, version);
    assert_eq!(registry.get("/subjects/orders%2Fcreated/versions/-1").await, version);
    assert_eq!(registry.get("/subjects/orders%2Fcreated/versions/1").await, version);
    let schema: Value = serde_json::from_str(V1).unwrap();
    assert_eq!(registry.get("/subjects/orders%2Fcreated/versions/1/schema").await, schema);
    assert_eq!(registry.get("/subjects/orders%2Fcreated/versions/1/referencedby").await, json!([]));
    assert_eq!(registry.get("/schemas?latestOnly=true&limit=1").await, json!([version]));
    assert_eq!(registry.get("/schemas?offset=1").await, json!([]));
    assert_eq!(registry.get("/schemas/types").await, json!(["AVRO"]));
    assert_eq!(registry.get("/mode").await, json!({ "mode": "READWRITE" }));
    let full = json!({ "compatibilityLevel": "FULL_TRANSITIVE" });
    assert_eq!(registry.get("/config").await, full);
    assert_eq!(registry.get("/config/orders%2Fcreated?defaultToGlobal=true").await, full);
    let (status, found) =
        registry.ask("POST", "/subjects/orders%2Fcreated", json!({ "schema": V1 })).await;
    assert_eq!((status, found), (StatusCode::OK, version));
}

#[tokio::test]
async fn every_version_must_read_every_other_unless_something_else_is_set() {
    let registry = Registry::start().await;
    registry.register("promised", V1).await;
    registry.register("promised", V2).await;
    let versions = "/subjects/promised/versions";
    // It could read all that was written; but the first version could not read what it writes.
    let removing = json!({ "schema": WITHOUT_ID });
    assert_eq!(registry.refusal("POST", versions, removing.clone()).await, (409, 409));

    let less = json!({ "compatibility": "BACKWARD" });
    let (_, set) = registry.ask("PUT", "/config", less.clone()).await;
    assert_eq!(set, less);
    assert_eq!(registry.get("/config").await, json!({ "compatibilityLevel": "BACKWARD" }));
    let again = Registry { router: open(&registry.args).await, args: registry.args };
    assert_eq!(again.ask("POST", versions, removing).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_subjects_own_level_comes_and_goes() {
    let registry = Registry::start().await;
    let full = json!({ "compatibilityLevel": "FULL" });
    assert_eq!(registry.refusal("GET", "/config/s", Value::Null).await, (404, 40408));
    registry.ask("PUT", "/config/s", json!({ "compatibility": "full" })).await;
    assert_eq!(registry.get("/config/s").await, full);
    let (_, was) = registry.ask("DELETE", "/config/s", Value::Null).await;
    assert_eq!(was, full);
    assert_eq!(registry.refusal("DELETE", "/config/s", Value::Null).await, (404, 40401));
    let wrong = json!({ "compatibility": "SOMETIMES" });
    assert_eq!(registry.refusal("PUT", "/config", wrong).await, (422, 42203));
}

#[tokio::test]
async fn a_deleted_subject_is_hidden_first_and_its_ids_stay() {
    let registry = Registry::start().await;
    let id = registry.register("s", V1).await;
    registry.register("s", V2).await;
    assert_eq!(
        registry.refusal("DELETE", "/subjects/s?permanent=true", Value::Null).await,
        (404, 40405)
    );
    let delete = async |path: &str| registry.ask("DELETE", path, Value::Null).await.1;

    assert_eq!(delete("/subjects/s/versions/1").await, json!(1));
    assert_eq!(registry.get("/subjects/s/versions").await, json!([2]));
    assert_eq!(
        registry.refusal("DELETE", "/subjects/s/versions/1", Value::Null).await,
        (404, 40406)
    );
    assert_eq!(
        registry.refusal("DELETE", "/subjects/s/versions/2?permanent=true", Value::Null).await,
        (404, 40407)
    );
    assert_eq!(delete("/subjects/s/versions/latest").await, json!(2));
    assert_eq!(registry.get("/subjects").await, json!([]));
    assert_eq!(registry.get("/subjects?deleted=true").await, json!(["s"]));
    assert_eq!(registry.get("/subjects/s/versions?deleted=true").await, json!([1, 2]));
    assert_eq!(registry.refusal("DELETE", "/subjects/s", Value::Null).await, (404, 40404));

    assert_eq!(registry.register("s", V1).await, id, "the same schema, the same id");
    assert_eq!(registry.get("/subjects/s/versions").await, json!([3]));
    assert_eq!(delete("/subjects/s").await, json!([3]));
    assert_eq!(delete("/subjects/s?permanent=true").await, json!([1, 2, 3]));
    assert_eq!(registry.get("/subjects?deleted=true").await, json!([]));
    assert_eq!(registry.get(&format!("/schemas/ids/{id}")).await, json!({ "schema": V1 }));
}

#[tokio::test]
async fn what_cannot_be_answered_is_refused_by_confluents_codes() {
    let registry = Registry::start().await;
    registry.register("s", V1).await;
    let schema = |text: &str| json!({ "schema": text });
    let nothing = Value::Null;
    for (method, path, body, refusal) in [
        ("GET", "/subjects/none/versions", nothing.clone(), (404, 40401)),
        ("GET", "/subjects/none/versions/latest", nothing.clone(), (404, 40401)),
        ("GET", "/subjects/s/versions/2", nothing.clone(), (404, 40402)),
        ("GET", "/subjects/s/versions/0", nothing.clone(), (422, 42202)),
        ("GET", "/subjects/s/versions/first", nothing.clone(), (422, 42202)),
        ("GET", "/schemas/ids/99", nothing.clone(), (404, 40403)),
        ("GET", "/schemas/ids/2147483648", nothing.clone(), (404, 40403)),
        ("GET", "/schemas/ids/4294967295/subjects", nothing.clone(), (404, 40403)),
        ("GET", "/schemas/ids/one", nothing.clone(), (400, 400)),
        ("GET", "/schemas?limit=few", nothing.clone(), (400, 400)),
        ("POST", "/subjects/none", schema(V1), (404, 40401)),
        ("POST", "/subjects/s", schema(V2), (404, 40403)),
        ("POST", "/subjects/s/versions", nothing.clone(), (400, 400)),
        ("POST", "/subjects/s/versions", json!([]), (400, 400)),
        ("POST", "/subjects/s/versions", json!({}), (422, 42201)),
        ("POST", "/subjects/s/versions", schema("{"), (422, 42201)),
        ("POST", "/subjects/s/versions", schema(r#"{"type":"record"}"#), (422, 42201)),
        ("POST", "/subjects/s/versions", schema(&nested(40)), (422, 42201)),
        ("POST", "/subjects/s/versions", schema(&nested(10_000)), (422, 42201)),
        ("POST", "/compatibility/subjects/s/versions", schema(&nested(40)), (422, 42201)),
        (
            "POST",
            "/subjects/s/versions",
            json!({ "schema": "{}", "schemaType": "JSON" }),
            (422, 42201),
        ),
        ("POST", "/subjects/s/versions", json!({ "schema": V2, "references": [{}] }), (422, 42201)),
        ("POST", "/subjects/s/versions", json!({ "schema": V2, "id": 7 }), (422, 42205)),
        ("POST", "/compatibility/subjects/none/versions/1", schema(V1), (404, 40401)),
        ("POST", "/compatibility/subjects/s/versions/9", schema(V1), (404, 40402)),
        ("DELETE", "/subjects/none", nothing.clone(), (404, 40401)),
        ("GET", "/nothing/here", nothing.clone(), (404, 404)),
        ("PATCH", "/subjects", nothing.clone(), (405, 405)),
    ] {
        let told = format!("{method} {path} {body}");
        assert_eq!(registry.refusal(method, path, body).await, refusal, "{told}");
    }
    assert_eq!(registry.get("/subjects/s/versions").await, json!([1]));
}
