//! The commands about schemas, on a folder and with a registry.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod changes;
mod folder;
mod parcel;
mod registry;
mod releases;
