use std::path::PathBuf;
use std::time::Duration;

use adapter_postgres::Database;
use clap::Args;
use domain::Timestamp;
use runtime::StartError;
use runtime::config::{DatabaseArgs, Secret, seconds, secret};

/// What is compared, and where the read models are.
#[derive(Debug, Clone, Args)]
pub(crate) struct ReconcileArgs {
    /// Only orders placed since this moment, such as 2026-01-31T12:00:00Z [default:
    /// `OUTBOX_RETENTION_DAYS` ago, since what is older cannot be published again]; never before
    /// notifications are deleted (`NOTIFICATIONS_RETENTION_DAYS`)
    #[arg(long, value_name = "TIME")]
    pub(super) since: Option<Timestamp>,

    /// Only orders placed before this moment [default: a minute ago]
    #[arg(long, value_name = "TIME")]
    pub(super) until: Option<Timestamp>,

    /// Publish again what a read model lacks, as far as the outbox retains it
    #[arg(long)]
    pub(super) repair: bool,

    /// Seconds until an order that looks different is looked at again: longer than an event takes from
    /// the topic into the read models
    #[arg(long, default_value = "10", value_name = "SECONDS", value_parser = seconds)]
    pub(super) grace: Duration,

    /// The Postgres of pharmacy-order, if it is not that of `DATABASE_URL`
    #[arg(long, env = "PHARMACY_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pharmacy_database_url: Option<Secret>,

    /// A file that holds that URL
    #[arg(long, env = "PHARMACY_DATABASE_URL_FILE", value_name = "FILE")]
    pharmacy_database_url_file: Option<PathBuf>,

    /// The Postgres of notification, if it is not that of `DATABASE_URL`
    #[arg(long, env = "NOTIFICATION_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    notification_database_url: Option<Secret>,

    /// A file that holds that URL
    #[arg(long, env = "NOTIFICATION_DATABASE_URL_FILE", value_name = "FILE")]
    notification_database_url_file: Option<PathBuf>,
}

impl ReconcileArgs {
    /// The database of pharmacy-order.
    pub(super) fn pharmacy(&self, ours: &DatabaseArgs) -> Result<Database, StartError> {
        let given = (self.pharmacy_database_url.as_ref(), self.pharmacy_database_url_file.as_ref());
        database(("PHARMACY_DATABASE_URL", "PHARMACY_DATABASE_URL_FILE"), given, ours)
    }

    /// The database of notification.
    pub(super) fn notification(&self, ours: &DatabaseArgs) -> Result<Database, StartError> {
        let given =
            (self.notification_database_url.as_ref(), self.notification_database_url_file.as_ref());
        database(("NOTIFICATION_DATABASE_URL", "NOTIFICATION_DATABASE_URL_FILE"), given, ours)
    }
}

fn database(
    (variable, file_variable): (&'static str, &'static str),
    (url, file): (Option<&Secret>, Option<&PathBuf>),
    ours: &DatabaseArgs,
) -> Result<Database, StartError> {
    let given = secret((variable, url), (file_variable, file.map(PathBuf::as_path)))?;
    let direct = url.is_some_and(|url| !url.reveal().is_empty());
    let url = match given {
        Some(url) => (if direct { variable } else { file_variable }, url),
        None => ours.url()?,
    };
    Database::at(url, ours.database_max_connections, "order-jobs reconcile")
}
