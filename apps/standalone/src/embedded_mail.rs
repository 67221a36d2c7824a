use std::net::{Ipv4Addr, SocketAddr};

use embedded_smtp::{SmtpSink, inbox_routes};
use runtime::StartError;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::cli::SystemArgs;
use crate::ports::MAIL_PORT;

/// A mail server that keeps the latest letters in memory, and a web page that shows them.
pub(crate) struct EmbeddedMail {
    sink: SmtpSink,
    page: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<Result<(), StartError>>,
}

impl EmbeddedMail {
    pub(crate) async fn start(args: &SystemArgs) -> Result<Self, StartError> {
        let at = |port| SocketAddr::new(args.host, port);
        let listener = match args.outgoing.mail_port {
            Some(port) => adapter_http::bind(at(port), "ORDERS_MAIL_PORT").await?,
            None => match adapter_http::bind(at(MAIL_PORT), "ORDERS_MAIL_PORT").await {
                Err(StartError::AddressTaken { .. }) => {
                    adapter_http::bind(at(0), "ORDERS_MAIL_PORT").await?
                }
                other => other?,
            },
        };
        let sink = SmtpSink::start((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(|error| StartError::other("cannot start the embedded mail server", error))?;
        let (page, stop) = (listener.addr(), CancellationToken::new());
        let serving = adapter_http::serve(listener, inbox_routes(&sink), stop.clone());
        Ok(Self { sink, page, stop, task: tokio::spawn(serving) })
    }

    /// The URL of the mail server, in the format of `SMTP_URL`.
    pub(crate) fn smtp_url(&self) -> String {
        format!("smtp://{}", self.sink.address())
    }

    /// The URL of the web page.
    pub(crate) fn page(&self) -> String {
        format!("http://{}", self.page)
    }

    /// Stops both. The letters are lost.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        let _ = self.task.await;
        self.sink.stop().await;
    }
}
