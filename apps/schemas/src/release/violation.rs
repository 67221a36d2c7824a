use std::io;

use adapter_avro::compatibility::Incompatible;

/// What is wrong with a folder of schemas.
#[derive(Debug, thiserror::Error)]
pub enum Violation {
    /// It cannot be read.
    #[error("{path} cannot be read")]
    Unreadable {
        /// The file or folder.
        path: String,
        /// The error of the system.
        #[source]
        source: io::Error,
    },
    /// An unexpected file, or an unexpected line in `released.txt`.
    #[error("{0} is neither v<N>.avsc nor a line of <sha256>  <event>/v<N>.avsc")]
    Unexpected(String),
    /// A version is missing although a later version exists.
    #[error("{event}/v{version}.avsc is missing, though a later version is there")]
    Gap {
        /// The folder.
        event: String,
        /// The version.
        version: u32,
    },
    /// A schema was changed after its release.
    #[error("{path} was edited after it was released; restore it and add a new version instead")]
    Edited {
        /// The file.
        path: String,
    },
    /// A schema was removed after its release.
    #[error("{path} was released and is gone; old events can only be read with it")]
    Removed {
        /// The file.
        path: String,
    },
    /// A file is not an Avro schema.
    #[error("{path} is no Avro schema")]
    NotAvro {
        /// The file.
        path: String,
        /// The error of the Avro parser.
        #[source]
        source: Box<apache_avro::Error>,
    },
    /// A schema is not a record.
    #[error("{path} is no record; an event is a record, and its full name names its subject")]
    NotARecord {
        /// The file.
        path: String,
    },
    /// A schema has a logical type that Avro ignores.
    #[error("{path} has the logical type {name}, which Avro does not know and so would not guard")]
    UnknownLogicalType {
        /// The file.
        path: String,
        /// The logical type.
        name: String,
    },
    /// Only the newest version may be unreleased.
    #[error("{path} is not in released.txt, though a later version is there")]
    Unlisted {
        /// The file.
        path: String,
    },
    /// Two versions are not compatible.
    #[error("{event}: v{newer} does not go with v{older}")]
    Incompatible {
        /// The folder.
        event: String,
        /// The older version.
        older: u32,
        /// The newer version.
        newer: u32,
        /// The field and the reason.
        #[source]
        source: Incompatible,
    },
}
