//! The command `reconcile`: finds what the read models lost, and what they know that ordering does not.

mod args;
mod report;

use std::time::Duration;

use adapter_notification as notification;
use adapter_ordering::PgPublishedLedger;
use adapter_pharmacy as pharmacy;
use adapter_postgres::{Database, PgLedger};
use application::reconcile::{
    Difference, LedgerPair, OrderRange, ReconcileError, RepairOutcome, reconcile, repair,
};
use domain::Timestamp;
use runtime::{StartError, clock};

pub(crate) use args::ReconcileArgs;

use crate::Config;

/// Orders younger than this are left out by default: most of them are still on their way.
const ON_THEIR_WAY: Duration = Duration::from_mins(1);

/// Compares, and repairs if that is wanted; answers whether all agree in the end.
pub(crate) async fn run(
    config: &Config,
    database: &Database,
    args: &ReconcileArgs,
) -> Result<bool, StartError> {
    let retained = Duration::from_hours(24) * config.relay.outbox_retention_days;
    let since = args.since.unwrap_or_else(|| ago(retained));
    let until = args.until.unwrap_or_else(|| ago(ON_THEIR_WAY));
    let range = OrderRange::placed(since, until);
    if range.is_empty() {
        let reason = format!("nothing was placed since {since} and before {until}");
        return Err(StartError::setting("--since", reason));
    }
    let pharmacy = args.pharmacy(&config.database)?;
    let notification = args.notification(&config.database)?;
    println!("comparing orders placed since {since} and before {until}");

    let published = PgPublishedLedger::new(database);
    let mut agree = true;
    for (name, ledger) in [
        ("pharmacy", pharmacy::ledger(&pharmacy)),
        ("notification", notification::ledger(&notification)),
    ] {
        let compared = Box::pin(compare(name, &published, &ledger, range, args)).await;
        ledger.close().await;
        agree &= compared.map_err(|error| {
            StartError::other(format!("cannot compare orders with {name}"), error)
        })?;
    }
    published.close().await;
    println!("{}", if agree { "all agree" } else { "they do not agree" });
    Ok(agree)
}

/// Compares one read model, and repairs it if that is wanted; answers whether it agrees in the end.
async fn compare(
    name: &str,
    published: &PgPublishedLedger,
    ledger: &PgLedger,
    range: OrderRange,
    args: &ReconcileArgs,
) -> Result<bool, ReconcileError> {
    let sides = LedgerPair { published, read_model: ledger };
    let mut repaired = 0;
    let found = async |differences: &[Difference]| {
        for difference in differences {
            println!("{}", report::difference(name, difference));
        }
        if args.repair {
            for (order, outcome) in repair(&sides, differences, tokio::time::sleep).await? {
                println!("{}", report::outcome(name, order, outcome));
                repaired += u64::from(outcome == RepairOutcome::Repaired);
            }
        }
        Ok(())
    };
    let summary = reconcile(&sides, range, args.grace, tokio::time::sleep, found).await?;
    println!("{}", report::summary(name, &summary));
    if args.repair {
        println!("{name}: {repaired} repaired");
    }
    Ok(summary.differences() == repaired)
}

fn ago(time: Duration) -> Timestamp {
    let now = clock::now().get();
    (now - time).into()
}
