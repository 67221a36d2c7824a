use std::sync::Arc;
use std::time::Duration;

use indicatif::ProgressBar;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::customer::{Customer, PlacedOrder};
use crate::cli::DemoArgs;

/// How many customers wait for their answer at the same time, at the most.
const CONCURRENT: usize = 256;

/// What came of placing orders.
#[derive(Debug, Default)]
pub(super) struct Placed {
    pub(super) orders: Vec<PlacedOrder>,
    /// What the API said to those it did not take.
    pub(super) refused: Vec<String>,
}

/// Places orders at an even rate, each by a customer who does not wait for the others; every tenth
/// is cancelled again.
pub(super) async fn place(
    args: &DemoArgs,
    customer: &Customer,
    bar: &ProgressBar,
    stop: &CancellationToken,
) -> Placed {
    let mut pace = interval(Duration::from_secs(1) / args.rate);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let room = Arc::new(Semaphore::new(CONCURRENT));
    let mut customers = JoinSet::new();
    for number in 0..args.orders {
        pace.tick().await;
        let Ok(place) = room.clone().acquire_owned().await else { break };
        if stop.is_cancelled() {
            break;
        }
        let (customer, bar) = (customer.clone(), bar.clone());
        customers.spawn(async move {
            let answer = visit(&customer, number).await;
            bar.inc(1);
            drop(place);
            answer
        });
    }
    let mut placed = Placed::default();
    while let Some(answer) = customers.join_next().await {
        match answer {
            Ok((order, complaint)) => {
                placed.orders.extend(order);
                placed.refused.extend(complaint);
            }
            Err(error) => placed.refused.push(error.to_string()),
        }
    }
    placed
}

async fn visit(customer: &Customer, number: u32) -> (Option<PlacedOrder>, Option<String>) {
    let mut order = match customer.place(number).await {
        Ok(order) => order,
        Err(complaint) => return (None, Some(complaint)),
    };
    let complaint = if number % 10 == 9 { customer.cancel(&mut order).await.err() } else { None };
    (Some(order), complaint)
}
