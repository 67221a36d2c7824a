use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::str::FromStr;
use std::time::Duration;

use domain::{ParseIdError, Timestamp};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use super::{EventType, SealedSecret};
use crate::StoreError;
use crate::paging::{Page, PageLimit};

/// How long the previous secret still signs calls after a rotation.
pub const ROTATION: Duration = Duration::from_hours(24);

/// How many secrets sign after rotations, beside the newest one. Each makes the header longer.
const MAX_PREVIOUS: usize = 3;

/// How many webhooks there can be. Each event is recorded for each of them, in one transaction.
pub const MAX_WEBHOOKS: usize = 200;

/// Another system that wants to know of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Where it is called and for what.
    pub settings: WebhookSettings,
    /// Whether it is called.
    pub state: WebhookState,
    /// Since when every call has failed. `None` if the last call was accepted, or if there was none.
    pub failing_since: Option<Timestamp>,
    /// The secret that signs calls.
    pub secret: SealedSecret,
    /// The secrets before, newest first, and how long each still signs.
    pub previous_secrets: Vec<(SealedSecret, Timestamp)>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Counts the changes.
    pub version: i64,
}

/// The id of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WebhookId(Uuid);

/// What the owner of a webhook decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    /// The address.
    pub url: String,
    /// What it is for, in the words of its owner.
    pub description: Option<String>,
    /// The types of events that it wants to know of.
    pub event_types: BTreeSet<EventType>,
}

/// Whether a webhook is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookState {
    /// It is called.
    Enabled,
    /// It is not called, and its pending notifications are suppressed.
    Disabled {
        /// When it was disabled.
        at: Timestamp,
        /// Why.
        reason: String,
    },
}

impl Webhook {
    /// A new webhook.
    #[must_use]
    pub fn new(
        id: WebhookId,
        settings: WebhookSettings,
        secret: SealedSecret,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id,
            settings,
            state: WebhookState::Enabled,
            failing_since: None,
            secret,
            previous_secrets: Vec::new(),
            created_at,
            version: 1,
        }
    }

    /// Changes the secret. The one before still signs for [`ROTATION`], so that the receiver can change
    /// it at any time until then. If the owner repeats a rotation because the answer was lost, the
    /// receiver may still have the secret before that.
    pub fn rotate(&mut self, secret: SealedSecret, now: Timestamp) {
        let before = std::mem::replace(&mut self.secret, secret);
        self.previous_secrets.retain(|(_, until)| now < *until);
        self.previous_secrets.insert(0, (before, Timestamp::from(now.get() + ROTATION)));
        self.previous_secrets.truncate(MAX_PREVIOUS);
    }

    /// Changes the settings. What failed at another address says nothing about the new one.
    pub fn change(&mut self, settings: WebhookSettings) {
        if self.settings.url != settings.url {
            self.failing_since = None;
        }
        self.settings = settings;
    }

    /// Calls it again for new events.
    pub fn enable(&mut self) {
        self.state = WebhookState::Enabled;
        self.failing_since = None;
    }

    /// The secrets that sign a call at this time, newest first.
    #[must_use]
    pub fn secrets(&self, now: Timestamp) -> Vec<SealedSecret> {
        let previous = self.previous_secrets.iter().filter(|(_, until)| now < *until);
        let previous = previous.map(|(secret, _)| secret.clone());
        std::iter::once(self.secret.clone()).chain(previous).collect()
    }
}

/// Port for the webhooks.
pub trait Webhooks: Send + Sync {
    /// Adds a new webhook. `false` if there are [`MAX_WEBHOOKS`]; calls at the same time may exceed it.
    fn add(&self, webhook: &Webhook) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// The webhook with this id.
    fn find(
        &self,
        id: WebhookId,
    ) -> impl Future<Output = Result<Option<Webhook>, StoreError>> + Send;

    /// A page of webhooks in the sequence of their ids, after this one.
    fn list(
        &self,
        after: Option<WebhookId>,
        limit: PageLimit,
    ) -> impl Future<Output = Result<Page<Webhook, WebhookId>, StoreError>> + Send;

    /// Replaces the stored webhook if it still has the version of this one. Returns the new version, or
    /// `None` if it was changed or deleted meanwhile. `version` is of the stored one. `failing_since` can be
    /// ended, but not set: calls change it at the same time.
    fn save(
        &self,
        webhook: &Webhook,
    ) -> impl Future<Output = Result<Option<i64>, StoreError>> + Send;

    /// Deletes a webhook and its notifications; if these are many, some are deleted later. `false` if there
    /// is none.
    fn delete(&self, id: WebhookId) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

impl WebhookId {
    /// The webhook id with this UUID.
    #[must_use]
    pub const fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// The UUID.
    #[must_use]
    pub const fn get(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for WebhookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for WebhookId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match Uuid::try_parse(text) {
            Ok(id) if text.len() == Hyphenated::LENGTH => Ok(Self(id)),
            _ => Err(ParseIdError),
        }
    }
}
