use std::sync::Arc;
use std::time::Duration;

use indicatif::ProgressBar;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::chance::Chance;
use super::customer::{Customer, PlacedOrder, customer_name};
use crate::cli::DemoArgs;

/// Maximum number of concurrent requests.
const CONCURRENT: usize = 256;

/// One customer of this number wants to cancel.
const CANCELS_ONE_IN: u64 = 5;

/// Half of them do it within this time.
const CANCELS_WITHIN: Duration = Duration::from_millis(1500);

/// The others do it within this time after the order is ready. The pharmacist dispenses it at about the
/// same time, so some are too late.
const CANCELS_AFTER_READY: Duration = Duration::from_millis(300);

/// The results of placing orders.
#[derive(Debug, Default)]
pub(super) struct Placed {
    pub(super) orders: Vec<PlacedOrder>,
    /// The errors of requests that failed.
    pub(super) errors: Vec<String>,
}

/// Places orders at a constant rate, without waiting for the answers of earlier ones. Some customers
/// ask to cancel their order a little later.
pub(super) async fn place(
    args: &DemoArgs,
    seed: u32,
    customer: &Customer,
    bar: &ProgressBar,
    stop: &CancellationToken,
) -> Placed {
    let mut pace = interval(Duration::from_secs(1) / args.rate);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let permits = Arc::new(Semaphore::new(CONCURRENT));
    let mut customers = JoinSet::new();
    for number in 0..args.orders {
        pace.tick().await;
        let Ok(permit) = permits.clone().acquire_owned().await else { break };
        if stop.is_cancelled() {
            break;
        }
        let chance = Chance::about(&customer_name(number), seed);
        let (customer, bar, patience) = (customer.clone(), bar.clone(), args.patience);
        customers.spawn(async move {
            let placed = customer.place(number).await;
            bar.inc(1);
            match placed {
                Ok(order) => {
                    // Others can place orders meanwhile.
                    drop(permit);
                    cancel_perhaps(&customer, order, chance, patience).await
                }
                Err(error) => (None, Some(format!("not placed: {error}"))),
            }
        });
    }
    let mut placed = Placed::default();
    while let Some(result) = customers.join_next().await {
        match result {
            Ok((order, error)) => {
                placed.orders.extend(order);
                placed.errors.extend(error);
            }
            Err(error) => placed.errors.push(error.to_string()),
        }
    }
    placed
}

/// Asks to cancel the order at a random time in its life, if chance wants it.
async fn cancel_perhaps(
    customer: &Customer,
    mut order: PlacedOrder,
    mut chance: Chance,
    patience: Duration,
) -> (Option<PlacedOrder>, Option<String>) {
    if !chance.one_in(CANCELS_ONE_IN) {
        return (Some(order), None);
    }
    if chance.one_in(2) {
        sleep(chance.below(CANCELS_WITHIN)).await;
    } else {
        // If it never becomes ready, it is cancelled anyway.
        let _ = timeout(patience, customer.wait_until_ready(order.id)).await;
        sleep(chance.below(CANCELS_AFTER_READY)).await;
    }
    match customer.cancel(order.id, chance.one_in(2)).await {
        Ok(answer) => {
            order.cancellation = Some(answer);
            (Some(order), None)
        }
        Err(error) => {
            let error = format!("{}: not asked to cancel: {error}", order.id);
            (Some(order), Some(error))
        }
    }
}
