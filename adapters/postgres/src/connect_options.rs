use std::error::Error;
use std::fs::File;

use sqlx::postgres::PgConnectOptions;
use url::Url;

use runtime::StartError;

/// The parameters of the URL that name files, as libpq has them and sqlx reads them.
const FILES: [&str; 7] =
    ["sslrootcert", "ssl-root-cert", "ssl-ca", "sslcert", "ssl-cert", "sslkey", "ssl-key"];

/// The other parameters that sqlx reads. Any other it would log, with its value.
const OTHERS: [&str; 11] = [
    "sslmode",
    "ssl-mode",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// Reads the URL of a database, which `variable` gives. Its files are opened once, so that a missing
/// one is told now, not as an outage of the database. The URL holds a password, so it is never part of an error.
///
/// # Errors
/// When it is no URL of a Postgres, or names a file that cannot be read.
pub(super) fn connect_options(
    variable: &'static str,
    text: &str,
) -> Result<PgConnectOptions, StartError> {
    let wrong = |reason: &str| {
        let right = "write postgres://user:password@host:port/database";
        StartError::setting(variable, format!("{reason}; {right}"))
    };
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        return Err(wrong("it is no URL of a Postgres"));
    }
    for (name, path) in url.query_pairs() {
        if FILES.contains(&name.as_ref()) {
            File::open(path.as_ref())
                .map_err(|error| wrong(&format!("cannot read {path}, its {name}: {error}")))?;
        } else if !OTHERS.contains(&name.as_ref()) && !name.starts_with("options[") {
            return Err(wrong(&format!("there is no parameter {name}")));
        }
    }
    text.parse().map_err(|error: sqlx::Error| match error {
        sqlx::Error::Configuration(why) => wrong(&innermost(why.as_ref())),
        _ => wrong("it cannot be read"),
    })
}

/// What is the matter, without who noticed it.
fn innermost(error: &(dyn Error + 'static)) -> String {
    error.source().map_or_else(|| error.to_string(), innermost)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<PgConnectOptions, StartError> {
        connect_options("DATABASE_URL", text)
    }

    #[test]
    fn a_database_may_ask_for_certificates() {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        for parameters in [
            "",
            "?sslmode=disable&options[search_path]=orders",
            &format!("?sslmode=verify-full&sslrootcert={manifest}"),
        ] {
            let options = of(&format!("postgres://ada:pass@host/name{parameters}"));
            assert_eq!(options.unwrap().get_database(), Some("name"), "{parameters}");
        }
    }

    #[test]
    fn every_wrong_url_is_one_line_without_the_password() {
        for (text, reason) in [
            ("", "relative URL without a base"),
            ("hunter2", "relative URL without a base"),
            ("mysql://ada:hunter2@host/name", "it is no URL of a Postgres"),
            ("postgres://host/name?pasword=hunter2", "there is no parameter pasword"),
            ("postgres://ada:hunter2@host:port/name", "invalid port number"),
            (
                "postgres://ada:hunter2@host/name?sslmode=yes",
                "unknown value \"yes\" for `ssl_mode`",
            ),
            (
                "postgres://ada:hunter2@host/name?sslmode=verify-full&sslrootcert=/nowhere/ca",
                "cannot read /nowhere/ca, its sslrootcert: No such file or directory",
            ),
            (
                "postgres://host/name?sslkey=%2Fnowhere%2Fkey",
                "cannot read /nowhere/key, its sslkey",
            ),
        ] {
            let said = of(text).unwrap_err().to_string();
            let begins = format!("DATABASE_URL is wrong: {reason}");
            assert!(said.starts_with(&begins) && !said.contains("hunter2"), "{text}: {said}");
            assert!(
                said.ends_with("; write postgres://user:password@host:port/database"),
                "{said}"
            );
        }
    }
}
