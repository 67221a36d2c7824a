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

/// An order that was answered with 201, and what it must become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Confirmed {
    pub(crate) id: String,
    /// Its status in ordering.
    pub(crate) status: &'static str,
    /// Its number of events in ordering.
    pub(crate) events: usize,
    /// Its number of events in the pharmacy.
    pub(crate) pharmacy_events: usize,
}

impl Confirmed {
    /// An order that was placed and nothing else.
    pub(crate) fn new(id: &str) -> Self {
        Self { id: id.to_owned(), status: "created", events: 1, pharmacy_events: 0 }
    }

    /// The same order after the customer has asked to cancel it and the pharmacy has cancelled it.
    pub(crate) fn cancelled(self) -> Self {
        Self { status: "cancelled", events: 3, pharmacy_events: 1, ..self }
    }

    /// Its status in the pharmacy.
    fn pharmacy_status(&self) -> &'static str {
        match self.status {
            "created" => "draft",
            "completed" => "dispensed",
            same => same,
        }
    }
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
        Some(Confirmed::new(body["orderId"].as_str()?))
    }

    /// Places an order. Panics if it was not answered with 201.
    pub(crate) async fn place(&self, name: &str) -> Confirmed {
        let answer = self.post_order(name).await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED, "{}", answer.text().await.unwrap());
        let body: Value = answer.json().await.unwrap();
        Confirmed::new(body["orderId"].as_str().unwrap())
    }

    /// Stores the address of a customer, who wants all letters.
    pub(crate) async fn put_contact(&self, customer: &str, email: &str) {
        let path = format!("/api/customers/{customer}");
        let body = json!({"email": email, "language": "en"});
        let request = self.request(Method::PUT, Service::Notification, &path).json(&body);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// The letters to this address that the embedded mail server shows, oldest first.
    pub(crate) async fn letters(&self, email: &str) -> Vec<Value> {
        let path = format!("/api/mails?to={email}");
        let mut letters = self.get(Service::Letters, &path).await.unwrap();
        let letters = letters.as_array_mut().unwrap();
        letters.reverse();
        std::mem::take(letters)
    }

    /// A request to cancel an order.
    pub(crate) fn cancellation(&self, order: &Confirmed) -> reqwest::RequestBuilder {
        let path = format!("/api/orders/{}/cancel", order.id);
        let request = self.request(Method::POST, Service::OrderApi, &path);
        request.json(&json!({"reason": "changed my mind"}))
    }

    /// Asks to cancel an order on which no pharmacist works. Panics if it was not answered with 202.
    pub(crate) async fn cancel(&self, order: &mut Confirmed) {
        let answer = self.cancellation(order).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED, "{}", answer.text().await.unwrap());
        *order = order.clone().cancelled();
    }

    /// Lets a pharmacist work on the order until it is dispensed.
    pub(crate) async fn dispense(&self, order: &mut Confirmed) {
        for action in ["confirm", "start", "ready", "dispense"] {
            self.act(order, action, &Value::Null).await;
        }
        order.status = "completed";
        order.events += 3;
        order.pharmacy_events += 4;
    }

    /// Lets a pharmacist reject the order for this reason.
    pub(crate) async fn reject(&self, order: &mut Confirmed, text: &str) {
        self.act(order, "reject", &json!({"code": "other", "text": text})).await;
        order.status = "rejected";
        order.events += 1;
        order.pharmacy_events += 1;
    }

    /// Carries out an action in the pharmacy as soon as it is allowed.
    async fn act(&self, order: &Confirmed, action: &str, body: &Value) {
        let path = format!("/api/pharmacy/orders/{}", order.id);
        let allowed = |seen: &Value| {
            seen["allowedActions"].as_array().is_some_and(|all| all.contains(&json!(action)))
        };
        eventually("the action is allowed", async || {
            self.get(Service::Pharmacy, &path).await.is_some_and(|seen| allowed(&seen))
        })
        .await;
        let seen = self.get(Service::Pharmacy, &path).await.unwrap();
        let request = self.request(Method::POST, Service::Pharmacy, &format!("{path}/{action}"));
        let request = request.header("if-match", format!("\"{}\"", seen["pharmacyVersion"]));
        let request = if body.is_null() { request } else { request.json(body) };
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{action}: {}", answer.text().await.unwrap());
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

    /// The number of notifications of each version of the order on the channel `log`.
    async fn notifications(&self, order: &Confirmed) -> Option<HashMap<i64, usize>> {
        let path = format!("/api/notifications?channel=log&orderId={}", order.id);
        let page = self.get(Service::Notification, &path).await?;
        let mut counts = HashMap::new();
        for notification in page["items"].as_array()? {
            *counts.entry(notification["orderVersion"].as_i64()?).or_default() += 1;
        }
        Some(counts)
    }

    /// Waits until all events of these orders are in both read models, and ordering and the pharmacy agree
    /// on them. Checks that no notification is repeated.
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
        let complete = seen["version"] == json!(order.events)
            && seen["missing"] == json!(0)
            && seen["pharmacyVersion"] == json!(order.pharmacy_events)
            && seen["status"] == order.pharmacy_status();
        let path = format!("/api/orders/{}", order.id);
        let Some(ours) = self.get(Service::OrderApi, &path).await else { return false };
        let agrees = ours["version"] == json!(order.events) && ours["status"] == order.status;
        let notified = self.notifications(order).await.is_some_and(|n| n.len() >= order.events);
        complete && agrees && notified
    }
}
