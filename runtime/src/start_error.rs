use std::error::Error;
use std::net::SocketAddr;

/// Why a program could not start. Each message is one line that says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process listens on the address.
    #[error(
        "{addr} is already in use; stop the process that listens on it, or set {variable} to \
         another address"
    )]
    AddressTaken {
        /// The address to listen on.
        addr: SocketAddr,
        /// The environment variable with the address.
        variable: &'static str,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}; set {variable} to an address of this host")]
    Address {
        /// The address to listen on.
        addr: SocketAddr,
        /// The environment variable with the address.
        variable: &'static str,
        /// The error of the system.
        #[source]
        source: std::io::Error,
    },
    /// A setting is wrong.
    #[error("{variable} is wrong: {reason}")]
    Setting {
        /// The environment variable, or the option if there is none.
        variable: String,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// Any other error. The source describes it.
    #[error("{what}")]
    Other {
        /// The operation that failed.
        what: String,
        /// Why it failed.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl StartError {
    /// A wrong setting. `reason` says what is wrong with it, and what would be right.
    #[must_use]
    pub fn setting(variable: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Setting { variable: variable.into(), reason: reason.into() }
    }

    /// An error that has no variant of its own.
    pub fn other(what: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Other { what: what.into(), source: source.into() }
    }
}
