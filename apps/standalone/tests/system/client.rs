use std::collections::HashMap;
use std::time::{Duration, Instant};

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::place::{Place, SERVICES, Service};

/// How long anything may take to come true before a test gives up.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long any answer may take.
const ANSWER: Duration = Duration::from_secs(8);

/// A client of one instance.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    port: u16,
}

/// An order that was confirmed, and how many events it has recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Confirmed {
    pub(crate) id: String,
    pub(crate) events: usize,
}

impl Client {
    pub(crate) fn of(place: &Place) -> Self {
        adapter_kafka::tls::prepare();
        // As gateways do it: the client closes an idle connection before the server does (75 s).
        let http = reqwest::Client::builder().no_proxy().pool_idle_timeout(Duration::from_mins(1));
        let http = http.timeout(ANSWER).build().unwrap();
        Self { http, port: place.port }
    }

    /// A request to a service, for tests that need more than the usual ones.
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
        let wish = json!({"customerName": name, "items": [{"productId": 1, "quantity": 2}]});
        self.http.post(self.url(Service::OrderApi, "/api/orders")).json(&wish).send().await
    }

    /// Places an order, if the API takes it.
    pub(crate) async fn try_place(&self, name: &str) -> Option<Confirmed> {
        let answer = self.post_order(name).await.ok()?;
        if answer.status() != StatusCode::CREATED {
            return None;
        }
        let body: Value = answer.json().await.ok()?;
        Some(Confirmed { id: body["orderId"].as_str()?.to_owned(), events: 1 })
    }

    /// Places an order, which the API must take.
    pub(crate) async fn place(&self, name: &str) -> Confirmed {
        let answer = self.post_order(name).await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED, "{}", answer.text().await.unwrap());
        let body: Value = answer.json().await.unwrap();
        Confirmed { id: body["orderId"].as_str().unwrap().to_owned(), events: 1 }
    }

    /// Cancels an order, which the API must do.
    pub(crate) async fn cancel(&self, order: &mut Confirmed) {
        let path = format!("/api/orders/{}/cancel", order.id);
        let wish = json!({"reason": "changed my mind"});
        let url = self.url(Service::OrderApi, &path);
        let answer = self.http.post(url).json(&wish).send().await.unwrap();
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

    /// Waits until each service says that it is not ready; all stay alive.
    pub(crate) async fn nobody_is_ready(&self) {
        for service in SERVICES {
            eventually("each says that it is not ready", async || !self.is_ready(service).await)
                .await;
            assert_eq!(self.status(service, "/livez").await, Some(200), "{service:?}");
        }
    }

    /// Waits until each service says that it is ready.
    pub(crate) async fn everybody_is_ready(&self) {
        for service in SERVICES {
            eventually("each recovers", async || self.is_ready(service).await).await;
        }
    }

    /// A counter of the process, over all labels that contain `label`.
    pub(crate) async fn counter(&self, name: &str, label: &str) -> u64 {
        let url = self.url(Service::OrderApi, "/metrics");
        let text = self.http.get(url).send().await.unwrap().text().await.unwrap();
        let samples = text.lines().filter(|line| line.starts_with(name) && line.contains(label));
        samples.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
    }

    /// How many notifications there are of each of the order's versions.
    async fn notifications(&self, order: &Confirmed) -> Option<HashMap<i64, usize>> {
        let path = format!("/api/notifications?orderId={}", order.id);
        let page = self.get(Service::Notification, &path).await?;
        let mut counts = HashMap::new();
        for notification in page["items"].as_array()? {
            *counts.entry(notification["orderVersion"].as_i64()?).or_default() += 1;
        }
        Some(counts)
    }

    /// Waits until each order is in both read models with all its events, and checks that nothing
    /// is there twice.
    pub(crate) async fn all_arrive(&self, orders: &[Confirmed]) {
        let mut looks = JoinSet::new();
        for order in orders {
            if looks.len() >= 8 {
                looks.join_next().await.unwrap().unwrap();
            }
            let (client, order) = (self.clone(), order.clone());
            looks.spawn(async move { client.arrives_once(&order).await });
        }
        while let Some(look) = looks.join_next().await {
            look.unwrap();
        }
    }

    async fn arrives_once(&self, order: &Confirmed) {
        let what = format!("{order:?} is in both read models");
        eventually(&what, || self.has_arrived(order)).await;
        let once = (1..=order.events).map(|version| (i64::try_from(version).unwrap(), 1));
        assert_eq!(self.notifications(order).await.unwrap(), once.collect(), "{order:?}");
    }

    async fn has_arrived(&self, order: &Confirmed) -> bool {
        let path = format!("/api/pharmacy/orders/{}", order.id);
        let Some(seen) = self.get(Service::Pharmacy, &path).await else { return false };
        let status = if order.events > 1 { "cancelled" } else { "draft" };
        let told = seen["version"] == json!(order.events) && seen["missing"] == json!(0);
        let notified = self.notifications(order).await.is_some_and(|n| n.len() >= order.events);
        told && seen["status"] == status && notified
    }
}

/// Asks again until it is so.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "it never came that {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
