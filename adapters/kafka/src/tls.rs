//! TLS of the HTTP clients in this process.

/// Selects ring as the cryptography provider of all HTTP clients that are created after this call.
///
/// A build with the embedded servers has two providers, and creating a client without a selection
/// panics, even if the client does not use TLS. Further calls have no effect.
pub fn prepare() {
    // Fails if a provider was selected before. That one is used then.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
