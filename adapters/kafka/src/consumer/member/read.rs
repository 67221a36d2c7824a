//! The next batch is read, however long the registry is away.

use std::collections::HashSet;

use application::inbox::Batch;
use application::one_line;
use application::published::{Content, Incoming, RawRecord, Unreadable};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::stall::{Kind, Obstacle, Stall};
use super::{Fetched, MOST_BYTES, MOST_RECORDS, Member};
use crate::consumer::membership::Done;
use crate::decoder::{Reading, RegistryUnavailable, schema_id};

/// How many ids behind an unknown one are asked for while the registry is asked again.
const ASKED_AHEAD: usize = 20;

impl Member {
    /// Reads the records that were fetched, up to a batch, and waits for the registry where it must;
    /// `None` if it was asked to stop meanwhile.
    ///
    /// What can be read before a record that has to wait is a batch of its own, so that it takes effect
    /// at once.
    pub(super) async fn read(
        &mut self,
        shutdown: &CancellationToken,
    ) -> Result<Option<(Batch, Done)>, String> {
        let mut stall = Stall::none();
        loop {
            let (mut batch, mut done) = (Batch::default(), Done::default());
            match self.fill(&mut batch, &mut done).await {
                Err(obstacle) if batch.is_empty() => {
                    if !self.stall(&mut stall, obstacle, shutdown).await? {
                        return Ok(None);
                    }
                }
                Ok(()) | Err(_) => {
                    self.end(&stall);
                    return Ok(Some((batch, done)));
                }
            }
        }
    }

    /// Moves records into the batch until it is full, nothing is left, or one has to wait.
    async fn fill(&mut self, batch: &mut Batch, done: &mut Done) -> Result<(), Obstacle> {
        let mut bytes = 0;
        while batch.len() < MOST_RECORDS as u64
            && let Some(fetched) = self.fetched.pop_front()
        {
            bytes += fetched.record.size();
            if bytes > MOST_BYTES && !batch.is_empty() {
                self.fetched.push_front(fetched);
                break;
            }
            let content = match self.content(&fetched.record).await {
                Ok(content) => content,
                Err(obstacle) => {
                    self.fetched.push_front(fetched);
                    return Err(obstacle);
                }
            };
            let Fetched { record, assignment } = fetched;
            done.note((record.topic.clone(), record.partition), assignment, record.offset);
            batch.push(Incoming { record, content });
        }
        Ok(())
    }

    /// What a record says, or why it has to wait.
    async fn content(&mut self, record: &RawRecord) -> Result<Content, Obstacle> {
        let asked = schema_id(record);
        if let Some(id) = asked.filter(|&id| self.unknown_schemas.is_given_up(id, Instant::now())) {
            let why = format!("the schema registry still has no schema {id}");
            return Ok(Content::Unreadable(Unreadable(why)));
        }
        let (id, why) = match self.decoder.read(record).await.map_err(|error| away(&error))? {
            Reading::UnknownSchema { id, why } => (id, why),
            Reading::Says(content) => {
                if let Some(id) = asked {
                    self.unknown_schemas.forget(id);
                }
                return Ok(content);
            }
        };
        let place = format!("{}/{}@{}", record.topic, record.partition, record.offset);
        if !self.unknown_schemas.note(id, Instant::now()) {
            let patience = self.unknown_schemas.patience().as_secs();
            let next = "then its record becomes a dead letter";
            let what = format!("{place}: {why}; asking again for {patience} s, {next}");
            self.ask_ahead().await;
            return Err(Obstacle { what, kind: Kind::Record });
        }
        // Nothing is given up on the word of a registry that knows nothing at all.
        if !self.decoder.trusts_registry(&record.topic).await.map_err(|error| away(&error))? {
            let what = format!(
                "{place}: {why}, nor the events that are published here; is it the right registry, and \
                 not emptied? `schemas register` registers them"
            );
            return Err(Obstacle { what, kind: Kind::WrongRegistry });
        }
        self.unknown_schemas.give_up(id, Instant::now());
        Ok(Content::Unreadable(why))
    }

    /// Asks for the ids behind, so that all that are unknown wait at the same time.
    async fn ask_ahead(&mut self) {
        let mut asked = HashSet::new();
        for Fetched { record, .. } in self.fetched.iter() {
            let Some(id) = schema_id(record) else { continue };
            if self.unknown_schemas.contains(id) || !asked.insert(id) {
                continue;
            }
            if asked.len() > ASKED_AHEAD {
                return;
            }
            match self.decoder.read(record).await {
                Ok(Reading::UnknownSchema { id, .. }) => {
                    self.unknown_schemas.note(id, Instant::now());
                }
                Ok(Reading::Says(_)) => {}
                Err(_) => return,
            }
        }
    }
}

fn away(error: &RegistryUnavailable) -> Obstacle {
    Obstacle { what: one_line(error), kind: Kind::Outage }
}
