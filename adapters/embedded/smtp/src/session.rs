use std::io;
use std::sync::Arc;

use runtime::clock;
use tokio::net::TcpStream;

use crate::command::Command;
use crate::shared::Shared;
use crate::wire::{Content, Wire};
use crate::{Mail, Reaction, Step};

/// Maximum size of a mail in bytes.
const MAX_MAIL_BYTES: usize = 1024 * 1024;

/// Maximum number of recipients of a mail (RFC 5321, 4.5.3.1.8).
const MAX_RECIPIENTS: usize = 100;

/// A connection of a client, from the greeting to its end.
pub(crate) struct Session {
    wire: Wire,
    shared: Arc<Shared>,
    greeted: bool,
    envelope: Option<Envelope>,
}

struct Envelope {
    from: String,
    to: Vec<String>,
}

impl Session {
    pub(crate) fn new(stream: TcpStream, shared: Arc<Shared>) -> Self {
        Self { wire: Wire::new(stream), shared, greeted: false, envelope: None }
    }

    /// Serves the client until it quits.
    ///
    /// # Errors
    /// When the connection is lost, or the behaviour closes it.
    pub(crate) async fn run(mut self) -> io::Result<()> {
        if !self.step(Step::Connect, 220, "embedded-smtp ESMTP").await? {
            // RFC 5321, 3.1: a server that refuses the client waits for QUIT.
            while let Some(line) = self.wire.command().await? {
                if Command::parse(&line) == Command::Quit {
                    break;
                }
                self.wire.answer(503, "5.5.1 no service").await?;
            }
            return self.wire.answer(221, "2.0.0 bye").await;
        }
        while let Some(line) = self.wire.command().await? {
            match Command::parse(&line) {
                Command::Quit => return self.wire.answer(221, "2.0.0 bye").await,
                command => self.execute(command).await?,
            }
        }
        Ok(())
    }

    async fn execute(&mut self, command: Command<'_>) -> io::Result<()> {
        match command {
            Command::Helo => self.hello("embedded-smtp").await,
            Command::Ehlo => {
                self.hello(&format!(
                    "embedded-smtp\nPIPELINING\n8BITMIME\nENHANCEDSTATUSCODES\nAUTH PLAIN\n\
                     SIZE {MAX_MAIL_BYTES}"
                ))
                .await
            }
            Command::AuthPlain { with_credentials } => self.auth(with_credentials).await,
            Command::Mail(from) => self.sender(from).await,
            Command::Rcpt(to) => self.recipient(to).await,
            Command::Data => self.data().await,
            Command::Rset => {
                self.envelope = None;
                self.wire.answer(250, "2.0.0 ok").await
            }
            Command::Noop | Command::Quit => self.wire.answer(250, "2.0.0 ok").await,
            Command::Malformed => self.wire.answer(501, "5.5.4 wrong arguments").await,
            Command::Unknown => self.wire.answer(500, "5.5.2 unknown command").await,
        }
    }

    async fn hello(&mut self, answer: &str) -> io::Result<()> {
        if self.step(Step::Hello, 250, answer).await? {
            self.greeted = true;
            self.envelope = None;
        }
        Ok(())
    }

    async fn auth(&mut self, with_credentials: bool) -> io::Result<()> {
        if !with_credentials {
            self.wire.answer(334, " ").await?;
            if self.wire.command().await?.is_none() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        self.step(Step::Auth, 235, "2.7.0 ok").await.map(drop)
    }

    async fn sender(&mut self, from: &str) -> io::Result<()> {
        if !self.greeted || self.envelope.is_some() {
            return self.wire.answer(503, "5.5.1 EHLO comes first, and MAIL only once").await;
        }
        if self.step(Step::Sender(from), 250, "2.1.0 ok").await? {
            self.envelope = Some(Envelope { from: from.to_owned(), to: Vec::new() });
        }
        Ok(())
    }

    async fn recipient(&mut self, to: &str) -> io::Result<()> {
        match &self.envelope {
            None => return self.wire.answer(503, "5.5.1 MAIL comes first").await,
            Some(envelope) if envelope.to.len() == MAX_RECIPIENTS => {
                return self.wire.answer(452, "4.5.3 too many recipients").await;
            }
            Some(_) => {}
        }
        if self.step(Step::Recipient(to), 250, "2.1.5 ok").await?
            && let Some(envelope) = &mut self.envelope
        {
            envelope.to.push(to.to_owned());
        }
        Ok(())
    }

    async fn data(&mut self) -> io::Result<()> {
        let Some(envelope) = self.envelope.take_if(|envelope| !envelope.to.is_empty()) else {
            return self.wire.answer(503, "5.5.1 RCPT comes first").await;
        };
        if !self.step(Step::Data, 354, "end with a line that has only a dot").await? {
            return Ok(());
        }
        match self.wire.content(MAX_MAIL_BYTES).await? {
            Content::TooLarge => self.wire.answer(552, "5.3.4 the mail is too large").await,
            Content::Complete(raw) => self.content(envelope, raw).await,
        }
    }

    /// Stores the mail before the answer, so that a client that has the answer finds the mail.
    async fn content(&mut self, envelope: Envelope, raw: Vec<u8>) -> io::Result<()> {
        let reaction = self.shared.reaction(Step::Content(&raw));
        let (accepted, answer) = match &reaction {
            Reaction::Accept => (true, "250 2.0.0 queued".to_owned()),
            Reaction::AcceptAndClose => (true, "closed after the mail".to_owned()),
            Reaction::Answer(code, text) => (*code < 400, format!("{code} {text}")),
            Reaction::Close => (false, "closed".to_owned()),
            Reaction::Hang => (false, "no answer".to_owned()),
        };
        let Envelope { from, to } = envelope;
        let received_at = clock::now();
        self.shared.mailbox.add(|number| Mail {
            number,
            received_at,
            from,
            to,
            raw,
            accepted,
            answer,
        });
        self.react(reaction, 250, "2.0.0 queued").await.map(drop)
    }

    /// Answers a step as the behaviour decides. Returns whether it is accepted.
    async fn step(&mut self, step: Step<'_>, code: u16, text: &str) -> io::Result<bool> {
        let reaction = self.shared.reaction(step);
        self.react(reaction, code, text).await
    }

    async fn react(&mut self, reaction: Reaction, code: u16, text: &str) -> io::Result<bool> {
        match reaction {
            Reaction::Accept => self.wire.answer(code, text).await.map(|()| true),
            Reaction::Answer(code, text) => {
                self.wire.answer(code, &text).await?;
                if code == 421 { Err(closed()) } else { Ok(code < 400) }
            }
            Reaction::Close | Reaction::AcceptAndClose => Err(closed()),
            Reaction::Hang => {
                self.wire.closed().await?;
                Err(closed())
            }
        }
    }
}

fn closed() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}
