//! The demo: places orders through the API and checks that they arrive in the topic and in both
//! read models.

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
use crate::cli::{DemoArgs, SystemArgs};
use crate::endpoints::Endpoints;
use crate::local;
use crate::system::System;

/// Orders placed before the measurement, so that connections are open and caches are filled.
const WARM_UP_ORDERS: u32 = 20;

/// Runs the demo on the running instance. If there is none, starts one for the demo.
pub(crate) async fn run(args: &DemoArgs, system_args: &SystemArgs) -> Result<ExitCode, StartError> {
    let stop = shutdown::on_signal();
    let client = local::client()?;
    if let Some(running) = running_instance(&client, system_args).await {
        println!("Using the instance at {}", running.order_api);
        return place_and_check(args, system_args, &running, client, &stop).await;
    }
    println!("Starting everything; the consumer groups take a few seconds to join …");
    let system = System::start(system_args, stop.clone()).await?;
    let endpoints = system.endpoints().clone();
    let result = place_and_check(args, system_args, &endpoints, client, &stop).await;
    system.stop().await?;
    result
}

async fn running_instance(client: &reqwest::Client, args: &SystemArgs) -> Option<Endpoints> {
    let home = args.data_dir.clone().unwrap_or_else(embedded_postgres::default_home);
    let endpoints = Endpoints::read(&home)?;
    let answer = client.get(format!("{}/readyz", endpoints.order_api)).send().await.ok()?;
    answer.status().is_success().then_some(endpoints)
}

async fn place_and_check(
    args: &DemoArgs,
    system_args: &SystemArgs,
    endpoints: &Endpoints,
    client: reqwest::Client,
    stop: &CancellationToken,
) -> Result<ExitCode, StartError> {
    let reader = Reader::new(client.clone(), endpoints);
    let customer = Customer::new(client, endpoints);
    let warm_up = DemoArgs { orders: WARM_UP_ORDERS.min(args.orders), ..args.clone() };
    let hidden = ProgressBar::hidden();
    let placed = load::place(&warm_up, &customer, &hidden, stop).await;
    reader.wait_for(&placed.orders, &hidden, args.patience, stop).await;

    let topic = TopicWatch::start(endpoints, system_args).await?;
    let bar = ProgressBar::new(u64::from(args.orders)).with_style(style()).with_message("placed");
    let placed = load::place(args, &customer, &bar, stop).await;

    bar.reset();
    bar.set_length(placed.orders.len() as u64);
    bar.set_message("in both read models");
    let seen = reader.wait_for(&placed.orders, &bar, args.patience, stop).await;
    bar.finish_and_clear();

    let expected = placed.orders.iter().map(customer::PlacedOrder::events).sum();
    let published = topic.collect(expected, &placed.orders, args.patience).await;
    let report = Report::new(&placed, &seen, &published);
    println!("{report}");
    Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:40} {pos}/{len} {msg} ({elapsed})")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
