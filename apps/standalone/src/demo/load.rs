use std::sync::Arc;
use std::time::Duration;

use indicatif::ProgressBar;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::customer::{Customer, PlacedOrder};
use crate::cli::DemoArgs;

/// Maximum number of concurrent requests.
const CONCURRENT: usize = 256;

/// The results of placing orders.
#[derive(Debug, Default)]
pub(super) struct Placed {
    pub(super) orders: Vec<PlacedOrder>,
    /// The errors of requests that failed.
    pub(super) errors: Vec<String>,
}

/// Places orders at a constant rate, without waiting for the answers of earlier ones. Cancels every
/// tenth order.
pub(super) async fn place(
    args: &DemoArgs,
    customer: &Customer,
    bar: &ProgressBar,
    stop: &CancellationToken,
) -> Placed {
    let mut pace = interval(Duration::from_secs(1) / args.rate);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let permits = Arc::new(Semaphore::new(CONCURRENT));
    let mut requests = JoinSet::new();
    for number in 0..args.orders {
        pace.tick().await;
        let Ok(permit) = permits.clone().acquire_owned().await else { break };
        if stop.is_cancelled() {
            break;
        }
        let (customer, bar) = (customer.clone(), bar.clone());
        requests.spawn(async move {
            let answer = place_and_cancel(&customer, number).await;
            bar.inc(1);
            drop(permit);
            answer
        });
    }
    let mut placed = Placed::default();
    while let Some(answer) = requests.join_next().await {
        match answer {
            Ok((order, error)) => {
                placed.orders.extend(order);
                placed.errors.extend(error);
            }
            Err(error) => placed.errors.push(error.to_string()),
        }
    }
    placed
}

async fn place_and_cancel(
    customer: &Customer,
    number: u32,
) -> (Option<PlacedOrder>, Option<String>) {
    let mut order = match customer.place(number).await {
        Ok(order) => order,
        Err(error) => return (None, Some(error)),
    };
    let error = if number % 10 == 9 { customer.cancel(&mut order).await.err() } else { None };
    (Some(order), error)
}
