use std::future::Future;

use domain::Timestamp;

use crate::StoreError;

/// Port to the stored answers, which repeats of a request get.
pub trait Answers: Send + Sync {
    /// Deletes answers that were stored before this time, oldest first, at most `limit`. Returns how
    /// many. A repeat of such a request counts as a new request afterwards.
    fn delete_before(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;
}
