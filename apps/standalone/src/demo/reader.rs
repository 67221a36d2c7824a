use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use application::notification::EventType;
use chrono::{DateTime, Utc};
use indicatif::ProgressBar;
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::customer::PlacedOrder;
use super::pharmacist::Work;
use crate::endpoints::Endpoints;

/// Maximum number of concurrent requests.
const CONCURRENT: usize = 16;

/// Reads orders from ordering and from the read models of the pharmacy and of notification.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    client: Client,
    orders: String,
    pharmacy: String,
    notifications: String,
    /// The id of the webhook of the demo.
    webhook: Option<String>,
}

/// An order in ordering and in the read models.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub(super) order: Option<Order>,
    pub(super) pharmacy: Option<PharmacyOrder>,
    pub(super) notifications: Vec<Notification>,
}

/// An order in ordering.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Order {
    pub(super) status: String,
    /// The number of its events.
    pub(super) version: i64,
    pub(super) history: Vec<Change>,
}

/// An order in the pharmacy.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PharmacyOrder {
    pub(super) status: String,
    /// The number of the pharmacy's own events.
    pub(super) pharmacy_version: i64,
    pub(super) history: Vec<Change>,
    /// The highest version of the order among the received events.
    pub(super) version: i64,
    /// The number of earlier events that were not received.
    pub(super) missing: i64,
    pub(super) received_at: DateTime<Utc>,
}

/// A status and when it was reached.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Change {
    pub(super) status: String,
    pub(super) at: DateTime<Utc>,
}

/// A notification: one event, sent to one receiver.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Notification {
    /// `log`, `email` or `webhook`.
    pub(super) channel: String,
    /// The id of the receiver.
    pub(super) destination: String,
    pub(super) event_id: Uuid,
    pub(super) event_type: Option<String>,
    /// The version of the order after the event.
    pub(super) order_version: i64,
    pub(super) state: String,
    pub(super) recorded_at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Items<T> {
    items: Vec<T>,
}

impl Seen {
    /// Whether the order never changes again, all its events have arrived, and customers and this webhook
    /// were told of them.
    fn is_complete(&self, webhook: Option<&str>) -> bool {
        let (Some(order), Some(pharmacy)) = (&self.order, &self.pharmacy) else { return false };
        let events: HashSet<Uuid> = self.logged().map(|n| n.event_id).collect();
        order.is_final()
            && !self.notifications.iter().any(|notification| notification.is_awaited(webhook))
            && pharmacy.version >= order.version
            && usize::try_from(order.version).is_ok_and(|version| events.len() >= version)
    }

    /// The notifications on the channel `log`: one for each event.
    pub(super) fn logged(&self) -> impl Iterator<Item = &Notification> {
        self.notifications.iter().filter(|notification| notification.channel == "log")
    }

    /// The number of the order's events.
    pub(super) fn events(&self) -> usize {
        self.order.as_ref().and_then(|order| order.version.try_into().ok()).unwrap_or(1)
    }

    /// The number of the pharmacy's events about the order.
    pub(super) fn pharmacy_events(&self) -> usize {
        let version = self.pharmacy.as_ref().map(|pharmacy| pharmacy.pharmacy_version);
        version.and_then(|version| version.try_into().ok()).unwrap_or(0)
    }
}

impl Notification {
    /// What happened to the order.
    pub(super) fn event(&self) -> Option<EventType> {
        self.event_type.as_deref()?.parse().ok()
    }

    /// Whether it is a letter or a call of this webhook, and is not sent yet.
    fn is_awaited(&self, webhook: Option<&str>) -> bool {
        let counts = match self.channel.as_str() {
            "email" => true,
            // Others may have webhooks that fail.
            "webhook" => Some(self.destination.as_str()) == webhook,
            _ => false,
        };
        counts && self.state == "pending"
    }
}

impl Order {
    /// Whether the status never changes again. Then the pharmacy has answered every request to cancel.
    pub(super) fn is_final(&self) -> bool {
        matches!(self.status.as_str(), "completed" | "rejected" | "cancelled")
    }
}

impl Reader {
    pub(super) fn new(client: Client, endpoints: &Endpoints, webhook: Option<String>) -> Self {
        Self {
            client,
            orders: format!("{}/api/orders", endpoints.order_api),
            pharmacy: format!("{}/api/pharmacy/orders", endpoints.pharmacy_order),
            notifications: format!("{}/api/notifications", endpoints.notification),
            webhook,
        }
    }

    /// Reads until every order is final and complete in both read models and everybody was told, or until, for `patience`, no
    /// order was completed and `work` did not change. Then reads all orders once more, to find repeated
    /// notifications.
    pub(super) async fn wait_for(
        &self,
        orders: &[PlacedOrder],
        bar: &ProgressBar,
        work: &Work,
        patience: Duration,
        stop: &CancellationToken,
    ) -> HashMap<Uuid, Seen> {
        let mut waiting: Vec<&PlacedOrder> = orders.iter().collect();
        let mut progress = Instant::now();
        let mut actions = 0;
        while !waiting.is_empty() && progress.elapsed() < patience && !stop.is_cancelled() {
            let seen = self.read_all(&waiting).await;
            let before = waiting.len();
            let complete = |seen: &Seen| seen.is_complete(self.webhook.as_deref());
            waiting.retain(|order| !seen.get(&order.id).is_some_and(complete));
            // The pharmacist may be busy with older orders.
            let now = work.actions.load(Ordering::Relaxed);
            if now > actions {
                (actions, progress) = (now, Instant::now());
            }
            if waiting.len() < before {
                progress = Instant::now();
                bar.inc((before - waiting.len()) as u64);
            } else {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        self.read_all(&orders.iter().collect::<Vec<_>>()).await
    }

    async fn read_all(&self, orders: &[&PlacedOrder]) -> HashMap<Uuid, Seen> {
        let mut found = HashMap::with_capacity(orders.len());
        let mut reads = JoinSet::new();
        for order in orders {
            if reads.len() >= CONCURRENT
                && let Some(Ok((id, seen))) = reads.join_next().await
            {
                found.insert(id, seen);
            }
            let (reader, id) = (self.clone(), order.id);
            reads.spawn(async move { (id, reader.read(id).await) });
        }
        while let Some(read) = reads.join_next().await {
            if let Ok((id, seen)) = read {
                found.insert(id, seen);
            }
        }
        found
    }

    async fn read(&self, id: Uuid) -> Seen {
        // In this sequence: an order that is final in ordering does not change in the pharmacy.
        let order = self.get(format!("{}/{id}", self.orders)).await;
        let pharmacy = self.get(format!("{}/{id}", self.pharmacy)).await;
        let url = format!("{}?orderId={id}&limit=100", self.notifications);
        let notifications = self.get(url).await.map_or_else(Vec::new, |Items { items }| items);
        Seen { order, pharmacy, notifications }
    }

    /// Returns `None` if there is nothing, or if the request fails: callers retry.
    async fn get<T: DeserializeOwned>(&self, url: String) -> Option<T> {
        let answer = self.client.get(url).timeout(Duration::from_secs(5)).send().await.ok()?;
        if answer.status() != StatusCode::OK {
            return None;
        }
        answer.json().await.ok()
    }
}
