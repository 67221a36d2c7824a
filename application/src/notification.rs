//! Notification: tells customers and other systems what happens to an order.
//!
//! [`RecordNotices`] records one [`Notification`] for each event, channel and destination. Workers lease
//! them ([`Notifications::claim`]), send them ([`deliver`]) and store the results
//! ([`Notifications::settle`]).

mod answer;
mod channel;
mod claim;
mod customers;
mod deliver;
mod email_channel;
mod event_type;
mod letter;
mod notice;
mod notification_record;
mod notifications;
mod record_notices;
mod retry_policy;
mod settlement;
mod webhook_call;
mod webhook_channel;
mod webhooks;

pub use answer::{Answer, SendError};
pub use channel::{Channel, ChannelName, ChannelNameError, Sending, Suppression};
pub use claim::{Addressee, Busy, ClaimRequest, Claimed, Endpoint, Lease, Recipient};
pub use customers::{Contact, ContactChange, Customers, Replaces, StoredContact};
pub use deliver::deliver;
pub use email_channel::EmailChannel;
pub use event_type::{EventType, EventTypeError};
pub use letter::{Letter, Mailer};
pub use notice::{Notice, OrderCustomer};
pub use notification_record::{
    Attempt, Notification, NotificationId, NotificationIdError, NotificationState, StateName,
    StateNameError,
};
pub use notifications::{NotificationFilter, NotificationViews, Notifications};
pub use record_notices::RecordNotices;
pub use retry_policy::{max_retry_delay, outage_delay, retry_delay};
pub use settlement::{EndpointChange, SendOutcome, Settled, settle};
pub use webhook_call::{NoSecretsKey, SealedSecret, WebhookCall, WebhookSecrets, WebhookSender};
pub use webhook_channel::WebhookChannel;
pub use webhooks::{
    MAX_WEBHOOKS, ROTATION, Webhook, WebhookId, WebhookSettings, WebhookState, Webhooks,
};
