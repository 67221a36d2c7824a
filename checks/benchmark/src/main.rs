//! References for the measurements of `checks/benchmark`: the least that each step needs.

mod arrivals;
mod bare_road;
mod raw_producer;
mod relay_sql;
mod upsert;

use std::time::Instant;

use clap::{Parser, Subcommand};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Parser)]
struct Arguments {
    /// URL of the Postgres.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// Addresses of the brokers.
    #[arg(long, env = "KAFKA_BOOTSTRAP_SERVERS")]
    brokers: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measures how fast records arrive in a topic. Prints a line when it begins to count; then, when all have
    /// arrived, records per second and their number.
    Arrivals {
        /// Topic, which must exist.
        #[arg(long)]
        topic: String,
        /// Number of records to wait for.
        #[arg(long)]
        records: i64,
    },
    /// The least that an event needs: commits two rows, publishes, consumes, commits one row. Prints the 50th
    /// and the 99th percentile from the first commit to the second one, in milliseconds.
    BareRoad {
        /// Topic, which must exist and be empty.
        #[arg(long)]
        topic: String,
        /// Orders per second, at a constant rate.
        #[arg(long)]
        rate: u32,
        /// Duration in seconds. The first fifth warms up and is not measured.
        #[arg(long)]
        seconds: u32,
    },
    /// Publishes records from memory, with the settings of the relay. Prints records per second.
    RawProducer {
        /// Topic, which must exist.
        #[arg(long)]
        topic: String,
        /// Number of records.
        #[arg(long)]
        records: usize,
        /// Size of a value in bytes.
        #[arg(long)]
        bytes: usize,
    },
    /// Claims and settles the pending events of ordering's outbox as order-jobs does, but publishes nothing.
    /// Prints events per second.
    RelaySql,
    /// Inserts orders and items like the pharmacy, from memory, in batches. Prints orders per second.
    Upsert {
        /// Number of orders.
        #[arg(long)]
        orders: usize,
    },
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let Arguments { database_url, brokers, command } = Arguments::parse();
    match command {
        Command::Arrivals { topic, records } => {
            tokio::task::spawn_blocking(move || arrivals::run(&brokers, &topic, records)).await?
        }
        Command::BareRoad { topic, rate, seconds } => {
            bare_road::run(&pool(&database_url).await?, &brokers, &topic, rate, seconds).await
        }
        Command::RawProducer { topic, records, bytes } => {
            tokio::task::spawn_blocking(move || raw_producer::run(&brokers, &topic, records, bytes))
                .await?
        }
        Command::RelaySql => relay_sql::run(&database_url).await,
        Command::Upsert { orders } => upsert::run(&pool(&database_url).await?, orders).await,
    }
}

/// As many sessions as a program of the services has.
async fn pool(url: &str) -> Result<PgPool, Failure> {
    Ok(PgPoolOptions::new().max_connections(10).connect(url).await?)
}

fn print_rate(number: usize, begin: Instant) {
    let millis = begin.elapsed().as_millis().max(1);
    println!("{}", number as u128 * 1000 / millis);
}
