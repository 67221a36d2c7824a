use std::path::PathBuf;
use std::time::Duration;

use adapter_notification as notification;
use adapter_pharmacy as pharmacy;
use adapter_postgres::{ContextTables, Database};
use clap::Args;
use domain::Timestamp;
use runtime::StartError;
use runtime::config::{DatabaseArgs, Secret, seconds, secret};

/// Which orders are compared, and the databases of the read models.
#[derive(Debug, Clone, Args)]
pub(crate) struct ReconcileArgs {
    /// Only orders placed since this time, such as 2026-01-31T12:00:00Z [default:
    /// `OUTBOX_RETENTION_DAYS` ago, because older events cannot be published again]. Do not go
    /// back further than `NOTIFICATIONS_RETENTION_DAYS`: older notifications are deleted and would be
    /// reported as missing
    #[arg(long, value_name = "TIME")]
    pub(super) since: Option<Timestamp>,

    /// Only orders placed before this time [default: a minute ago]
    #[arg(long, value_name = "TIME")]
    pub(super) until: Option<Timestamp>,

    /// Publish again the events that a read model lacks, if they are still in the outbox
    #[arg(long)]
    pub(super) repair: bool,

    /// Seconds to wait before an order that differs is compared again; must be longer than an event
    /// needs from the topic to the read models
    #[arg(long, default_value = "10", value_name = "SECONDS", value_parser = seconds)]
    pub(super) grace: Duration,

    /// The database of pharmacy-order, if it is not the one in `DATABASE_URL`
    #[arg(long, env = "PHARMACY_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pharmacy_database_url: Option<Secret>,

    /// A file that contains this URL
    #[arg(long, env = "PHARMACY_DATABASE_URL_FILE", value_name = "FILE")]
    pharmacy_database_url_file: Option<PathBuf>,

    /// The database of notification, if it is not the one in `DATABASE_URL`
    #[arg(long, env = "NOTIFICATION_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    notification_database_url: Option<Secret>,

    /// A file that contains this URL
    #[arg(long, env = "NOTIFICATION_DATABASE_URL_FILE", value_name = "FILE")]
    notification_database_url_file: Option<PathBuf>,
}

impl ReconcileArgs {
    /// The database of pharmacy-order.
    pub(super) fn pharmacy(&self, ours: &DatabaseArgs) -> Result<Database, StartError> {
        let given = (self.pharmacy_database_url.as_ref(), self.pharmacy_database_url_file.as_ref());
        let variables = ("PHARMACY_DATABASE_URL", "PHARMACY_DATABASE_URL_FILE");
        database(&pharmacy::TABLES, variables, given, ours)
    }

    /// The database of notification.
    pub(super) fn notification(&self, ours: &DatabaseArgs) -> Result<Database, StartError> {
        let given =
            (self.notification_database_url.as_ref(), self.notification_database_url_file.as_ref());
        let variables = ("NOTIFICATION_DATABASE_URL", "NOTIFICATION_DATABASE_URL_FILE");
        database(&notification::TABLES, variables, given, ours)
    }
}

fn database(
    tables: &'static ContextTables,
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
    Database::at(tables, url, ours.database_max_connections, "order-jobs reconcile")
}
