//! TLS, for this process's HTTP clients.

/// Names ring as the cryptography of every HTTP client made from now on. Without it, making one
/// panics in any build that holds the embedded world, even if the client never uses TLS. Calling
/// it again changes nothing.
pub fn prepare() {
    // Fails when there is a choice already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
