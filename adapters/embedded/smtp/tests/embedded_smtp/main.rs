//! The embedded SMTP server as a client sees it, and its web pages.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod behaviour;
mod client;
mod inbox;
mod protocol;
