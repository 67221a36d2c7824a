//! The demo: places orders as a customer would and looks for them where they should arrive.

mod customer;
mod latencies;
mod load;
mod reader;
mod report;
mod topic;

use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use runtime::{StartError, shutdown};
use tokio_util::sync::CancellationToken;

use self::customer::Customer;
use self::reader::Reader;
use self::report::Report;
use self::topic::TopicWatch;
use crate::cli::{DemoArgs, WorldArgs};
use crate::endpoints::Endpoints;
use crate::house::House;
use crate::local;

/// How many orders go ahead of the demo, so that it measures a road in use, not its opening.
const VANGUARD: u32 = 20;

/// Runs the demo against the instance that runs already, or else one started for it.
pub(crate) async fn run(args: &DemoArgs, world: &WorldArgs) -> Result<ExitCode, StartError> {
    let stop = shutdown::on_signal();
    let client = local::client()?;
    if let Some(running) = running_instance(&client, world).await {
        println!("Using the instance at {}", running.order_api);
        return play(args, world, &running, client, &stop).await;
    }
    println!("Starting everything; the consumer groups take a few seconds to join …");
    let house = House::start(world, stop.clone()).await?;
    let endpoints = house.endpoints().clone();
    let played = play(args, world, &endpoints, client, &stop).await;
    house.tear_down().await?;
    played
}

async fn running_instance(client: &reqwest::Client, world: &WorldArgs) -> Option<Endpoints> {
    let home = world.data_dir.clone().unwrap_or_else(embedded_postgres::default_home);
    let endpoints = Endpoints::read(&home)?;
    let answer = client.get(format!("{}/readyz", endpoints.order_api)).send().await.ok()?;
    answer.status().is_success().then_some(endpoints)
}

async fn play(
    args: &DemoArgs,
    world: &WorldArgs,
    endpoints: &Endpoints,
    client: reqwest::Client,
    stop: &CancellationToken,
) -> Result<ExitCode, StartError> {
    let reader = Reader::new(client.clone(), endpoints);
    let customer = Customer::new(client, endpoints);
    // Every path is walked once before anything is measured.
    let vanguard = DemoArgs { orders: VANGUARD.min(args.orders), ..args.clone() };
    let hidden = ProgressBar::hidden();
    let ahead = load::place(&vanguard, &customer, &hidden, stop).await;
    reader.wait_for(&ahead.orders, &hidden, args.patience, stop).await;

    let topic = TopicWatch::start(endpoints, world).await?;
    let bar = ProgressBar::new(u64::from(args.orders)).with_style(style()).with_message("placed");
    let placed = load::place(args, &customer, &bar, stop).await;

    bar.reset();
    bar.set_length(placed.orders.len() as u64);
    bar.set_message("in both read models");
    let seen = reader.wait_for(&placed.orders, &bar, args.patience, stop).await;
    bar.finish_and_clear();

    let expected = placed.orders.iter().map(customer::PlacedOrder::events).sum();
    let told = topic.collect(expected, &placed.orders, args.patience).await;
    let report = Report::new(&placed, &seen, &told);
    println!("{report}");
    Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:40} {pos}/{len} {msg} ({elapsed})")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
