//! The commands about schemas, as CI and operators run them: on a folder, and against a registry.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod changes;
mod folder;
mod parcel;
mod registry;
mod releases;
