use std::path::PathBuf;

use adapter_webhook::{Policy, SealedSecrets, SecretsKey, parse_networks};
use clap::Args;
use runtime::config::given;
use runtime::{StartError, one_line};

/// How to call webhooks.
#[derive(Debug, Clone, Default, Args)]
pub struct WebhookArgs {
    /// A file with the key that encrypts the secrets of webhooks: 32 bytes as base64, as from
    /// `openssl rand -base64 32`. Without it, webhooks cannot be created and are not called
    #[arg(long, env = "WEBHOOK_SECRETS_KEY_FILE", value_name = "FILE")]
    pub webhook_secrets_key_file: Option<PathBuf>,

    /// Private networks in which webhooks may be, as CIDR blocks with commas between them. Without it,
    /// webhooks can only be in the public internet
    #[arg(long, env = "WEBHOOK_ALLOWED_NETWORKS", value_name = "NETWORKS")]
    pub webhook_allowed_networks: Option<String>,

    /// Also permit webhooks on this host, with http. For development
    #[arg(long, env = "WEBHOOK_ALLOW_HTTP_LOOPBACK", value_name = "BOOL", default_value_t = false,
          action = clap::ArgAction::Set)]
    pub webhook_allow_http_loopback: bool,
}

impl WebhookArgs {
    /// The secrets of webhooks.
    pub(crate) fn secrets(&self) -> Result<SealedSecrets, StartError> {
        let file = self.webhook_secrets_key_file.as_deref();
        let file = file.filter(|path| !path.as_os_str().is_empty());
        let key = file
            .map(SecretsKey::read)
            .transpose()
            .map_err(|error| StartError::setting("WEBHOOK_SECRETS_KEY_FILE", one_line(&error)))?;
        Ok(SealedSecrets::new(key))
    }

    /// Where webhooks may be.
    pub(crate) fn policy(&self) -> Result<Policy, StartError> {
        let networks = given(self.webhook_allowed_networks.as_ref()).unwrap_or_default();
        let allowed_networks = parse_networks(networks)
            .map_err(|error| StartError::setting("WEBHOOK_ALLOWED_NETWORKS", one_line(&error)))?;
        Ok(Policy { allow_http_loopback: self.webhook_allow_http_loopback, allowed_networks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_setting_is_named() {
        let args = |file: &str, networks: &str| WebhookArgs {
            webhook_secrets_key_file: Some(file.into()),
            webhook_allowed_networks: Some(networks.to_owned()),
            webhook_allow_http_loopback: false,
        };
        assert!(args("", "").secrets().is_ok());
        assert!(args("", "10.0.0.0/8, fd00::/8").policy().is_ok());
        let error = args("/no/file", "").secrets().unwrap_err().to_string();
        assert!(error.starts_with("WEBHOOK_SECRETS_KEY_FILE is wrong: "), "{error}");
        let error = args("", "10.0.0.0/33").policy().unwrap_err().to_string();
        assert!(error.starts_with("WEBHOOK_ALLOWED_NETWORKS is wrong: "), "{error}");
    }
}
