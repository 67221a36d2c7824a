//! Clients that place orders, and clients that keep connections with unfinished requests open.
//! `checks/load/run` uses them.

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
    /// Places orders. Prints the number of answers and the response times for each status.
    Orders {
        /// Address of order-api.
        address: SocketAddr,
        /// Number of connections.
        #[arg(long)]
        connections: u64,
        /// Duration in seconds.
        #[arg(long)]
        seconds: u64,
        /// Orders per second, at a constant rate, independent of the response times. Without it,
        /// each connection sends the next order when the previous one is answered.
        #[arg(long)]
        rate: Option<u64>,
    },
    /// Keeps connections with unfinished requests open, until the program is stopped.
    HalfOpen {
        /// Address of order-api.
        address: SocketAddr,
        /// Number of connections.
        #[arg(long)]
        connections: u32,
        /// Seconds until a connection that the server has closed is opened again.
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

/// Prints a line for each status: the status, the number of answers, answers per second, and the
/// 50th, 99th and 100th percentile of the response times in milliseconds. The status `000` means no
/// answer.
fn print(answers: Answers, time: Duration) {
    for (status, mut latencies) in answers {
        let number = latencies.number();
        let [p50, p99, max] = [50, 99, 100].map(|percent| latencies.percentile(percent));
        let per_second = number / time.as_secs().max(1);
        println!("{status:03} {number} {per_second} {p50:.1} {p99:.1} {max:.1}");
    }
}
