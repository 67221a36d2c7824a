use std::error::Error;
use std::net::SocketAddr;

/// Why a program could not start, each in one line that says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Somebody listens there already.
    #[error("{addr} is taken; stop what listens there or set {variable} to another address")]
    AddressTaken {
        /// Where it was to listen.
        addr: SocketAddr,
        /// The variable that names the address.
        variable: &'static str,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}; set {variable} to an address of this host")]
    Address {
        /// Where it was to listen.
        addr: SocketAddr,
        /// The variable that names the address.
        variable: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A setting is wrong.
    #[error("{variable} is wrong: {reason}")]
    Setting {
        /// The variable.
        variable: &'static str,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// Something else, told by its source.
    #[error("{what}")]
    Other {
        /// What was attempted.
        what: String,
        /// Why it failed.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl StartError {
    /// A wrong setting: what is wrong with it, and what would be right.
    #[must_use]
    pub const fn setting(variable: &'static str, reason: String) -> Self {
        Self::Setting { variable, reason }
    }

    /// Something that has no case of its own.
    pub fn other(what: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Other { what: what.into(), source: source.into() }
    }
}
