//! Checks that the topic keeps its records, and keeps them in order.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adapter_kafka::topic::{self, Deviation, Expected, Inspector, SETTINGS, Settings, Shape};
use adapter_kafka::{Cluster, PARTITIONS};
use adapter_outbox::{ContextOutbox, Topics};
use adapter_postgres::Database;
use metrics::{describe_gauge, gauge};
use runtime::{StartError, one_line};
use tokio::time::{sleep, timeout};
use tracing::{debug, info, warn};

use crate::RelayArgs;
use crate::halt::Halt;
use crate::readers_watch::watch_readers;

/// The cause in [`Halt`].
const CAUSE: &str = "topic";

/// The interval of the checks while the relay is halted.
const HALTED_INTERVAL: Duration = Duration::from_secs(5);

/// How long a new topic may be unknown to some brokers.
const SPREAD: Duration = Duration::from_secs(10);

/// The wait between two questions whether a broker knows a new topic.
const SPREAD_POLL: Duration = Duration::from_millis(100);

/// The name of the warning that the settings cannot be read.
const UNDESCRIBED: &str = "description";

/// Checks the topic. Stops the relay if events could be reordered, and warns if they could be lost.
pub(crate) struct TopicWatch {
    cluster: Cluster,
    inspector: Inspector,
    topics: Topics,
    outbox: &'static ContextOutbox,
    replication: i32,
    outbox_retention: Duration,
    halt: Halt,
    warnings: TopicWarnings,
}

impl TopicWatch {
    pub(crate) fn new(
        cluster: &Cluster,
        database: &Database,
        outbox: &'static ContextOutbox,
        args: &RelayArgs,
        halt: &Halt,
    ) -> Result<Self, StartError> {
        Ok(Self {
            cluster: cluster.clone(),
            inspector: Inspector::new(cluster)
                .map_err(|error| StartError::other("cannot use Kafka", error))?,
            topics: Topics::new(database),
            outbox,
            replication: args.kafka_topic_replication.into(),
            outbox_retention: Duration::from_hours(24) * args.outbox_retention_days,
            halt: halt.clone(),
            warnings: TopicWarnings::of(database.schema()),
        })
    }

    /// The problems that do not stop the relay.
    pub(crate) const fn warnings(&self) -> &TopicWarnings {
        &self.warnings
    }

    /// Creates the topic if it does not exist, and halts the relay if it must not be published to.
    ///
    /// # Errors
    /// Why the topic cannot be created or checked, in one line. A retry may succeed.
    pub(crate) async fn prepare(&self) -> Result<(), String> {
        let name = self.inspector.topic();
        let known = self.topics.partitions(name).await.map_err(|error| one_line(&error))?;
        let created = topic::ensure(&self.cluster, known.unwrap_or(PARTITIONS), self.replication);
        if created.await.map_err(|error| one_line(&error))? {
            if known.is_some() {
                warn!(
                    topic = name,
                    "the topic was deleted and is now created again; its records are lost; publish \
                     the events in the outbox again with `{} replay`",
                    self.outbox.command
                );
            }
            self.wait_until_known().await;
        }
        self.check_shape().await.map(drop)
    }

    /// Waits until a broker knows the new topic. Without this, the check would report that it was deleted.
    async fn wait_until_known(&self) {
        let known = async {
            while !self.is_there().await {
                sleep(SPREAD_POLL).await;
            }
        };
        // If it takes longer, the check reports it.
        let _ = timeout(SPREAD, known).await;
    }

    /// Whether the topic exists.
    pub(crate) async fn is_there(&self) -> bool {
        self.inspector.shape().await.is_ok_and(|shape| shape.is_some())
    }

    /// Checks the topic and the groups that read it, now and after each period, forever.
    pub(crate) async fn watch(&self, period: Duration) {
        describe_gauge!("topic_deviation", "1 while this setting of the topic is wrong");
        let schema = self.warnings.schema;
        let readers = watch_readers(&self.cluster, self.outbox, schema, period);
        tokio::join!(self.check_every(period), readers);
    }

    /// Checks the topic, more often while the relay is halted.
    async fn check_every(&self, period: Duration) {
        loop {
            if let Err(why) = self.check().await {
                // The workers report that Kafka or Postgres cannot be reached.
                debug!("cannot check the topic: {why}");
            }
            let is_halted = self.halt.reason().is_some();
            sleep(if is_halted { period.min(HALTED_INTERVAL) } else { period }).await;
        }
    }

