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
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file or line that has no business there.
    #[error("{0} is neither v<N>.avsc nor a line of <sha256>  <event>/v<N>.avsc")]
    Stray(String),
    /// A version between others is missing, or the first is.
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
    Gone {
        /// The file.
        path: String,
    },
    /// A file is no Avro schema.
    #[error("{path} is no Avro schema")]
    NotAvro {
        /// The file.
        path: String,
        /// What Avro says.
        #[source]
        source: Box<apache_avro::Error>,
    },
    /// A schema is none of an event.
    #[error("{path} is no record; an event is a record, and its full name names its subject")]
    NoRecord {
        /// The file.
        path: String,
    },
    /// A schema says something that no reader of Avro hears.
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
    /// Two versions do not understand each other.
    #[error("{event}: v{newer} does not go with v{older}")]
    Incompatible {
        /// The folder.
        event: String,
        /// The older version.
        older: u32,
        /// The newer version.
        newer: u32,
        /// The field, and why.
        #[source]
        source: Incompatible,
    },
}
