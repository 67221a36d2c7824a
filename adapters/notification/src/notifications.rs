use adapter_postgres::timeouts::in_time;
use application::StoreError;
use application::inbox::BatchOutcome;
use application::notification::{
    ClaimRequest, Claimed, Notice, NotificationFilter, NotificationId, Notifications, Settled,
};
use application::published::DeadLetter;
use domain::Timestamp;

use super::PgNotifications;
use super::claim::claim;
use super::delete_settled::delete_settled;
use super::record::record;
use super::retry::retry;
use super::settle::settle;

impl Notifications for PgNotifications {
    async fn record(
        &self,
        notices: &[Notice],
        letters: bool,
        dead: &[DeadLetter],
    ) -> Result<BatchOutcome, StoreError> {
        let applied = in_time(record(&self.sessions, notices, letters, dead)).await?;
        Ok(BatchOutcome {
            applied,
            repeated: (notices.len() as u64).saturating_sub(applied),
            dead: dead.len() as u64,
            ..BatchOutcome::default()
        })
    }

    async fn claim(&self, request: ClaimRequest<'_>) -> Result<Vec<Claimed>, StoreError> {
        in_time(claim(&self.sessions, request)).await
    }

    async fn settle(&self, settled: &[Settled]) -> Result<u64, StoreError> {
        Ok(in_time(settle(&self.sessions, settled)).await?)
    }

    async fn retry(
        &self,
        filter: &NotificationFilter,
        after: Option<NotificationId>,
        limit: usize,
    ) -> Result<Vec<NotificationId>, StoreError> {
        Ok(in_time(retry(&self.pool, filter, after, limit)).await?)
    }

    async fn delete_settled(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        Ok(delete_settled(&self.pool, before, limit).await?)
    }
}
