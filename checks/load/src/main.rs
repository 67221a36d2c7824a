//! Clients that place orders, and clients that only keep the server busy. `run` says what is checked with them.

mod client;
mod half_open;
mod latencies;
mod orders;

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Parser, Subcommand};
use tokio::time::Instant;

use crate::orders::{Answers, Pace};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Places orders. Prints how many were answered with which status, and how fast.
    Orders {
        /// Where order-api listens.
        address: SocketAddr,
        /// How many connections to use.
        #[arg(long)]
        connections: u64,
        /// How long.
        #[arg(long)]
        seconds: u64,
        /// How many a second, at an even rate, whatever the answers take. Without it, each connection sends the next
        /// order as soon as the one before is answered.
        #[arg(long)]
        rate: Option<u64>,
    },
    /// Keeps connections open whose request never ends, until it is ended itself.
    HalfOpen {
        /// Where order-api listens.
        address: SocketAddr,
        /// How many.
        #[arg(long)]
        connections: u32,
        /// After how many seconds one that the server has closed is opened again.
        #[arg(long)]
        pause: u64,
    },
}

#[tokio::main]
async fn main() {
    match Arguments::parse().command {
        Command::Orders { address, connections, seconds, rate } => {
            let time = Duration::from_secs(seconds);
            let pace = Pace::new(rate, Instant::now(), time);
            let answers = orders::place(address, connections, pace).await;
            print(answers, time);
        }
        Command::HalfOpen { address, connections, pause } => {
            half_open::keep(address, connections, Duration::from_secs(pause)).await;
        }
    }
}

/// One line for each status: its number, how many answers, how many a second, and the time that half of them, 99 of a
/// hundred, and all took, in milliseconds. `000` is for those who got no answer.
fn print(answers: Answers, time: Duration) {
    for (status, mut latencies) in answers {
        let number = latencies.number();
        let [half, most, all] = [50, 99, 100].map(|percent| latencies.percentile(percent));
        let per_second = number / time.as_secs().max(1);
        println!("{status:03} {number} {per_second} {half:.1} {most:.1} {all:.1}");
    }
}
