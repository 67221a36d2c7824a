use super::LEVEL;

/// What is wrong between a folder of schemas and a registry, in one line that says what to do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// A released version is not in the registry.
    #[error("{event} v{version} is not registered under {subject}; run `schemas register`")]
    NotRegistered {
        /// The folder of the event.
        event: String,
        /// The version in that folder.
        version: usize,
        /// Where it should be.
        subject: String,
    },
    /// The registry does not take a version.
    #[error(
        "the registry refuses {event} v{version} under {subject}: {reason}; make a version that all \
         in the registry can read and be read by"
    )]
    Refused {
        /// The folder of the event.
        event: String,
        /// The version in that folder.
        version: usize,
        /// Where it should be.
        subject: String,
        /// What the registry has against it.
        reason: String,
    },
    /// The registry would let versions in that do not understand each other.
    #[error("the level of {subject} is {level}, not {LEVEL}; run `schemas register`")]
    Level {
        /// The subject.
        subject: String,
        /// The level that holds for it now.
        level: String,
    },
    /// The registry knows more than the folder.
    #[error(
        "{subject} holds version {version}, which the folder does not; bring the folder up to date, \
         or ask who registered it"
    )]
    Unknown {
        /// The subject.
        subject: String,
        /// The version in the registry.
        version: u32,
    },
    /// Others may use a version that can still be edited here.
    #[error(
        "{event} v{version} is registered under {subject} and so released; add this line to \
         released.txt: {line}"
    )]
    Unlisted {
        /// The folder of the event.
        event: String,
        /// The version in that folder.
        version: usize,
        /// Where it is registered.
        subject: String,
        /// Its line.
        line: String,
    },
    /// A version that can still be edited is not registered.
    #[error(
        "{event} v{version} is not released and was not registered; to release it, add this line to \
         released.txt: {line}"
    )]
    Unreleased {
        /// The folder of the event.
        event: String,
        /// The version in that folder.
        version: usize,
        /// Its line.
        line: String,
    },
}
