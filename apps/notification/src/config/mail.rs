use std::path::PathBuf;

use adapter_mail::{SmtpMailer, SmtpSettings, SmtpSettingsError};
use clap::Args;
use runtime::config::{given, secret};
use runtime::{StartError, clock, one_line};

/// How to send letters.
#[derive(Debug, Clone, Default, Args)]
pub struct MailArgs {
    /// The mail server: `smtp://host:25`, `smtp://user@host:587?tls=required` for STARTTLS, or
    /// `smtps://user@host:465`. Without it, no letters are sent
    #[arg(long, env = "SMTP_URL", value_name = "URL")]
    pub smtp_url: Option<String>,

    /// A file with the password of the user in `SMTP_URL`
    #[arg(long, env = "SMTP_PASSWORD_FILE", value_name = "FILE")]
    pub smtp_password_file: Option<PathBuf>,

    /// The sender of letters, such as `Orders <orders@example.org>`
    #[arg(long, env = "MAIL_FROM", value_name = "ADDRESS")]
    pub mail_from: Option<String>,
}

impl MailArgs {
    /// Whether letters are sent.
    pub(crate) fn is_on(&self) -> bool {
        given(self.smtp_url.as_ref()).is_some()
    }

    /// The mail server, if one is configured. It is not connected yet.
    pub(crate) fn mailer(&self) -> Result<Option<SmtpMailer>, StartError> {
        let Some(url) = given(self.smtp_url.as_ref()) else { return Ok(None) };
        let Some(from) = given(self.mail_from.as_ref()) else {
            let reason = "set it to the sender of letters, because SMTP_URL is set";
            return Err(StartError::setting("MAIL_FROM", reason));
        };
        let password = secret(
            ("SMTP_PASSWORD", None),
            ("SMTP_PASSWORD_FILE", self.smtp_password_file.as_deref()),
        )?;
        let settings = SmtpSettings { url: url.to_owned(), password, from: from.to_owned() };
        SmtpMailer::new(&settings, clock::now).map(Some).map_err(|error| {
            let variable = match &error {
                SmtpSettingsError::Url(_) => "SMTP_URL",
                SmtpSettingsError::Password(_) => "SMTP_PASSWORD_FILE",
                SmtpSettingsError::From(_) => "MAIL_FROM",
            };
            StartError::setting(variable, one_line(&error))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailer(url: &str, from: &str, password_file: Option<&str>) -> Result<bool, String> {
        let args = MailArgs {
            smtp_url: Some(url.to_owned()),
            smtp_password_file: password_file.map(Into::into),
            mail_from: Some(from.to_owned()),
        };
        args.mailer().map(|mailer| mailer.is_some()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_wrong_setting_is_named() {
        assert_eq!(mailer("", "", None), Ok(false));
        assert_eq!(mailer("smtp://localhost:25", "orders@example.org", None), Ok(true));
        for (url, from, password_file, variable) in [
            ("localhost:25", "orders@example.org", None, "SMTP_URL"),
            ("http://localhost", "orders@example.org", None, "SMTP_URL"),
            ("smtps://user:pw@localhost", "orders@example.org", None, "SMTP_URL"),
            ("smtps://user@localhost", "orders@example.org", None, "SMTP_PASSWORD_FILE"),
            ("smtps://user@localhost", "o@example.org", Some("/no/file"), "SMTP_PASSWORD_FILE"),
            ("smtp://localhost:25", "", None, "MAIL_FROM"),
            ("smtp://localhost:25", "orders", None, "MAIL_FROM"),
        ] {
            let error = mailer(url, from, password_file).unwrap_err();
            assert!(error.starts_with(&format!("{variable} is wrong: ")), "{url}: {error}");
            assert!(!error.contains('\n') && !error.contains(":pw@"), "{error}");
        }
    }
}
