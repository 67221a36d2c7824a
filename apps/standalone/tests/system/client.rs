use std::collections::HashMap;
use std::time::Duration;

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use test_support::eventually;
use tokio::task::JoinSet;

use crate::sandbox::{SERVICES, Sandbox, Service};

/// Timeout of requests.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(8);

/// A client of one instance.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    port: u16,
}

/// An order that was answered with 201, and its number of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Confirmed {
    pub(crate) id: String,
    pub(crate) events: usize,
}

impl Client {
    pub(crate) fn new(sandbox: &Sandbox) -> Self {
        adapter_kafka::tls::prepare();
        // Like gateways, closes idle connections before the server does (after 75 s).
        let http = reqwest::Client::builder().no_proxy().pool_idle_timeout(Duration::from_mins(1));
        let http = http.timeout(REQUEST_TIMEOUT).build().unwrap();
        Self { http, port: sandbox.port }
    }

    /// A request to a service.
    pub(crate) fn request(
        &self,
        method: Method,
        service: Service,
        path: &str,
    ) -> reqwest::RequestBuilder {
        self.http.request(method, self.url(service, path))
    }

    fn url(&self, service: Service, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port + service as u16)
    }

    pub(crate) async fn post_order(&self, name: &str) -> reqwest::Result<Response> {
        let body = json!({"customerName": name, "items": [{"productId": 1, "quantity": 2}]});
        self.http.post(self.url(Service::OrderApi, "/api/orders")).json(&body).send().await
    }

    /// Places an order. Returns `None` if it was not answered with 201.
    pub(crate) async fn try_place(&self, name: &str) -> Option<Confirmed> {
        let answer = self.post_order(name).await.ok()?;
        if answer.status() != StatusCode::CREATED {
            return None;
        }
        let body: Value = answer.json().await.ok()?;
        Some(Confirmed { id: body["orderId"].as_str()?.to_owned(), events: 1 })
    }

    /// Places an order. Panics if it was not answered with 201.
    pub(crate) async fn place(&self, name: &str) -> Confirmed {
        let answer = self.post_order(name).await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED, "{}", answer.text().await.unwrap());
        let body: Value = answer.json().await.unwrap();
        Confirmed { id: body["orderId"].as_str().unwrap().to_owned(), events: 1 }
    }

    /// Cancels an order. Panics if it was not answered with 200.
    pub(crate) async fn cancel(&self, order: &mut Confirmed) {
        let path = format!("/api/orders/{}/cancel", order.id);
        let body = json!({"reason": "changed my mind"});
        let url = self.url(Service::OrderApi, &path);
        let answer = self.http.post(url).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{}", answer.text().await.unwrap());
        order.events += 1;
    }

    pub(crate) async fn get(&self, service: Service, path: &str) -> Option<Value> {
        let answer = self.http.get(self.url(service, path)).send().await.ok()?;
        if !answer.status().is_success() {
            return None;
        }
        answer.json().await.ok()
    }

    pub(crate) async fn status(&self, service: Service, path: &str) -> Option<u16> {
        let answer = self.http.get(self.url(service, path)).send().await.ok()?;
        Some(answer.status().as_u16())
    }

    pub(crate) async fn is_ready(&self, service: Service) -> bool {
        self.status(service, "/readyz").await == Some(200)
    }

    /// Waits until no service is ready, and checks that all are alive.
    pub(crate) async fn wait_until_not_ready(&self) {
        for service in SERVICES {
            eventually("the service is not ready", async || !self.is_ready(service).await).await;
            assert_eq!(self.status(service, "/livez").await, Some(200), "{service:?}");
        }
    }

    /// Waits until all services are ready.
    pub(crate) async fn wait_until_ready(&self) {
        for service in SERVICES {
            eventually("the service is ready", async || self.is_ready(service).await).await;
        }
    }

    /// The sum of a counter of the process over all series with this text in their labels.
    pub(crate) async fn counter(&self, name: &str, label: &str) -> u64 {
        let url = self.url(Service::OrderApi, "/metrics");
        let text = self.http.get(url).send().await.unwrap().text().await.unwrap();
        let samples = text.lines().filter(|line| line.starts_with(name) && line.contains(label));
        samples.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
    }

    /// The number of notifications of each version of the order.
    async fn notifications(&self, order: &Confirmed) -> Option<HashMap<i64, usize>> {
        let path = format!("/api/notifications?orderId={}", order.id);
        let page = self.get(Service::Notification, &path).await?;
        let mut counts = HashMap::new();
        for notification in page["items"].as_array()? {
            *counts.entry(notification["orderVersion"].as_i64()?).or_default() += 1;
        }
        Some(counts)
    }

    /// Waits until all events of these orders are in both read models, and checks that no
    /// notification is repeated.
    pub(crate) async fn wait_until_arrived(&self, orders: &[Confirmed]) {
        let mut waits = JoinSet::new();
        for order in orders {
            if waits.len() >= 8 {
                waits.join_next().await.unwrap().unwrap();
            }
            let (client, order) = (self.clone(), order.clone());
            waits.spawn(async move { client.wait_until_arrived_once(&order).await });
        }
        while let Some(wait) = waits.join_next().await {
            wait.unwrap();
        }
    }

    async fn wait_until_arrived_once(&self, order: &Confirmed) {
        let what = format!("{order:?} is in both read models");
        eventually(&what, || self.has_arrived(order)).await;
        let once = (1..=order.events).map(|version| (i64::try_from(version).unwrap(), 1));
        assert_eq!(self.notifications(order).await.unwrap(), once.collect(), "{order:?}");
    }

    async fn has_arrived(&self, order: &Confirmed) -> bool {
        let path = format!("/api/pharmacy/orders/{}", order.id);
        let Some(seen) = self.get(Service::Pharmacy, &path).await else { return false };
        let status = if order.events > 1 { "cancelled" } else { "draft" };
        let complete = seen["version"] == json!(order.events) && seen["missing"] == json!(0);
        let notified = self.notifications(order).await.is_some_and(|n| n.len() >= order.events);
        complete && seen["status"] == status && notified
    }
}
