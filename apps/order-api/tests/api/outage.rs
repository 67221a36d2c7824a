use std::time::{Duration, Instant};

use adapter_ordering as ordering;
use adapter_postgres::MigrationGate;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use embedded_postgres::testing::fresh_database;
use order_api::router;
use runtime::config::DatabaseArgs;
use runtime::config::MAX_IN_FLIGHT;

use crate::client::{an_order, post, send, until};
use crate::proxy::{Line, Proxy};

/// An order-api whose way to Postgres can be cut.
struct Outage {
    proxy: Proxy,
    router: Router,
}

impl Outage {
    async fn new(line: Line) -> Self {
        let url = fresh_database().await.unwrap().url().to_owned();
        let (credentials, rest) = url.split_once('@').unwrap();
        let (server, name) = rest.split_once('/').unwrap();
        let proxy = Proxy::to(server.parse().unwrap(), line).await;
        let database_url = format!("{credentials}@{}/{name}", proxy.addr);
        let args = DatabaseArgs::at(database_url, 4);
        let database = adapter_ordering::database(&args, "test").unwrap();
        let tables = MigrationGate::default();
        let router = router(&database, &tables, MAX_IN_FLIGHT).unwrap();
        tokio::spawn(async move { tables.prepare(|| ordering::migrate(&database)).await });
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

    async fn recovers(&self) {
        until("being ready", async || self.ready().await == StatusCode::OK).await;
        assert_eq!(self.place().await, StatusCode::CREATED);
    }
}

#[tokio::test]
async fn it_starts_without_postgres_and_takes_orders_once_postgres_is_there() {
    let outage = Outage::new(Line::Cut).await;
    outage.assert_unavailable().await;
    outage.proxy.set(Line::Up);
    outage.recovers().await;
}

#[tokio::test]
async fn while_postgres_is_down_it_says_so_in_time_and_then_recovers() {
    let outage = Outage::new(Line::Up).await;
    outage.recovers().await;
    outage.proxy.set(Line::Cut);
    outage.assert_unavailable().await;
    outage.proxy.set(Line::Up);
    outage.recovers().await;
}

#[tokio::test]
async fn a_postgres_that_vanished_without_a_word_keeps_nobody_waiting() {
    let outage = Outage::new(Line::Up).await;
    outage.recovers().await;
    outage.proxy.set(Line::Silent);
    outage.assert_unavailable().await;
    outage.proxy.set(Line::Up);
    outage.recovers().await;
}
