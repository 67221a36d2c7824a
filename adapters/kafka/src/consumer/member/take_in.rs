//! A batch takes effect, however long the store or the registry is away.

use application::inbox::{Inbox, receive};
use application::one_line;
use tokio_util::sync::CancellationToken;

use super::Member;
use super::stall::{Kind, Obstacle, Stall};
use crate::consumer::measure;
use crate::consumer::membership::Done;

impl Member {
    /// Takes a batch in, waiting out every outage; `None` if it was asked to stop meanwhile.
    pub(super) async fn apply_batch(
        &mut self,
        inbox: &impl Inbox,
        shutdown: &CancellationToken,
    ) -> Result<Option<Done>, String> {
        let Some((batch, done)) = self.read(shutdown).await? else {
            return Ok(None);
        };
        let mut stall = Stall::none();
        loop {
            let error = match receive(inbox, &batch).await {
                Ok(intake) => {
                    measure::took_in(&self.group, &batch, intake);
                    self.end(&stall);
                    return Ok(Some(done));
                }
                Err(error) => error,
            };
            let kind = if error.is_unavailable() { Kind::Outage } else { Kind::Broken };
            let obstacle = Obstacle { what: one_line(&error), kind };
            if !self.stall(&mut stall, obstacle, shutdown).await? {
                return Ok(None);
            }
        }
    }
}
