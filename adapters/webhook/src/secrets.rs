use application::notification::{NoSecretsKey, SealedSecret, WebhookSecrets};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::secrets_key::{OpenError, SecretsKey, random};

/// The length of a secret in bytes. Standard Webhooks recommends 24 to 64.
const SECRET_LENGTH: usize = 32;

/// The secrets of webhooks, sealed with a key. Cheap to clone.
///
/// Without a key there are no webhooks: no secret can be generated, and no call can be signed.
#[derive(Debug, Clone)]
pub struct SealedSecrets(Option<SecretsKey>);

impl SealedSecrets {
    /// Secrets that are sealed with this key.
    #[must_use]
    pub const fn new(key: Option<SecretsKey>) -> Self {
        Self(key)
    }

    /// The bytes of a sealed secret.
    pub(crate) fn open(&self, sealed: &SealedSecret) -> Result<Vec<u8>, OpenError> {
        self.0.as_ref().ok_or(NoSecretsKey)?.open(sealed)
    }
}

impl WebhookSecrets for SealedSecrets {
    fn generate(&self) -> Result<(String, SealedSecret), NoSecretsKey> {
        let key = self.0.as_ref().ok_or(NoSecretsKey)?;
        let secret: [u8; SECRET_LENGTH] = random();
        let text = format!("whsec_{}", STANDARD.encode(secret));
        Ok((text, key.seal(secret.to_vec())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fixture::secrets;

    #[test]
    fn a_generated_secret_is_the_one_that_is_sealed() {
        let secrets = secrets();
        let (text, sealed) = secrets.generate().unwrap();
        let bytes = STANDARD.decode(text.strip_prefix("whsec_").unwrap()).unwrap();
        assert_eq!(bytes.len(), SECRET_LENGTH);
        assert_eq!(secrets.open(&sealed), Ok(bytes));
        let (other, _) = secrets.generate().unwrap();
        assert_ne!(text, other);
    }

    #[test]
    fn without_a_key_there_are_no_secrets() {
        let (_, sealed) = secrets().generate().unwrap();
        let secrets = SealedSecrets::new(None);
        assert_eq!(secrets.generate(), Err(NoSecretsKey));
        assert_eq!(secrets.open(&sealed), Err(OpenError::NoKey(NoSecretsKey)));
    }
}
