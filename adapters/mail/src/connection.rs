use std::fmt::Display;
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Mechanism;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::response::Response;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::failure::{Cause, Failure, Step};
use crate::settings::{Encryption, Server};

/// The longest wait for the goodbye of the server.
const QUIT_TIMEOUT: Duration = Duration::from_secs(1);

/// A connection to the mail server, after the login.
///
/// lettre's own transport is not used, because it does not say which command was refused, waits without
/// a limit for answers, and does not limit the number of its connections.
pub(crate) struct Connection {
    smtp: AsyncSmtpConnection,
    step_timeout: Duration,
}

impl Connection {
    /// Connects and logs in, until the deadline.
    pub(crate) async fn open(server: &Server, deadline: Instant) -> Result<Self, Failure> {
        let limit = server.timeouts.step;
        let address = (server.host.as_str(), server.port);
        let mut smtp = if let Encryption::FromTheStart(tls) = &server.encryption {
            let tls = Some(tls.clone());
            let connecting =
                AsyncSmtpConnection::connect_tokio1(address, None, &server.hello, tls, None);
            answer(Step::Connect, deadline, limit, connecting).await?
        } else {
            let stream = connect(address, deadline, limit).await?;
            let greeting =
                AsyncSmtpConnection::connect_with_transport(Box::new(stream), &server.hello);
            answer(Step::Connect, deadline, limit, greeting).await?
        };
        if let Encryption::StartTls(parameters) = &server.encryption {
            let encrypting = smtp.starttls(parameters.clone(), &server.hello);
            answer(Step::StartTls, deadline, limit, encrypting).await?;
        }
        if let Some(credentials) = &server.credentials {
            let login = smtp.auth(&[Mechanism::Plain, Mechanism::Login], credentials);
            answer(Step::Auth, deadline, limit, login).await?;
        }
        Ok(Self { smtp, step_timeout: limit })
    }

    /// Sends a message, until the deadline.
    pub(crate) async fn send(
        &mut self,
        from: &Address,
        to: &Address,
        message: &[u8],
        deadline: Instant,
    ) -> Result<Response, Failure> {
        self.command(Step::Sender, Mail::new(Some(from.clone()), vec![]), deadline).await?;
        self.command(Step::Recipient, Rcpt::new(to.clone(), vec![]), deadline).await?;
        self.command(Step::Data, Data, deadline).await?;
        // No shorter limit: if the answer is late, the server may have accepted the letter.
        let transfer = self.smtp.message(message);
        answer(Step::Content, deadline, Duration::MAX, transfer).await
    }

    /// Makes the connection ready for the next letter after one was refused. Returns whether it is.
    pub(crate) async fn reset(&mut self, deadline: Instant) -> bool {
        self.command(Step::Sender, Rset, deadline).await.is_ok()
    }

    /// Says goodbye and closes the connection.
    pub(crate) async fn quit(mut self) {
        // The connection is closed in any case.
        let _ = timeout(QUIT_TIMEOUT, self.smtp.quit()).await;
    }

    async fn command(
        &mut self,
        step: Step,
        command: impl Display,
        deadline: Instant,
    ) -> Result<Response, Failure> {
        answer(step, deadline, self.step_timeout, self.smtp.command(command)).await
    }
}

/// Connects to the server.
///
/// lettre sends the end of a letter on its own. Without `TCP_NODELAY` the kernel delays it until the server
/// has confirmed the rest, often by 40 ms. lettre's own connections do not set the option, but those with
/// TLS from the start must be its own.
async fn connect(
    address: (&str, u16),
    deadline: Instant,
    limit: Duration,
) -> Result<TcpStream, Failure> {
    let connecting = async {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    };
    let connected: Result<_, std::io::Error> =
        in_time(Step::Connect, deadline, limit, connecting).await?;
    connected.map_err(|error| no_answer(Step::Connect, error))
}

/// The answer to a step, until the deadline and for no longer than the limit.
async fn answer<T>(
    step: Step,
    deadline: Instant,
    limit: Duration,
    answer: impl Future<Output = Result<T, Error>>,
) -> Result<T, Failure> {
    in_time(step, deadline, limit, answer).await?.map_err(|error| failure(step, &error))
}

async fn in_time<T>(
    step: Step,
    deadline: Instant,
    limit: Duration,
    work: impl Future<Output = T>,
) -> Result<T, Failure> {
    match timeout_at(deadline, timeout(limit, work)).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(_)) | Err(_) => Err(no_answer(step, "timed out")),
    }
}

/// A step that got no answer.
pub(crate) fn no_answer(step: Step, what: impl Display) -> Failure {
    Failure { step, cause: Cause::NoAnswer(what.to_string()) }
}

fn failure(step: Step, error: &Error) -> Failure {
    let code = error.status().and_then(|code| code.to_string().parse().ok());
    match code {
        None => no_answer(step, application::one_line(error)),
        Some(code) => {
            // The source of a refusal is the text of the answer.
            let text = std::error::Error::source(error).map(ToString::to_string);
            Failure { step, cause: Cause::Refused { code, text: text.unwrap_or_default() } }
        }
    }
}
