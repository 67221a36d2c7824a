//! The command `reconcile`: finds orders that a read model has lost, and orders that only the read model
//! has.

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

/// The minimum age of the orders that are compared by default. The events of younger orders may not have
/// arrived yet.
const MIN_AGE: Duration = Duration::from_mins(1);

/// Compares all read models, and repairs them with `--repair`. Returns whether all of them agree
/// afterwards.
pub(crate) async fn run(
    config: &Config,
    database: &Database,
    args: &ReconcileArgs,
) -> Result<bool, StartError> {
    let retained = Duration::from_hours(24) * config.relay.outbox_retention_days;
    let since = args.since.unwrap_or_else(|| ago(retained));
    let until = args.until.unwrap_or_else(|| ago(MIN_AGE));
    let range = OrderRange::placed(since, until);
    if range.is_empty() {
        let reason = format!("nothing was placed since {since} and before {until}");
        return Err(StartError::setting("--since", reason));
    }
    let read_models = [
        (
            "pharmacy",
            args.pharmacy(&config.consumer.database)?,
            pharmacy::ledger as fn(&Database) -> PgLedger,
        ),
        ("notification", args.notification(&config.consumer.database)?, notification::ledger),
    ];
    println!("comparing orders placed since {since} and before {until}");

    let published = PgPublishedLedger::new(database);
    let mut agree = true;
    for (name, read_model, ledger) in read_models {
        let failed = || format!("cannot compare orders with {name}");
        read_model.check_tables().await.map_err(|error| StartError::other(failed(), error))?;
        let ledger = ledger(&read_model);
        let compared = Box::pin(compare(name, &published, &ledger, range, args)).await;
        ledger.close().await;
        agree &= compared.map_err(|error| StartError::other(failed(), error))?;
    }
    published.close().await;
    println!(
        "{}",
        if agree {
            "both read models agree with ordering"
        } else {
            "a read model does not agree with ordering"
        }
    );
    Ok(agree)
}

/// Compares one read model, and repairs it with `--repair`. Returns whether it agrees afterwards.
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
