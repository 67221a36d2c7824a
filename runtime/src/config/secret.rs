use std::fmt;
use std::path::Path;

use crate::StartError;

/// A setting that must not be logged. Only [`Secret::reveal`] returns its text.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text of the secret.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it is set. An empty text counts as not set.
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

/// The secret from `variable`, or from the file that `file_variable` names. Docker and Kubernetes
/// mount secrets as files. One line break at the end of the file is removed. An empty variable
/// counts as not set.
///
/// # Errors
/// When both are set, or the file cannot be read.
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
    fn one_line_break_at_the_end_of_the_file_is_removed() {
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
    fn a_secret_can_be_set_directly_or_not_at_all() {
        assert_eq!(of(Some("pass"), None).unwrap().unwrap().reveal(), "pass");
        assert_eq!(of(Some("pass"), Some(Path::new(""))).unwrap().unwrap().reveal(), "pass");
        assert_eq!(of(None, None), Ok(None));
        assert_eq!(of(Some(""), None), Ok(None));
    }

    #[test]
    fn setting_both_and_a_missing_file_are_errors() {
        let nowhere = Path::new("/nowhere/password");
        let error = of(Some("pass"), Some(nowhere)).unwrap_err();
        assert_eq!(error, "PASSWORD_FILE is wrong: PASSWORD is set too; set one of them");
        let error = of(None, Some(nowhere)).unwrap_err();
        let expected = "PASSWORD_FILE is wrong: cannot read /nowhere/password: No such file";
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn debug_output_does_not_contain_the_secret() {
        assert_eq!(format!("{:?}", Some(Secret::from("pass"))), "Some(…)");
    }
}
