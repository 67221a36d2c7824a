//! Notification: tells the customer what happened to an order, once.

mod channel;
mod deliver;
mod notifications;
mod notify_customer;

pub use channel::{Channel, ChannelName, SendError};
pub use deliver::{Delivered, deliver_notifications};
pub use notifications::{
    ClaimLimit, NewNotification, Notification, NotificationClaim, NotificationState,
    NotificationViews, Notifications, SendOutcome,
};
pub use notify_customer::NotifyCustomer;
