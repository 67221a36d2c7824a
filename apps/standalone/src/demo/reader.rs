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

/// How many questions are asked at the same time.
const CONCURRENT: usize = 16;

/// Looks orders up in the read models of the pharmacy and of notification.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    client: Client,
    pharmacy: String,
    notifications: String,
}

/// What the read models hold about one order.
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
    /// Whether everything that is to come has come.
    fn is_complete(&self, order: &PlacedOrder) -> bool {
        let told = self.pharmacy.as_ref().is_some_and(|seen| {
            usize::try_from(seen.version).is_ok_and(|version| version >= order.events())
        });
        let events: HashSet<Uuid> = self.notifications.iter().map(|n| n.event_id).collect();
        told && events.len() >= order.events()
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

    /// Looks until every order is complete in both read models, or nothing new has come for
    /// `patience`; then looks once more, for what may have come twice.
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
            let seen = self.look(&waiting).await;
            let before = waiting.len();
            waiting.retain(|order| !seen.get(&order.id).is_some_and(|s| s.is_complete(order)));
            if waiting.len() < before {
                progress = Instant::now();
                bar.inc((before - waiting.len()) as u64);
            } else {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        self.look(&orders.iter().collect::<Vec<_>>()).await
    }

    async fn look(&self, orders: &[&PlacedOrder]) -> HashMap<Uuid, Seen> {
        let mut found = HashMap::with_capacity(orders.len());
        let mut looks = JoinSet::new();
        for order in orders {
            if looks.len() >= CONCURRENT
                && let Some(Ok((id, seen))) = looks.join_next().await
            {
                found.insert(id, seen);
            }
            let (reader, id) = (self.clone(), order.id);
            looks.spawn(async move { (id, reader.look_at(id).await) });
        }
        while let Some(look) = looks.join_next().await {
            if let Ok((id, seen)) = look {
                found.insert(id, seen);
            }
        }
        found
    }

    async fn look_at(&self, id: Uuid) -> Seen {
        let pharmacy = self.get(format!("{}/{id}", self.pharmacy)).await;
        let url = format!("{}?orderId={id}", self.notifications);
        let notifications = self.get(url).await.map_or_else(Vec::new, |Items { items }| items);
        Seen { pharmacy, notifications }
    }

    /// What is there; nothing, where it is not there or the question fails, for it is asked again.
    async fn get<T: DeserializeOwned>(&self, url: String) -> Option<T> {
        let answer = self.client.get(url).timeout(Duration::from_secs(5)).send().await.ok()?;
        if answer.status() != StatusCode::OK {
            return None;
        }
        answer.json().await.ok()
    }
}
