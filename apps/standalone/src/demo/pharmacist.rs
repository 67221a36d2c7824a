use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::chance::Chance;
use super::customer::CUSTOMER;
use crate::endpoints::Endpoints;

/// How many orders are in work at the same time.
const ORDERS: usize = 128;

/// Maximum number of concurrent requests. It leaves the pharmacy room to receive orders.
const REQUESTS: usize = 6;

/// The longest pause before an action.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// The pause before the list of open orders is read again.
const LIST_PAUSE: Duration = Duration::from_millis(50);

/// At each step at which it is possible, one order of this number is rejected.
const REJECTS_ONE_IN: u64 = 25;

/// A timeout, so that a request that hangs does not stop the work.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A pharmacist who works on all open orders of demos, the oldest first, until they are dispensed or
/// rejected.
/// He makes random choices.
#[derive(Debug, Clone)]
pub(super) struct Pharmacist {
    client: Client,
    orders: String,
    seed: u32,
    /// The orders that are in work.
    in_work: Arc<Mutex<HashSet<Uuid>>>,
    requests: Arc<Semaphore>,
    done: Arc<Work>,
}

/// What a pharmacist has done.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// Actions that were carried out.
    pub(super) actions: AtomicU64,
    /// Actions that were refused with 409 or 412: a customer has cancelled meanwhile, or the list was old.
    pub(super) refused: AtomicU64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OpenOrder {
    order_id: Uuid,
    customer_name: Option<String>,
    allowed_actions: Vec<String>,
    pharmacy_version: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    items: Vec<OpenOrder>,
    next_cursor: Option<String>,
}

impl OpenOrder {
    fn is_of_the_demo(&self) -> bool {
        self.customer_name.as_deref().is_some_and(|name| name.starts_with(CUSTOMER))
    }
}

impl Pharmacist {
    pub(super) fn new(client: Client, endpoints: &Endpoints, seed: u32) -> Self {
        let orders = format!("{}/api/pharmacy/orders", endpoints.pharmacy_order);
        let requests = Arc::new(Semaphore::new(REQUESTS));
        Self { client, orders, seed, in_work: Arc::default(), requests, done: Arc::default() }
    }

    /// What he has done so far.
    pub(super) fn done(&self) -> &Work {
        &self.done
    }

    /// Works until `stop` is cancelled. Then he finishes the actions that he has begun.
    pub(super) async fn work(&self, stop: &CancellationToken) {
        let (permits, tasks) = (Arc::new(Semaphore::new(ORDERS)), TaskTracker::new());
        let taking = async {
            loop {
                self.take_open_orders(&permits, &tasks, stop).await;
                sleep(LIST_PAUSE).await;
            }
        };
        stop.run_until_cancelled(taking).await;
        tasks.close();
        tasks.wait().await;
    }

    /// Takes each open order that is not in work. Ends early if the list cannot be read.
    async fn take_open_orders(
        &self,
        permits: &Arc<Semaphore>,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) {
        let all = "status=draft,confirmed,in_preparation,ready&order=oldest&limit=100";
        let mut url = format!("{}?{all}", self.orders);
        while let Some(Page { items, next_cursor }) = self.get(&url).await {
            for order in items.into_iter().filter(OpenOrder::is_of_the_demo) {
                let id = order.order_id;
                if !self.in_work().insert(id) {
                    continue;
                }
                let Ok(permit) = permits.clone().acquire_owned().await else { return };
                let (pharmacist, stop) = (self.clone(), stop.clone());
                tasks.spawn(async move {
                    pharmacist.work_on(order, &stop).await;
                    pharmacist.in_work().remove(&id);
                    drop(permit);
                });
            }
            let Some(cursor) = next_cursor else { return };
            url = format!("{}?{all}&cursor={cursor}", self.orders);
        }
    }

    fn in_work(&self) -> std::sync::MutexGuard<'_, HashSet<Uuid>> {
        self.in_work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on an order until nothing is left to do, or a request fails. Then the next list has it.
    async fn work_on(&self, mut order: OpenOrder, stop: &CancellationToken) {
        let name = format!("work for {}", order.customer_name.as_deref().unwrap_or_default());
        let mut chance = Chance::about(&name, self.seed);
        while let Some(action) = choose(&order.allowed_actions, &mut chance) {
            let pause = sleep(chance.below(LONGEST_PAUSE));
            if stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
            let Some(next) = self.act(&order, action).await else { return };
            order = next;
        }
    }

    /// Carries out an action and returns the order as it is then.
    async fn act(&self, order: &OpenOrder, action: &str) -> Option<OpenOrder> {
        let url = format!("{}/{}", self.orders, order.order_id);
        let tag = format!("\"{}\"", order.pharmacy_version);
        let mut request = self.client.post(format!("{url}/{action}")).header("if-match", tag);
        if action == "reject" {
            request = request.json(&json!({"code": "out_of_stock", "text": "We have none left"}));
        }
        let answer = self.send(request).await?;
        match answer.status() {
            StatusCode::OK => {
                self.done.actions.fetch_add(1, Ordering::Relaxed);
                answer.json().await.ok()
            }
            StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED => {
                self.done.refused.fetch_add(1, Ordering::Relaxed);
                self.get(&url).await
            }
            _ => None,
        }
    }

    async fn get<T: DeserializeOwned>(&self, url: &str) -> Option<T> {
        let answer = self.send(self.client.get(url)).await?;
        if answer.status() != StatusCode::OK {
            return None;
        }
        answer.json().await.ok()
    }

    /// `None` if the service does not answer.
    async fn send(&self, request: RequestBuilder) -> Option<Response> {
        let _permit = self.requests.acquire().await.ok()?;
        request.timeout(TIMEOUT).send().await.ok()
    }
}

/// The next action; `None` if the order is done.
fn choose<'a>(allowed: &'a [String], chance: &mut Chance) -> Option<&'a str> {
    let rejects = chance.one_in(REJECTS_ONE_IN);
    let (reject, others): (Vec<&str>, Vec<&str>) =
        allowed.iter().map(String::as_str).partition(|action| *action == "reject");
    if rejects { reject.first().or(others.first()).copied() } else { others.first().copied() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_dispensed_or_rejected_and_nothing_is_done_when_nothing_is_allowed() {
        let mut chance = Chance::about("Ada", 1);
        let allowed = ["confirm".to_owned(), "reject".to_owned()];
        let chosen: Vec<_> = (0..1000).filter_map(|_| choose(&allowed, &mut chance)).collect();
        let rejected = chosen.iter().filter(|action| **action == "reject").count();
        assert!(chosen.len() == 1000 && (15..85).contains(&rejected), "{rejected} of 1000");
        assert_eq!(choose(&[], &mut chance), None);
    }
}
