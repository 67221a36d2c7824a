use super::LEVEL;

/// A difference between a folder of schemas and a registry. Each message is one line that says what
/// to do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// A released version is not registered.
    #[error("{event} v{version} is not registered under {subject}; run `schemas register`")]
    NotRegistered {
        /// The folder of the event.
        event: String,
        /// The version in that folder.
        version: usize,
        /// The subject that it belongs to.
        subject: String,
    },
    /// The registry refuses a version.
    #[error(
        "the registry refuses {event} v{version} under {subject}: {reason}; write a version that is \
         compatible with all versions in the registry"
    )]
    Refused {
        /// The folder of the event.
        event: String,
        /// The version in that folder.
        version: usize,
        /// The subject that it belongs to.
        subject: String,
        /// The message of the registry.
        reason: String,
    },
    /// The registry would accept incompatible versions.
    #[error("the compatibility level of {subject} is {level}, not {LEVEL}; run `schemas register`")]
    Level {
        /// The subject.
        subject: String,
        /// Its current compatibility level.
        level: String,
    },
    /// The registry has a version that is not in the folder.
    #[error(
        "{subject} has version {version}, which is not in the folder; add it to the folder, or find \
         out who registered it"
    )]
    Unknown {
        /// The subject.
        subject: String,
        /// The version in the registry.
        version: u32,
    },
    /// A version is registered but not in `released.txt`, so that it could still be edited.
    #[error(
        "{event} v{version} is registered under {subject}, so it is released; add this line to \
         released.txt: {line}"
    )]
    Unlisted {
        /// The folder of the event.
        event: String,
        /// The version in that folder.
        version: usize,
        /// The subject that it is registered under.
        subject: String,
        /// The line for `released.txt`.
        line: String,
    },
    /// A version is not in `released.txt` and was not registered.
    #[error(
        "{event} v{version} is not released and was not registered; to release it, add this line to \
         released.txt: {line}"
    )]
    Unreleased {
        /// The folder of the event.
        event: String,
        /// The version in that folder.
        version: usize,
        /// The line for `released.txt`.
        line: String,
    },
}
