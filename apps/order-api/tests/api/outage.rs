use std::time::{Duration, Instant};

use adapter_ordering as ordering;
use adapter_postgres::{Database, MigrationGate};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use embedded_postgres::testing::fresh_database;
use order_api::router;
use runtime::config::{DatabaseArgs, MAX_IN_FLIGHT};
use test_support::{Network, Proxy, eventually};

use crate::client::{an_order, post, send};

/// order-api with a proxy between it and Postgres.
struct Api {
    proxy: Proxy,
    router: Router,
}

impl Api {
    async fn start(network: Network) -> Self {
        let url = fresh_database().await.unwrap().url().to_owned();
        let (credentials, rest) = url.split_once('@').unwrap();
        let (server, name) = rest.split_once('/').unwrap();
        let proxy = Proxy::to(server.parse().unwrap()).await;
        proxy.set(network);
        let database_url = format!("{credentials}@{}/{name}", proxy.addr);
        let args = DatabaseArgs::at(database_url, 4);
        let database = Database::new(&ordering::TABLES, &args, "test").unwrap();
        let tables = MigrationGate::default();
        let router = router(&database, &tables, MAX_IN_FLIGHT).unwrap();
        tokio::spawn(async move { tables.prepare(&database).await });
        Self { proxy, router }
    }

    async fn place(&self) -> StatusCode {
        send(&self.router, post("/api/orders", an_order().to_string())).await.status
    }

    async fn ready(&self) -> StatusCode {
        let request = Request::get("/readyz").body(Body::empty()).unwrap();
        send(&self.router, request).await.status
    }

    async fn assert_unavailable(&self) {
        for request in [
            post("/api/orders", an_order().to_string()),
            Request::get("/api/orders").body(Body::empty()).unwrap(),
        ] {
            let begin = Instant::now();
            let answer = send(&self.router, request).await;
            answer.problem(503, "unavailable");
            assert_eq!(answer.header("retry-after"), Some("2"));
            assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
        }
        assert_eq!(self.ready().await, StatusCode::SERVICE_UNAVAILABLE);
    }

    async fn assert_recovers(&self) {
        eventually("order-api is ready", async || self.ready().await == StatusCode::OK).await;
        assert_eq!(self.place().await, StatusCode::CREATED);
    }
}

#[tokio::test]
async fn it_starts_without_postgres_and_accepts_orders_when_postgres_is_up() {
    let api = Api::start(Network::Down).await;
    api.assert_unavailable().await;
    api.proxy.set(Network::Up);
    api.assert_recovers().await;
}

#[tokio::test]
async fn it_answers_503_in_time_while_postgres_is_down_and_then_recovers() {
    let api = Api::start(Network::Up).await;
    api.assert_recovers().await;
    api.proxy.set(Network::Down);
    api.assert_unavailable().await;
    api.proxy.set(Network::Up);
    api.assert_recovers().await;
}

#[tokio::test]
async fn requests_fail_in_time_when_postgres_stops_responding() {
    let api = Api::start(Network::Up).await;
    api.assert_recovers().await;
    api.proxy.set(Network::Silent);
    api.assert_unavailable().await;
    api.proxy.set(Network::Up);
    api.assert_recovers().await;
}
