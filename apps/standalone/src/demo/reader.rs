use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use indicatif::ProgressBar;
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::customer::PlacedOrder;
use crate::endpoints::Endpoints;

/// Maximum number of concurrent requests.
const CONCURRENT: usize = 16;

/// Reads orders from the read models of the pharmacy and of notification.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    client: Client,
    pharmacy: String,
    notifications: String,
}

/// An order in the read models.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub(super) pharmacy: Option<PharmacyOrder>,
    pub(super) notifications: Vec<Notification>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PharmacyOrder {
    pub(super) status: String,
    pub(super) version: i64,
    pub(super) missing: i64,
    pub(super) received_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Notification {
    pub(super) event_id: Uuid,
    pub(super) recorded_at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Items<T> {
    items: Vec<T>,
}

impl Seen {
    /// Whether all events of the order have arrived.
    fn is_complete(&self, order: &PlacedOrder) -> bool {
        let in_pharmacy = self.pharmacy.as_ref().is_some_and(|seen| {
            usize::try_from(seen.version).is_ok_and(|version| version >= order.events())
        });
        let events: HashSet<Uuid> = self.notifications.iter().map(|n| n.event_id).collect();
        in_pharmacy && events.len() >= order.events()
    }
}

impl Reader {
    pub(super) fn new(client: Client, endpoints: &Endpoints) -> Self {
        Self {
            client,
            pharmacy: format!("{}/api/pharmacy/orders", endpoints.pharmacy_order),
            notifications: format!("{}/api/notifications", endpoints.notification),
        }
    }

    /// Reads until every order is complete in both read models, or no order was completed for
    /// `patience`. Then reads all orders once more, to find repeated notifications.
    pub(super) async fn wait_for(
        &self,
        orders: &[PlacedOrder],
        bar: &ProgressBar,
        patience: Duration,
        stop: &CancellationToken,
    ) -> HashMap<Uuid, Seen> {
        let mut waiting: Vec<&PlacedOrder> = orders.iter().collect();
        let mut progress = Instant::now();
        while !waiting.is_empty() && progress.elapsed() < patience && !stop.is_cancelled() {
            let seen = self.read_all(&waiting).await;
            let before = waiting.len();
            waiting.retain(|order| !seen.get(&order.id).is_some_and(|s| s.is_complete(order)));
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
        let pharmacy = self.get(format!("{}/{id}", self.pharmacy)).await;
        let url = format!("{}?orderId={id}", self.notifications);
        let notifications = self.get(url).await.map_or_else(Vec::new, |Items { items }| items);
        Seen { pharmacy, notifications }
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
