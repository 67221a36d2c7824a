//! Decoding of the next batch, which waits while the registry is unavailable.

use std::collections::HashSet;

use application::inbox::Batch;
use application::one_line;
use application::published::{Content, Incoming, RawRecord, Unreadable};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::retry::{Blocked, BlockedBy, RetryWait};
use super::{Fetched, MAX_BATCH_BYTES, MAX_BATCH_RECORDS, Member};
use crate::consumer::membership::ProcessedOffsets;
use crate::decoder::{Decoded, RegistryUnavailable, schema_id};

/// How many schema ids after an unknown one are looked up at the same time.
const MAX_LOOKAHEAD_IDS: usize = 20;

impl<P: Send + Sync> Member<P> {
    /// Decodes fetched records up to a full batch, and waits while the registry is unavailable.
    /// `None` if shutdown was requested meanwhile.
    ///
    /// The batch ends before a record that has to wait, so that earlier records are applied at
    /// once.
    pub(super) async fn read(
        &mut self,
        shutdown: &CancellationToken,
    ) -> Result<Option<(Batch<P>, ProcessedOffsets)>, String> {
        let mut retry = RetryWait::new();
        loop {
            let (mut batch, mut processed) = (Batch::default(), ProcessedOffsets::default());
            match self.fill(&mut batch, &mut processed).await {
                Err(blocked) if batch.is_empty() => {
                    if !self.retry(&mut retry, blocked, shutdown).await? {
                        return Ok(None);
                    }
                }
                Ok(()) | Err(_) => {
                    self.resume_after(&retry);
                    return Ok(Some((batch, processed)));
                }
            }
        }
    }

    /// Moves records into the batch until it is full, no record is left, or a record has to wait.
    async fn fill(
        &mut self,
        batch: &mut Batch<P>,
        processed: &mut ProcessedOffsets,
    ) -> Result<(), Blocked> {
        let mut bytes = 0;
        while batch.len() < MAX_BATCH_RECORDS as u64
            && let Some(fetched) = self.fetched.pop_front()
        {
            bytes += fetched.record.size();
            if bytes > MAX_BATCH_BYTES && !batch.is_empty() {
                self.fetched.push_front(fetched);
                break;
            }
            let content = match self.content(&fetched.record).await {
                Ok(content) => content,
                Err(blocked) => {
                    self.fetched.push_front(fetched);
                    return Err(blocked);
                }
            };
            let Fetched { record, assignment } = fetched;
            processed.add((record.topic.clone(), record.partition), assignment, record.offset);
            batch.push(Incoming { record, content });
        }
        Ok(())
    }

    /// Decodes a record, or returns why it has to wait.
    async fn content(&mut self, record: &RawRecord) -> Result<Content<P>, Blocked> {
        let requested_id = schema_id(record);
        if let Some(id) =
            requested_id.filter(|&id| self.unknown_schemas.is_given_up(id, Instant::now()))
        {
            let why = format!("the schema registry still has no schema {id}");
            return Ok(Content::Unreadable(Unreadable(why)));
        }
        let (id, why) =
            match self.decoder.read(record).await.map_err(|error| registry_outage(&error))? {
                Decoded::UnknownSchema { id, why } => (id, why),
                Decoded::Content(content) => {
                    if let Some(id) = requested_id {
                        self.unknown_schemas.remove(id);
                    }
                    return Ok(content);
                }
            };
        let place = format!("{}/{}@{}", record.topic, record.partition, record.offset);
        if !self.unknown_schemas.add(id, Instant::now()) {
            let unknown_schema_timeout = self.unknown_schemas.unknown_schema_timeout().as_secs();
            let next = "then the record becomes a dead letter";
            let reason = format!("{place}: {why}; retrying for {unknown_schema_timeout} s, {next}");
            self.look_up_following_ids().await;
            return Err(Blocked { reason, kind: BlockedBy::Record });
        }
        // A record becomes a dead letter only if the registry has the schemas of our events. One
        // that has none of them may be the wrong registry, or empty.
        if !self
            .decoder
            .registry_knows_topic(&record.topic)
            .await
            .map_err(|error| registry_outage(&error))?
        {
            let reason = format!(
                "{place}: {why}, and no schema of the events in this topic; is it the right registry? \
                 If its schemas were deleted, `schemas register` registers them again"
            );
            return Err(Blocked { reason, kind: BlockedBy::WrongRegistry });
        }
        self.unknown_schemas.give_up(id, Instant::now());
        Ok(Content::Unreadable(why))
    }

    /// Looks up the schema ids of the following records, so that all unknown ids wait together.
    async fn look_up_following_ids(&mut self) {
        let mut requested_ids = HashSet::new();
        for Fetched { record, .. } in self.fetched.iter() {
            let Some(id) = schema_id(record) else { continue };
            if self.unknown_schemas.contains(id) || !requested_ids.insert(id) {
                continue;
            }
            if requested_ids.len() > MAX_LOOKAHEAD_IDS {
                return;
            }
            match self.decoder.read(record).await {
                Ok(Decoded::UnknownSchema { id, .. }) => {
                    self.unknown_schemas.add(id, Instant::now());
                }
                Ok(Decoded::Content(_)) => {}
                Err(_) => return,
            }
        }
    }
}

fn registry_outage(error: &RegistryUnavailable) -> Blocked {
    Blocked { reason: one_line(error), kind: BlockedBy::Outage }
}
