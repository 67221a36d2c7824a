use application::StoreError;

/// What Postgres, or the way to it, said. It stays inside the adapters: ports speak [`StoreError`].
#[derive(Debug, thiserror::Error)]
#[error("Postgres failed")]
pub(crate) struct PgError(#[from] sqlx::Error);

impl PgError {
    fn is_passing(&self) -> bool {
        is_passing(&self.0)
    }
}

impl From<PgError> for sqlx::Error {
    fn from(error: PgError) -> Self {
        error.0
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

/// Whether it is the content that is at fault, so that other content can be stored meanwhile.
fn is_of_content(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Encode(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| is_content_code(&code)),
        _ => false,
    }
}

/// By SQLSTATE: data that do not fit (22) or break a constraint (23), or exceed a limit (54).
fn is_content_code(code: &str) -> bool {
    ["22", "23", "54"].iter().any(|class| code.starts_with(class))
}

/// By SQLSTATE (Postgres manual, appendix A): a connection lost (08), transaction rolled back (40),
/// too few resources (53), locks not available (55P03), cancelled or shutting down (57), a server
/// that turned read-only in a failover (25006), an idle transaction ended (25P03), an error outside
/// the database (58), an outbox that an operator must adopt first (OR002, ours).
fn is_passing_code(code: &str) -> bool {
    matches!(code, "55P03" | "25006" | "25P03" | "OR002")
        || ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class))
}

impl From<PgError> for StoreError {
    fn from(error: PgError) -> Self {
        if error.is_passing() {
            Self::Unavailable(Box::new(error))
        } else if is_of_content(&error.0) {
            Self::Refused(Box::new(error))
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
        for code in ["08006", "40001", "40P01", "53300", "57P01", "25006", "58000", "OR002"] {
            assert!(is_passing_code(code), "{code}");
        }
        for code in ["23505", "22021", "42P01", "25P02"] {
            assert!(!is_passing_code(code), "{code}");
        }
    }

    #[test]
    fn what_is_the_fault_of_a_record_is_told_from_what_is_not() {
        for code in ["22021", "22P05", "23505", "23514", "54000"] {
            assert!(is_content_code(code), "{code}");
        }
        // A password that was changed, a database that is gone, a right that was taken away, a
        // transaction that had failed before, a table that is not there, an index that is damaged.
        for code in ["28P01", "3D000", "42501", "25P02", "42P01", "XX002"] {
            assert!(!is_content_code(code), "{code}");
        }
    }
}
