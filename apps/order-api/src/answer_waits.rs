use std::sync::Arc;
use std::time::Duration;

use application::StoreError;
use application::ordering::OrderViews;
use domain::OrderId;
use domain::ordering::{Cancellation, OrderSnapshot};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};

/// Time for the last look at the order and for the answer, so that the client has the answer when the time
/// that it allows is over. It also keeps the longest wait within the time limit of a request.
const MARGIN: Duration = Duration::from_millis(300);

/// The pause before the second look at an order. Each pause is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest pause between two looks at an order.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Requests that wait until the pharmacy has answered a request to cancel. Their number is limited, so that
/// they leave room for other requests.
#[derive(Debug, Clone)]
pub(crate) struct AnswerWaits(Arc<Semaphore>);

impl AnswerWaits {
    /// At most a quarter of the requests that are handled at the same time may wait.
    pub(crate) fn new(max_in_flight: u32) -> Self {
        let waits = usize::try_from(max_in_flight / 4).unwrap_or(usize::MAX);
        Self(Arc::new(Semaphore::new(waits.clamp(1, Semaphore::MAX_PERMITS))))
    }

    /// The order after the pharmacy's answer, or as it is when the time is over. `None` if too many
    /// requests wait already, or the order does not exist.
    pub(crate) async fn wait(
        &self,
        orders: &impl OrderViews,
        id: OrderId,
        deadline: Instant,
    ) -> Result<Option<OrderSnapshot>, StoreError> {
        let Ok(_permit) = self.0.try_acquire() else { return Ok(None) };
        let deadline = deadline - MARGIN;
        let mut pause = FIRST_PAUSE;
        loop {
            let order = orders.view(id).await?;
            let is_open = order.as_ref().is_some_and(|order| {
                matches!(order.cancellation, Some(Cancellation::Requested { .. }))
            });
            let now = Instant::now();
            if !is_open || now >= deadline {
                return Ok(order);
            }
            sleep_until(deadline.min(now + pause)).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }
}
