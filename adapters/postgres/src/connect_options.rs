use std::fs::File;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

use runtime::StartError;

/// The URL parameters that name files, under all names that sqlx knows.
const FILES: [&str; 7] =
    ["sslrootcert", "ssl-root-cert", "ssl-ca", "sslcert", "ssl-cert", "sslkey", "ssl-key"];

/// The other parameters that sqlx knows. It would log any unknown one together with its value.
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

/// Parses the URL of a database from the environment variable `variable`.
///
/// Each file that the URL names is opened once, so that a missing file is reported now and not as an
/// outage of the database. No error quotes a part of the URL, because it contains a password.
///
/// # Errors
/// When it is not the URL of a Postgres, or names a file that cannot be read.
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
        return Err(wrong("it is not a Postgres URL"));
    }
    for (given, value) in url.query_pairs() {
        // The name and the value are not quoted: they may be parts of a password with a `?`.
        if let Some(name) = FILES.iter().find(|name| **name == given) {
            File::open(value.as_ref())
                .map_err(|error| wrong(&format!("cannot read the file of {name}: {error}")))?;
        } else if !OTHERS.contains(&given.as_ref()) && !given.starts_with("options[") {
            return Err(wrong("it has a parameter that does not exist"));
        } else if matches!(given.as_ref(), "sslmode" | "ssl-mode")
            && value.parse::<PgSslMode>().is_err()
        {
            let modes = "disable, allow, prefer, require, verify-ca or verify-full";
            return Err(wrong(&format!("its sslmode is not {modes}")));
        }
    }
    let options: PgConnectOptions =
        text.parse().map_err(|_: sqlx::Error| wrong("one of its parameters has a wrong value"))?;
    // PgBouncer refuses this parameter. It only matters for numbers in text format.
    Ok(options.extra_float_digits(None))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<PgConnectOptions, StartError> {
        connect_options("DATABASE_URL", text)
    }

    #[test]
    fn a_url_with_known_parameters_is_accepted() {
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
    fn every_error_is_one_line_without_the_password() {
        for (text, reason) in [
            ("", "relative URL without a base"),
            ("hunter2", "relative URL without a base"),
            ("mysql://ada:hunter2@host/name", "it is not a Postgres URL"),
            ("postgres://host/name?pasword=hunter2", "it has a parameter that does not exist"),
            ("postgres://ada:4711?hunter2@host/name", "it has a parameter that does not exist"),
            ("postgres://host/name?sslmode=hunter2", "its sslmode is not disable, allow"),
            ("postgres://host/name?statement-cache-capacity=hunter2", "one of its parameters"),
            ("postgres://ada:hunter2@host:port/name", "invalid port number"),
            (
                "postgres://ada:hunter2@host/name?sslmode=verify-full&sslrootcert=/nowhere/ca",
                "cannot read the file of sslrootcert: No such file or directory",
            ),
            (
                "postgres://host/name?sslkey=%2Fnowhere%2Fkey",
                "cannot read the file of sslkey: No such file",
            ),
        ] {
            let error = of(text).unwrap_err().to_string();
            let begins = format!("DATABASE_URL is wrong: {reason}");
            assert!(error.starts_with(&begins) && !error.contains("hunter2"), "{text}: {error}");
            assert!(
                error.ends_with("; write postgres://user:password@host:port/database"),
                "{error}"
            );
        }
    }
}
