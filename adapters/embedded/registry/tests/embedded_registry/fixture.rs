//! A registry on an empty database, and schemas for it.

use adapter_postgres::Database;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use embedded_postgres::testing::fresh_database;
use embedded_registry as registry;
use runtime::config::DatabaseArgs;
use schema_registry_converter::async_impl::schema_registry::SrSettings;
use schema_registry_converter::schema_registry_common::{SchemaType, SuppliedSchema};
use serde_json::{Value, json};
use tower::ServiceExt;

pub(super) const SUBJECT: &str = "order-created-topic-orders.OrderCreated";
pub(super) const V1: &str = r#"{"type":"record","name":"OrderCreated","namespace":"orders","fields":[
    {"name":"orderId","type":{"type":"string","logicalType":"uuid"}}]}"#;
/// Compatible with `V1` in both directions: the new field has a default.
pub(super) const V2: &str = r#"{"type":"record","name":"OrderCreated","namespace":"orders","fields":[
    {"name":"orderId","type":{"type":"string","logicalType":"uuid"}},
    {"name":"note","type":"string","default":""}]}"#;
/// Cannot read data of `V1`: the new field has no default.
pub(super) const WITHOUT_DEFAULT: &str = r#"{"type":"record","name":"OrderCreated","namespace":"orders","fields":[
    {"name":"orderId","type":{"type":"string","logicalType":"uuid"}},
    {"name":"price","type":"long"}]}"#;
/// `V1` cannot read its data: a field without a default was removed.
pub(super) const WITHOUT_ID: &str = r#"{"type":"record","name":"OrderCreated","namespace":"orders","fields":[
    {"name":"note","type":"string","default":""}]}"#;

pub(super) struct Registry {
    pub(super) router: Router,
    pub(super) args: DatabaseArgs,
}

impl Registry {
    pub(super) async fn start() -> Self {
        let args = fresh_database().await.unwrap().args();
        Self { router: open(&args).await, args }
    }

    /// Serves the registry on a socket, for the client library.
    pub(super) async fn serve(&self) -> SrSettings {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let router = self.router.clone();
        tokio::spawn(async move { axum::serve(listener, router).await });
        adapter_kafka::tls::prepare();
        SrSettings::new_builder(format!("http://{addr}")).no_proxy().build().unwrap()
    }

    pub(super) async fn request(
        &self,
        method: &str,
        path: &str,
        body: Value,
    ) -> (StatusCode, Value) {
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

    pub(super) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.request("GET", path, Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    pub(super) async fn register(&self, subject: &str, schema: &str) -> Value {
        let path = format!("/subjects/{subject}/versions");
        let (status, body) = self.request("POST", &path, json!({ "schema": schema })).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body["id"].clone()
    }

    /// Sends a request that fails, and returns its status and error code.
    pub(super) async fn error(&self, method: &str, path: &str, body: Value) -> (u16, u64) {
        let (status, body) = self.request(method, path, body).await;
        assert!(!body["message"].as_str().unwrap().is_empty(), "{body}");
        (status.as_u16(), body["error_code"].as_u64().unwrap())
    }
}

pub(super) async fn open(args: &DatabaseArgs) -> Router {
    registry::router(&Database::new(&registry::TABLES, args, "registry").unwrap()).await.unwrap()
}

pub(super) fn avro(schema: &str) -> SuppliedSchema {
    SuppliedSchema::new(None, SchemaType::Avro, schema.to_owned())
}
