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
    #[error(
        "unexpected: {0}; a file must be named v<N>.avsc, and a line of released.txt must be \
         <sha256>  <event>/v<N>.avsc"
    )]
    Unexpected(String),
    /// A version is missing although a later version exists.
    #[error("{event}/v{version}.avsc is missing, although there is a later version")]
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
    #[error(
        "{path} was removed after it was released; restore it, because old events can only be \
         read with it"
    )]
    Removed {
        /// The file.
        path: String,
    },
    /// A file is not an Avro schema.
    #[error("{path} is not an Avro schema")]
    NotAvro {
        /// The file.
        path: String,
        /// The error of the Avro parser.
        #[source]
        source: Box<apache_avro::Error>,
    },
    /// A schema is not a record.
    #[error(
        "{path} is not a record; an event must be a record, because its subject contains the \
         full name"
    )]
    NotARecord {
        /// The file.
        path: String,
    },
    /// A schema has a logical type that Avro ignores.
    #[error("{path} has the logical type {name}, which Avro does not know and would not check")]
    UnknownLogicalType {
        /// The file.
        path: String,
        /// The logical type.
        name: String,
    },
    /// Only the newest version may be unreleased.
    #[error("{path} is not in released.txt, although there is a later version")]
    Unlisted {
        /// The file.
        path: String,
    },
    /// Two versions are not compatible.
    #[error("{event}: v{newer} is not compatible with v{older}")]
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
