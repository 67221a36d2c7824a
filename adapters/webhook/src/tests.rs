//! Tests of the sender with servers on this host.

pub(crate) mod fixture;
mod hostile_urls;
mod outcomes;
mod requests;
pub(crate) mod server;
mod tls;
