//! A batch takes effect, however long the store or the registry is away.

use std::sync::atomic::Ordering;
use std::time::Duration;

use application::inbox::{Inbox, receive};
use application::published::{Incoming, RawRecord};
use rdkafka::consumer::Consumer;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{Fetched, MOST_RECORDS, Member};
use crate::kafka::consumer::measure;
use crate::kafka::consumer::membership::Done;
use crate::one_line;

/// The first and the longest pause while the store or the registry is away.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What kept a batch from taking effect.
struct Outage {
    what: String,
    broken: bool,
}

impl Member {
    /// Takes a batch in, waiting out every outage; `None` if it was asked to stop meanwhile.
    pub(super) async fn take_in(
        &mut self,
        inbox: &impl Inbox,
        shutdown: &CancellationToken,
    ) -> Result<Option<Done>, String> {
        let size = self.fetched.len().min(MOST_RECORDS);
        let mut done = Done::default();
        let mut records = Vec::with_capacity(size);
        for Fetched { record, assignment } in self.fetched.drain(..size) {
            done.note((record.topic.clone(), record.partition), assignment, record.offset);
            records.push(record);
        }
        let mut batch = Vec::with_capacity(size);
        let mut pause = FIRST_PAUSE;
        let mut held = false;
        let mut told = false;
        loop {
            let Err(outage) = self.attempt(inbox, &records, &mut batch).await else {
                if held {
                    self.go_on();
                }
                return Ok(Some(done));
            };
            if !held {
                self.hold();
                held = true;
            }
            let Outage { what, broken } = outage;
            if broken {
                error!(group = self.group, "{what}; trying again, nothing is lost");
            } else if !told {
                // Once is enough: that it is over is told as well.
                warn!(group = self.group, "{what}; waiting, nothing is lost");
                told = true;
            }
            self.health.waits_for(what);
            if !self.wait(pause, shutdown).await? {
                return Ok(None);
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Reads what is not read yet of the records, and takes all in.
    async fn attempt(
        &self,
        inbox: &impl Inbox,
        records: &[RawRecord],
        batch: &mut Vec<Incoming>,
    ) -> Result<(), Outage> {
        for record in &records[batch.len()..] {
            let content = self
                .decoder
                .decode(record)
                .await
                .map_err(|error| Outage { what: one_line(&error), broken: false })?;
            batch.push(Incoming { record: record.clone(), content });
        }
        let intake = receive(inbox, batch)
            .await
            .map_err(|error| Outage { what: one_line(&error), broken: !error.is_unavailable() })?;
        measure::took_in(&self.group, batch, intake);
        Ok(())
    }

    /// Fetches nothing more until [`Self::go_on`], but stays in the group.
    fn hold(&self) {
        let events = self.consumer.context();
        events.holding.store(true, Ordering::Relaxed);
        if let Err(error) = self.consumer.pause(&events.membership.own()) {
            warn!(group = self.group, %error, "partitions could not be paused");
        }
    }

    fn go_on(&self) {
        let events = self.consumer.context();
        events.holding.store(false, Ordering::Relaxed);
        if let Err(error) = self.consumer.resume(&events.membership.own()) {
            warn!(group = self.group, %error, "partitions could not be resumed");
        }
        self.health.goes_on();
        info!(group = self.group, "going on");
    }

    /// Waits, polling, which is what keeps a member in its group. Records that were on their way
    /// when the partitions were paused are kept for the next batch. `false` if asked to stop.
    async fn wait(
        &mut self,
        pause: Duration,
        shutdown: &CancellationToken,
    ) -> Result<bool, String> {
        let until = Instant::now() + pause;
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return Ok(false),
                () = sleep_until(until) => return Ok(true),
                fetched = self.fetch() => self.fetched.extend(fetched?),
            }
        }
    }
}
