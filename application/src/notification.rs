//! Notification: notifies the customer of each event of an order, once per channel.

mod channel;
mod deliver;
mod notifications;
mod notify_customer;
mod retry_policy;

pub use channel::{Channel, ChannelName, SendError};
pub use deliver::{Delivered, deliver_notifications};
pub use notifications::{
    ClaimLimit, NewNotification, Notification, NotificationClaim, NotificationState,
    NotificationViews, Notifications, SendOutcome,
};
pub use notify_customer::NotifyCustomer;
pub use retry_policy::{MAX_RETRY_DELAY, retry_delay};
