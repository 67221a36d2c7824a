use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use adapters::http::Problem;
use adapters::postgres::{Database, ordering};
use adapters::{StartError, one_line};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio_util::sync::CancellationToken;

/// How long to wait for Postgres before asking again.
const RETRY: Duration = Duration::from_secs(1);

/// Whether the tables are known to be up to date. Until they are, no order is touched.
#[derive(Debug, Clone, Default)]
pub struct Tables(Arc<AtomicBool>);

#[derive(Debug, thiserror::Error)]
#[error("the tables are not up to date yet")]
struct NotReady;

impl Tables {
    /// Brings the tables up to date, waiting for Postgres as long as it is down.
    ///
    /// # Errors
    /// When Postgres is there but a migration fails.
    pub async fn prepare(
        &self,
        database: &Database,
        shutdown: &CancellationToken,
    ) -> Result<(), StartError> {
        let mut told = false;
        loop {
            let migrated = tokio::select! {
                migrated = ordering::migrate(database) => migrated,
                () = shutdown.cancelled() => return Ok(()),
            };
            match migrated {
                Ok(()) => {
                    self.0.store(true, Ordering::Release);
                    return Ok(());
                }
                Err(error) if error.is_unavailable() => {
                    if !told {
                        tracing::warn!("waiting for Postgres: {}", one_line(&error));
                        told = true;
                    }
                }
                Err(error) => return Err(StartError::other("cannot use the database", error)),
            }
            tokio::select! {
                () = tokio::time::sleep(RETRY) => {}
                () = shutdown.cancelled() => return Ok(()),
            }
        }
    }

    /// Whether they are.
    ///
    /// # Errors
    /// When they are not, in one line.
    pub fn check(&self) -> Result<(), String> {
        if self.0.load(Ordering::Acquire) { Ok(()) } else { Err(NotReady.to_string()) }
    }

    /// Lets a request through once they are.
    pub(crate) async fn gate(State(tables): State<Self>, request: Request, next: Next) -> Response {
        match tables.check() {
            Ok(()) => next.run(request).await,
            Err(_) => Problem::unavailable(NotReady).into_response(),
        }
    }
}