    async fn check(&self) -> Result<(), String> {
        let Some((shape, expected)) = self.check_shape().await? else { return Ok(()) };
        match self.inspector.settings().await {
            Ok(Some(settings)) => {
                self.warnings.set(&topic::deviations(shape, &settings, &expected), None);
            }
            // The shape was checked anyway.
            Ok(None) => {
                debug!("cannot read the settings of the topic: no broker answered");
            }
            Err(refused) => {
                let found = topic::deviations(shape, &Settings::new(), &expected);
                self.warnings.set(&found, Some(one_line(&refused)));
            }
        }
        Ok(())
    }

    /// Halts the relay if events could be reordered. Otherwise ends the halt.
    async fn check_shape(&self) -> Result<Option<(Shape, Expected)>, String> {
        let shape = self.inspector.shape().await.map_err(|error| one_line(&error))?;
        let name = self.inspector.topic();
        let Some(shape) = shape else {
            self.halt.set(
                CAUSE,
                Some(format!(
                    "the topic {name} does not exist any more; create it with the same partitions, or \
                     restart a relay, which creates it; then publish the events in the outbox \
                     again with `{} replay`",
                    self.outbox.command
                )),
            );
            return Ok(None);
        };
        let first = self.topics.first_partitions(name, shape.partitions).await;
        let expected = Expected {
            partitions: first.map_err(|error| one_line(&error))?,
            replication: self.replication,
            outbox_retention: self.outbox_retention,
        };
        let found = topic::deviations(shape, &Settings::new(), &expected);
        let reason = found.into_iter().find(|deviation| deviation.stops).map(|found| found.what);
        self.halt.set(CAUSE, reason);
        Ok(Some((shape, expected)))
    }
}

/// Problems of the topic that do not stop the relay. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct TopicWarnings {
    /// The schema of the outbox.
    schema: &'static str,
    warnings: Arc<Mutex<BTreeMap<&'static str, String>>>,
}

impl TopicWarnings {
    /// No warning so far. `schema` is the one of the outbox.
    fn of(schema: &'static str) -> Self {
        Self { schema, warnings: Arc::default() }
    }

    /// All warnings, for `/readyz`.
    pub(crate) fn text(&self) -> Option<String> {
        let warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        let all: Vec<&str> = warnings.values().map(String::as_str).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// Stores the result of a check. Each change is logged once. The gauge
    /// `topic_deviation{setting, schema}` is 1 while a setting is wrong.
    fn set(&self, found: &[Deviation], undescribed: Option<String>) {
        let mut now: BTreeMap<&'static str, String> =
            undescribed.map(|why| (UNDESCRIBED, why)).into_iter().collect();
        for setting in SETTINGS {
            let deviation = found.iter().find(|deviation| deviation.setting == setting);
            gauge!("topic_deviation", "setting" => setting, "schema" => self.schema)
                .set(u8::from(deviation.is_some()));
            // Deviations that stop the relay are reported by the halt.
            now.extend(deviation.filter(|d| !d.stops).map(|d| (setting, d.what.clone())));
        }
        gauge!("topic_deviation", "setting" => UNDESCRIBED, "schema" => self.schema)
            .set(u8::from(now.contains_key(UNDESCRIBED)));
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        for (setting, what) in &now {
            if warnings.get(setting) != Some(what) {
                warn!(setting, "problem of the topic: {what}");
            }
        }
        for setting in warnings.keys().filter(|setting| !now.contains_key(*setting)) {
            info!(setting, "problem of the topic is solved");
        }
        *warnings = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_shown_until_they_are_resolved() {
        let warnings = TopicWarnings::of("parcels");
        let deviation = |setting, stops| Deviation { setting, what: format!("{setting}!"), stops };
        warnings.set(
            &[deviation("cleanup.policy", false), deviation("partitions", true)],
            Some("not allowed".to_owned()),
        );
        assert_eq!(warnings.text().as_deref(), Some("cleanup.policy!; not allowed"));
        warnings.set(&[], None);
        assert_eq!(warnings.text(), None);
    }
}
