//! The command `notifications`.

use std::error::Error;
use std::io::{Write, stdout};

use adapter_notification::PgNotifications;
use adapter_postgres::Database;
use application::notification::{
    ChannelName, EventType, Notification, NotificationFilter, NotificationId, NotificationState,
    NotificationViews, Notifications, StateName,
};
use application::paging::PageLimit;
use clap::{Args, Subcommand};
use domain::OrderId;
use runtime::StartError;

/// How many notifications are retried in one transaction.
const RETRY_CHUNK: usize = 1000;

/// List or retry notifications
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum NotificationsCommand {
    /// List notifications, oldest first
    List {
        /// Which ones.
        #[command(flatten)]
        filter: FilterArgs,
    },
    /// Send failed or suppressed notifications again, after the cause is fixed
    Retry {
        /// The number of the notification, as `list` shows it
        #[arg(value_name = "ID", required_unless_present_any = ["all", "order", "state", "channel", "destination"],
              conflicts_with_all = ["all", "order", "state", "channel", "destination"])]
        id: Option<NotificationId>,
        /// All that failed or were suppressed
        #[arg(long)]
        all: bool,
        /// Which ones.
        #[command(flatten)]
        filter: FilterArgs,
    },
}

/// Selects notifications. Without any of these, all are selected.
#[derive(Debug, Clone, Args)]
pub(crate) struct FilterArgs {
    /// Only notifications about this order
    #[arg(long, value_name = "ID")]
    order: Option<OrderId>,
    /// Only notifications in this state: pending, sent, failed or suppressed
    #[arg(long, value_name = "STATE")]
    state: Option<StateName>,
    /// Only notifications on this channel: log, email or webhook
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<ChannelName>,
    /// Only notifications for this customer or webhook
    #[arg(long, value_name = "ID")]
    destination: Option<String>,
}

impl FilterArgs {
    fn filter(self, id: Option<NotificationId>) -> NotificationFilter {
        let Self { order: order_id, state, channel, destination } = self;
        NotificationFilter { id, order_id, state, channel, destination }
    }
}

/// Executes the command. Returns `false` if a notification that was named was not retried.
pub(crate) async fn run(
    command: NotificationsCommand,
    database: &Database,
) -> Result<bool, StartError> {
    let failed =
        |error: Box<dyn Error + Send + Sync>| StartError::other("the command failed", error);
    database.check_tables().await?;
    let notifications = PgNotifications::new(database);
    match command {
        NotificationsCommand::List { filter } => {
            list(&notifications, &filter.filter(None)).await.map_err(failed)?;
            Ok(true)
        }
        NotificationsCommand::Retry { id, filter, .. } => {
            let filter = filter.filter(id);
            let mut total = 0;
            loop {
                let retried = notifications.retry(&filter, RETRY_CHUNK).await;
                let retried = retried.map_err(|error| failed(error.into()))?;
                total += retried;
                if retried < RETRY_CHUNK as u64 {
                    break;
                }
            }
            write(&format!("{total} to be sent again")).map_err(|error| failed(error.into()))?;
            Ok(id.is_none() || total > 0)
        }
    }
}

async fn list(
    notifications: &PgNotifications,
    filter: &NotificationFilter,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let limit = PageLimit::try_from(100)?;
    let mut after = None;
    loop {
        let page = notifications.list(filter, after, limit).await?;
        for notification in &page.items {
            write(&line(notification))?;
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

fn line(notification: &Notification) -> String {
    let Notification { id, channel, destination, order_id, event_type, attempts, state, .. } =
        notification;
    let why = match state {
        NotificationState::Pending { due_at, last_error: None } => format!("due at {due_at}"),
        NotificationState::Pending { due_at, last_error: Some(error) } => {
            format!("due at {due_at}: {error}")
        }
        NotificationState::Sent { at } => format!("at {at}"),
        NotificationState::Failed { reason } | NotificationState::Suppressed { reason } => {
            reason.clone()
        }
    };
    let event_type = event_type.map_or("unknown", EventType::as_str);
    let state = state.name();
    format!(
        "{id}  {state}  {channel}  {destination}  {event_type}  order {order_id}  attempts {attempts}  {why}"
    )
}

fn write(line: &str) -> std::io::Result<()> {
    writeln!(stdout(), "{line}")
}
