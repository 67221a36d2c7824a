//! A registry for tests and examples.

use std::net::SocketAddr;

use adapter_http::{bind, serve};
use adapter_postgres::Database;
use runtime::StartError;
use runtime::config::DatabaseArgs;
use tokio_util::sync::CancellationToken;

use crate::{TABLES, router};

/// Starts a registry at this address, and returns its URL. It runs until the process ends.
///
/// # Errors
/// When the address is in use or the database cannot be used.
pub async fn start(addr: SocketAddr, database: &DatabaseArgs) -> Result<String, StartError> {
    let listener = bind(addr, "the address of the registry").await?;
    let url = format!("http://{}", listener.addr());
    let router = router(&Database::new(&TABLES, database, "registry")?).await?;
    tokio::spawn(serve(listener, router, CancellationToken::new()));
    Ok(url)
}
