use std::fmt;
use std::time::Duration;

use application::notification::{Answer, Letter, Mailer, SendError};
use domain::Timestamp;
use lettre::message::Mailbox;
use lettre::transport::smtp::response::Response;
use tokio::time::Instant;

use crate::connections::{Connections, Used};
use crate::failure::Failure;
use crate::message::{address, message};
use crate::redaction::Redaction;
use crate::settings::Server;
use crate::{SmtpSettings, SmtpSettingsError};

/// A mail server that speaks SMTP. It keeps up to 16 connections open for the next letters.
pub struct SmtpMailer {
    connections: Connections,
    from: Mailbox,
    send_timeout: Duration,
    now: fn() -> Timestamp,
}

impl SmtpMailer {
    /// Checks the settings. It does not connect yet. `now` is for the date of the letters.
    ///
    /// # Errors
    /// When a setting is wrong.
    pub fn new(settings: &SmtpSettings, now: fn() -> Timestamp) -> Result<Self, SmtpSettingsError> {
        let (server, from) = settings.parse()?;
        Ok(Self::at(server, from, now))
    }

    pub(crate) fn at(server: Server, from: Mailbox, now: fn() -> Timestamp) -> Self {
        let send_timeout = server.timeouts.send;
        Self { connections: Connections::new(server), from, send_timeout, now }
    }

    /// Closes the idle connections, at the end of the program.
    pub async fn close(&self) {
        self.connections.close().await;
    }

    async fn transfer(&self, letter: &Letter, message: &[u8]) -> Result<Response, Failure> {
        let deadline = Instant::now() + self.send_timeout;
        let to = address(&letter.to);
        let mut used = self.connections.take(deadline).await?;
        let mut result = used.connection.send(&self.from.email, &to, message, deadline).await;
        if used.reused && result.as_ref().is_err_and(Failure::is_stale_connection) {
            used = self.connections.renew(used, deadline).await?;
            result = used.connection.send(&self.from.email, &to, message, deadline).await;
        }
        self.keep_if_usable(used, result.as_ref().err(), deadline).await;
        result
    }

    async fn keep_if_usable(&self, mut used: Used<'_>, failed: Option<&Failure>, by: Instant) {
        let usable = match failed {
            None => true,
            Some(failure) => !failure.ends_connection() && used.connection.reset(by).await,
        };
        if usable {
            self.connections.put_back(used);
        }
    }
}

impl Mailer for SmtpMailer {
    async fn send(&self, letter: &Letter) -> Result<Answer, SendError> {
        let redaction = Redaction::of(letter);
        let message = message(letter, &self.from, (self.now)())
            .map_err(|error| SendError::Never(redaction.apply(&application::one_line(&error))))?;
        match self.transfer(letter, &message).await {
            Ok(response) => {
                let text = response.message().collect::<Vec<_>>().join(" ");
                Ok(Answer(redaction.apply(&format!("{} {text}", response.code()))))
            }
            Err(failure) => Err(failure.into_error(|text| redaction.apply(text))),
        }
    }
}

impl fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpMailer").field("from", &self.from.to_string()).finish_non_exhaustive()
    }
}
