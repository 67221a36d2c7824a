use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use notification::{MailArgs, WebhookArgs};

/// The sender of letters to the embedded mail server. RFC 2606 reserves the domain.
const EMBEDDED_SENDER: &str = "Orders <orders@example.org>";

/// How notification sends letters and calls webhooks.
#[derive(Debug, Clone, Args)]
pub(crate) struct OutgoingArgs {
    /// The URL of a running mail server, to use instead of the embedded one, which delivers nothing
    #[arg(long, env = "SMTP_URL", value_name = "URL", global = true)]
    smtp_url: Option<String>,

    /// A file with the password of the user in `SMTP_URL`
    #[arg(long, env = "SMTP_PASSWORD_FILE", value_name = "FILE", global = true)]
    smtp_password_file: Option<PathBuf>,

    /// The sender of letters, such as `Orders <orders@example.org>`
    #[arg(long, env = "MAIL_FROM", value_name = "ADDRESS", global = true)]
    mail_from: Option<String>,

    /// The port of the web page with the letters that the embedded mail server received
    /// [default: 8025, or a free one if that is in use]
    #[arg(long, env = "ORDERS_MAIL_PORT", value_name = "PORT", global = true,
          value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) mail_port: Option<u16>,

    /// A file with the key that encrypts the secrets of webhooks: 32 bytes as base64
    /// [default: webhook-key in the data folder, if Postgres is embedded]
    #[arg(long, env = "WEBHOOK_SECRETS_KEY_FILE", value_name = "FILE", global = true)]
    webhook_secrets_key_file: Option<PathBuf>,

    /// Private networks in which webhooks may be, as CIDR blocks with commas between them
    #[arg(long, env = "WEBHOOK_ALLOWED_NETWORKS", value_name = "NETWORKS", global = true)]
    webhook_allowed_networks: Option<String>,

    /// Also permit webhooks on this host, with http [default: true, but false if `ORDERS_HOST` is not a
    /// loopback address]
    #[arg(long, env = "WEBHOOK_ALLOW_HTTP_LOOPBACK", value_name = "BOOL", global = true)]
    webhook_allow_http_loopback: Option<bool>,
}

impl OutgoingArgs {
    /// Whether letters go to the embedded mail server.
    pub(crate) fn embeds_mail_server(&self) -> bool {
        is_empty(self.smtp_url.as_ref())
    }

    /// How to send letters. `embedded` is the URL of the embedded mail server, if it runs.
    pub(crate) fn mail(&self, embedded: Option<String>) -> MailArgs {
        match embedded {
            None => MailArgs {
                smtp_url: self.smtp_url.clone(),
                smtp_password_file: self.smtp_password_file.clone(),
                mail_from: self.mail_from.clone(),
            },
            Some(url) => {
                let sender = self.mail_from.clone().filter(|from| !is_empty(Some(from)));
                MailArgs {
                    smtp_url: Some(url),
                    smtp_password_file: None,
                    mail_from: sender.or_else(|| Some(EMBEDDED_SENDER.to_owned())),
                }
            }
        }
    }

    /// Whether an environment variable or option names the key of the webhooks.
    pub(crate) fn names_webhook_key(&self) -> bool {
        self.webhook_secrets_key_file.as_ref().is_some_and(|file| !file.as_os_str().is_empty())
    }

    /// How to call webhooks. `key_file` is the key that this program has created, if it has.
    pub(crate) fn webhooks(&self, key_file: Option<PathBuf>, host: IpAddr) -> WebhookArgs {
        WebhookArgs {
            webhook_secrets_key_file: key_file.or_else(|| self.webhook_secrets_key_file.clone()),
            webhook_allowed_networks: self.webhook_allowed_networks.clone(),
            // Whoever can reach the API may register a webhook. Others must not reach this host with it.
            webhook_allow_http_loopback: self
                .webhook_allow_http_loopback
                .unwrap_or_else(|| host.is_loopback()),
        }
    }
}

fn is_empty(setting: Option<&String>) -> bool {
    setting.is_none_or(|value| value.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const NOTHING_SET: OutgoingArgs = OutgoingArgs {
        smtp_url: None,
        smtp_password_file: None,
        mail_from: None,
        mail_port: None,
        webhook_secrets_key_file: None,
        webhook_allowed_networks: None,
        webhook_allow_http_loopback: None,
    };

    #[test]
    fn webhooks_on_this_host_are_permitted_by_default_if_only_this_host_can_register_them() {
        let permits = |setting, host: Ipv4Addr| {
            let args = OutgoingArgs { webhook_allow_http_loopback: setting, ..NOTHING_SET };
            args.webhooks(None, host.into()).webhook_allow_http_loopback
        };
        let (local, all) = (Ipv4Addr::LOCALHOST, Ipv4Addr::UNSPECIFIED);
        assert!(permits(None, local) && !permits(None, all));
        assert!(permits(Some(true), all) && !permits(Some(false), local));
    }

    #[test]
    fn the_embedded_mail_server_is_used_only_if_no_other_is_named() {
        let external = OutgoingArgs { smtp_url: Some("smtp://mail:25".to_owned()), ..NOTHING_SET };
        assert!(!external.embeds_mail_server() && NOTHING_SET.embeds_mail_server());
        assert_eq!(external.mail(None).smtp_url.as_deref(), Some("smtp://mail:25"));
        // Then the sender must be set, as in the separate program.
        assert_eq!(external.mail(None).mail_from, None);
        let embedded = NOTHING_SET.mail(Some("smtp://127.0.0.1:1025".to_owned()));
        assert_eq!(embedded.smtp_url.as_deref(), Some("smtp://127.0.0.1:1025"));
        assert_eq!(embedded.mail_from.as_deref(), Some(EMBEDDED_SENDER));
    }
}
