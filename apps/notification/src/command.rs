//! The command `notifications`.

use std::error::Error;
use std::io::{Write, stdout};

use adapter_notification::PgNotifications;
use adapter_postgres::Database;
use application::notification::{
    Attempt, ChannelName, EventType, Notification, NotificationFilter, NotificationId,
    NotificationState, NotificationViews, Notifications, StateName,
};
use application::paging::PageLimit;
use clap::{Args, Subcommand};
use domain::OrderId;
use runtime::StartError;

/// How many notifications are retried in one transaction.
const RETRY_CHUNK: usize = 1000;

/// List, show or retry notifications
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum NotificationsCommand {
    /// List notifications, oldest first
    List {
        /// Which ones.
        #[command(flatten)]
        filter: FilterArgs,
    },
    /// Show a notification and the attempts to send it
    Show {
        /// The number of the notification, as `list` shows it
        #[arg(value_name = "ID")]
        id: NotificationId,
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

/// Executes the command. Returns `false` if a notification that was named does not exist or was not retried.
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
        NotificationsCommand::Show { id } => show(&notifications, id).await.map_err(failed),
        NotificationsCommand::Retry { id, filter, .. } => {
            let filter = filter.filter(id);
            let (mut total, mut last) = (0, None);
            loop {
                // Not again those that have failed again meanwhile.
                let retried = notifications.retry(&filter, last, RETRY_CHUNK).await;
                let retried = retried.map_err(|error| failed(error.into()))?;
                total += retried.len();
                last = retried.last().copied();
                if last.is_none() {
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

/// Returns `false` if there is none.
async fn show(
    notifications: &PgNotifications,
    id: NotificationId,
) -> Result<bool, Box<dyn Error + Send + Sync>> {
    let filter = NotificationFilter { id: Some(id), ..NotificationFilter::default() };
    let page = notifications.list(&filter, None, PageLimit::default()).await?;
    let Some(notification) = page.items.first() else {
        write(&format!("there is no notification {id}; `list` shows them"))?;
        return Ok(false);
    };
    write(&line(notification))?;
    for Attempt { began, duration, accepted, answer } in notifications.attempts(id).await? {
        let result = if accepted { "accepted" } else { "refused" };
        write(&format!("    {began}  {} ms  {result}  {answer}", duration.as_millis()))?;
    }
    Ok(true)
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
