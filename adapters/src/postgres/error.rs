use application::StoreError;

/// What Postgres, or the way to it, said. It stays inside the adapters: ports speak [`StoreError`].
#[derive(Debug, thiserror::Error)]
#[error("Postgres failed")]
pub(crate) struct PgError(#[from] sqlx::Error);

impl PgError {
    pub(super) fn into_inner(self) -> sqlx::Error {
        self.0
    }

    fn is_passing(&self) -> bool {
        is_passing(&self.0)
    }
}

/// Whether the same request can succeed later, unchanged.
pub(super) fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| is_passing_code(&code)),
        _ => false,
    }
}

/// By SQLSTATE (Postgres manual, appendix A): a connection lost (08), transaction rolled back (40),
/// too few resources (53), locks not available (55P03), cancelled or shutting down (57), a server
/// that turned read-only in a failover (25006), an idle transaction ended (25P03), an error outside
/// the database (58).
fn is_passing_code(code: &str) -> bool {
    matches!(code, "55P03" | "25006" | "25P03")
        || ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class))
}

impl From<PgError> for StoreError {
    fn from(error: PgError) -> Self {
        if error.is_passing() {
            Self::Unavailable(Box::new(error))
        } else {
            Self::Broken(Box::new(error))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_told_from_what_does_not() {
        for code in ["08006", "40001", "40P01", "53300", "57P01", "25006", "58000"] {
            assert!(is_passing_code(code), "{code}");
        }
        for code in ["23505", "22021", "42P01", "25P02"] {
            assert!(!is_passing_code(code), "{code}");
        }
    }
}
