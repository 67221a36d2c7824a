use std::io::Write;

use runtime::StartError;

use super::Database;

/// The command `migrate`: runs the pending migrations and prints their names. With `dry_run`, it only
/// prints them.
///
/// # Errors
/// When the database cannot be used or a migration fails.
pub async fn migrate_command(
    database: &Database,
    dry_run: bool,
    out: &mut impl Write,
) -> Result<(), StartError> {
    let failed = |error| StartError::other("cannot write the output", error);
    let schema = database.schema();
    let pending = database
        .pending_migrations()
        .await
        .map_err(|error| StartError::other("cannot use the database", error))?;
    if pending.is_empty() {
        return writeln!(out, "{schema}: all migrations were run before").map_err(failed);
    }
    if !dry_run {
        database
            .migrate()
            .await
            .map_err(|error| StartError::other("cannot migrate the database", error))?;
    }
    let state = if dry_run { "pending" } else { "done" };
    for migration in pending {
        writeln!(out, "{schema}: {migration}: {state}").map_err(failed)?;
    }
    Ok(())
}
