//! The API, used by a client library over a socket.

use adapter_postgres::Database;
use embedded_registry as registry;
use runtime::config::DatabaseArgs;
use schema_registry_converter::async_impl::schema_registry::{
    get_schema_by_id, get_schema_by_subject, post_schema,
};
use schema_registry_converter::schema_registry_common::{
    SchemaType, SubjectNameStrategy, SuppliedReference,
};

use super::fixture::{Registry, SUBJECT, V1, V2, WITHOUT_DEFAULT, avro};

#[tokio::test]
async fn the_client_library_registers_and_reads_schemas() {
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
async fn the_client_library_gets_errors_that_it_does_not_retry() {
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
async fn the_client_library_can_retry_while_the_database_is_unavailable() {
    let registry = Registry::start().await;
    let settings = registry.serve().await;
    let small_pool = DatabaseArgs { database_max_connections: 2, ..registry.args.clone() };
    let database = Database::new(&registry::TABLES, &small_pool, "registry").unwrap();
    let router = registry::router(&database).await.unwrap();
    database.close().await;
    let unavailable = Registry { router, args: small_pool };
    let error = get_schema_by_id(1, &unavailable.serve().await).await.unwrap_err();
    assert!(error.retriable, "{error}");
    assert!(!get_schema_by_id(1, &settings).await.unwrap_err().retriable);
}
