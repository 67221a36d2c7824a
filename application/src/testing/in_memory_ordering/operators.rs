//! Replay and figures of the outbox in memory.

use domain::Timestamp;

use super::InMemoryOrdering;
use crate::StoreError;
use crate::relay::{Backlog, MeasureBacklog, Replay};
use crate::testing::OperatorFixture;

impl Replay for InMemoryOrdering {
    async fn rewind(&self, since: Option<Timestamp>) -> Result<i64, StoreError> {
        Ok(self.lock().log.rewind(since))
    }
}

impl MeasureBacklog for InMemoryOrdering {
    async fn measure(&self) -> Result<Backlog, StoreError> {
        Ok(self.lock().log.backlog())
    }
}

impl OperatorFixture for InMemoryOrdering {
    type Replay = Self;
    type Backlog = Self;

    fn replay(&self) -> Self {
        self.clone()
    }

    fn backlog(&self) -> Self {
        self.clone()
    }

    async fn now(&self) -> Timestamp {
        self.advance(1);
        self.lock().log.now()
    }
}
