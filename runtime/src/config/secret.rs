use std::fmt;
use std::path::Path;

use crate::StartError;

/// A setting that nobody may read in a log. It is told only by [`Secret::reveal`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The secret itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it is one: what is set and empty is not given.
    pub(super) fn is_given(&self) -> bool {
        !self.0.is_empty()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// A secret that is given as it is, by `variable`, or in a file that `file_variable` names, as Docker
/// and Kubernetes mount them. One line break at the file's end is none of the secret. What is empty
/// is not given.
///
/// # Errors
/// When both are given, or the file cannot be read.
pub fn secret(
    (variable, given): (&'static str, Option<&Secret>),
    (file_variable, file): (&'static str, Option<&Path>),
) -> Result<Option<Secret>, StartError> {
    let given = given.filter(|secret| secret.is_given());
    let file = file.filter(|path| !path.as_os_str().is_empty());
    let wrong = |reason| Err(StartError::setting(file_variable, reason));
    match (given, file) {
        (given, None) => Ok(given.cloned()),
        (Some(_), Some(_)) => wrong(format!("{variable} is set too; set one of them")),
        (None, Some(path)) => match std::fs::read_to_string(path) {
            Ok(text) => Ok(Some(without_line_break(&text).into())),
            Err(error) => wrong(format!("cannot read {}: {error}", path.display())),
        },
    }
}

fn without_line_break(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(given: Option<&str>, file: Option<&Path>) -> Result<Option<Secret>, String> {
        let given = given.map(Secret::from);
        secret(("PASSWORD", given.as_ref()), ("PASSWORD_FILE", file)).map_err(|e| e.to_string())
    }

    fn file(name: &str, text: &str) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("orders-{name}-{}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn a_file_ends_with_one_line_break_that_is_none_of_the_secret() {
        for (text, secret) in [
            ("pass word", "pass word"),
            ("pass word\n", "pass word"),
            ("pass word\r\n", "pass word"),
            ("pass word\n\n", "pass word\n"),
            (" pass word ", " pass word "),
        ] {
            let path = file("secret", text);
            let read = of(None, Some(&path)).unwrap().unwrap();
            assert_eq!(read.reveal(), secret);
            std::fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn a_secret_can_be_given_as_it_is_or_not_at_all() {
        assert_eq!(of(Some("pass"), None).unwrap().unwrap().reveal(), "pass");
        assert_eq!(of(Some("pass"), Some(Path::new(""))).unwrap().unwrap().reveal(), "pass");
        assert_eq!(of(None, None), Ok(None));
        assert_eq!(of(Some(""), None), Ok(None));
    }

    #[test]
    fn both_ways_at_once_and_a_missing_file_are_wrong() {
        let nowhere = Path::new("/nowhere/password");
        let said = of(Some("pass"), Some(nowhere)).unwrap_err();
        assert_eq!(said, "PASSWORD_FILE is wrong: PASSWORD is set too; set one of them");
        let said = of(None, Some(nowhere)).unwrap_err();
        let expected = "PASSWORD_FILE is wrong: cannot read /nowhere/password: No such file";
        assert!(said.starts_with(expected), "{said}");
    }

    #[test]
    fn nobody_reads_a_secret_in_a_log() {
        assert_eq!(format!("{:?}", Some(Secret::from("pass"))), "Some(…)");
    }
}
