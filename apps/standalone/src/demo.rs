//! The demo: customers place orders and cancel some, a pharmacist works on all of them, and in the end
//! everything must agree: ordering, the pharmacy, both topics, the notifications, the letters that have
//! arrived and the calls of a webhook.

mod addressee;
mod chance;
mod customer;
mod latencies;
mod letters;
mod load;
mod pharmacist;
mod reader;
mod report;
mod topic;
mod webhook;

use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use runtime::config::KafkaArgs;
use runtime::{StartError, clock, shutdown};
use tokio_util::sync::CancellationToken;

use self::addressee::Addressees;
use self::customer::Customer;
use self::pharmacist::{Pharmacist, Work};
use self::reader::{Reader, Seen};
use self::report::{Observed, Report};
use self::topic::TopicWatch;
use self::webhook::Webhook;
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
    let seed = args.seed.unwrap_or_else(|| (clock::random() >> 96) as u32);
    println!("Random choices: --seed {seed}");
    let pharmacist = Pharmacist::new(client.clone(), endpoints, seed);
    // A real mail server would deliver the letters to addresses that are not the demo's.
    let addressees = match &endpoints.letters {
        Some(_) => Some(Addressees::introduce(args.orders, &client, endpoints).await?),
        None => None,
    };
    let webhook = if endpoints.webhooks {
        Webhook::register(&client, endpoints).await?
    } else {
        Err("WEBHOOK_SECRETS_KEY_FILE is not set".to_owned())
    };
    let webhook_id = webhook.as_ref().ok().map(|webhook| webhook.id.clone());
    let demo = Demo {
        args,
        seed,
        reader: Reader::new(client.clone(), endpoints, webhook_id),
        customer: Customer::new(client.clone(), endpoints, addressees),
        webhook: &webhook,
        client,
        work: pharmacist.done(),
        stop,
    };
    let done = stop.child_token();
    let check = async {
        let report = demo.run(endpoints, system_args).await;
        done.cancel();
        report
    };
    let (report, ()) = tokio::join!(check, pharmacist.work(&done));
    if let Ok(webhook) = webhook {
        webhook.delete().await;
    }
    let report = report?;
    println!("{report}");
    Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A run of the demo, while the pharmacist works.
struct Demo<'a> {
    args: &'a DemoArgs,
    seed: u32,
    reader: Reader,
    customer: Customer,
    /// The webhook, or why there is none.
    webhook: &'a Result<Webhook, String>,
    client: reqwest::Client,
    work: &'a Work,
    stop: &'a CancellationToken,
}

impl Demo<'_> {
    async fn run(
        &self,
        endpoints: &Endpoints,
        system_args: &SystemArgs,
    ) -> Result<Report, StartError> {
        let Self { args, seed, reader, customer, work, stop, .. } = self;
        let warm_up = DemoArgs { orders: WARM_UP_ORDERS.min(args.orders), ..(*args).clone() };
        let hidden = ProgressBar::hidden();
        let placed = load::place(&warm_up, *seed, customer, &hidden, stop).await;
        reader.wait_for(&placed.orders, &hidden, work, args.patience, stop).await;

        let kafka = system_args.kafka(&endpoints.kafka, &endpoints.schema_registry);
        let ordering = TopicWatch::start(&kafka, adapter_avro::ORDERING).await?;
        let topic = system_args.pharmacy_topic.kafka_pharmacy_topic.clone();
        let kafka = KafkaArgs { kafka_topic: topic, ..kafka };
        let pharmacy = TopicWatch::start(&kafka, adapter_avro::PHARMACY).await?;
        let bar = ProgressBar::new(u64::from(args.orders));
        let bar = bar.with_style(style()).with_message("placed");
        let placed = load::place(args, *seed, customer, &bar, stop).await;

        bar.reset();
        bar.set_length(placed.orders.len() as u64);
        bar.set_message("final, in both read models, and told");
        let seen = reader.wait_for(&placed.orders, &bar, work, args.patience, stop).await;
        bar.finish_and_clear();

        let expected = |events: fn(&Seen) -> usize| {
            let of = |id| seen.get(id).map_or(0, events);
            placed.orders.iter().map(|order| (order.id, of(&order.id))).collect()
        };
        Ok(Report::new(&Observed {
            placed: &placed,
            seen: &seen,
            ordering: &ordering.collect(&expected(Seen::events), args.patience).await,
            pharmacy: &pharmacy.collect(&expected(Seen::pharmacy_events), args.patience).await,
            letters: &self.letters(endpoints).await?,
            calls: &self.webhook.as_ref().map(Webhook::calls).map_err(Clone::clone),
            work,
        }))
    }

    /// The letters that have arrived, or why they cannot be read.
    async fn letters(
        &self,
        endpoints: &Endpoints,
    ) -> Result<Result<letters::Letters, String>, StartError> {
        match &endpoints.letters {
            Some(page) => letters::read(&self.client, page).await.map(Ok),
            None => Ok(Err("the mail server is not embedded".to_owned())),
        }
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:40} {pos}/{len} {msg} ({elapsed})")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
