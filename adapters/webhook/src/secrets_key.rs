use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use application::notification::{NoSecretsKey, SealedSecret};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};

/// The first byte of a sealed secret. The nonce and the encrypted secret with its tag follow.
const FORMAT: u8 = 1;

/// Binds sealed secrets to their purpose and format: nothing else that is encrypted with the same key
/// can be used as the secret of a webhook.
const PURPOSE: &[u8] = b"orders: secret of a webhook, format 1";

/// The length of a key in bytes.
const KEY_LENGTH: usize = 32;

/// The key that seals the secrets of webhooks, with AES-256-GCM. Cheap to clone.
#[derive(Clone)]
pub struct SecretsKey(Arc<LessSafeKey>);

impl fmt::Debug for SecretsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretsKey(..)")
    }
}

/// Why the key cannot be read. The messages contain no part of the key.
#[derive(Debug, thiserror::Error)]
pub enum SecretsKeyError {
    /// The file cannot be read.
    #[error("cannot read {path}; {HOW_TO}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// The text is not base64.
    #[error("the key is not base64; {HOW_TO}")]
    NotBase64,
    /// The key has another length.
    #[error("the key has {0} bytes instead of {KEY_LENGTH}; {HOW_TO}")]
    Length(usize),
}

const HOW_TO: &str = "make a key with `openssl rand -base64 32`";

/// Why a sealed secret cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// No key is configured.
    #[error(transparent)]
    NoKey(#[from] NoSecretsKey),
    /// It was sealed with another key, or was changed.
    #[error(
        "the secret of the webhook cannot be decrypted with the key in WEBHOOK_SECRETS_KEY_FILE; \
         configure the key that encrypted it"
    )]
    OtherKey,
    /// It has an unknown format.
    #[error("the stored secret of the webhook has an unknown format")]
    Format,
}

impl SecretsKey {
    /// The key in this file: 32 bytes as base64, which is 44 characters. White space around it is
    /// ignored.
    ///
    /// # Errors
    /// When the file cannot be read or contains something else.
    pub fn read(path: &Path) -> Result<Self, SecretsKeyError> {
        let text = fs::read(path)
            .map_err(|source| SecretsKeyError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text)
    }

    /// Creates a file with a new random key, which only the owner can read. The file is complete or does
    /// not exist.
    ///
    /// # Errors
    /// When the file exists or cannot be written.
    pub fn create(path: &Path) -> io::Result<()> {
        let incomplete = path.with_extension("new");
        match fs::remove_file(&incomplete) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file =
            File::options().write(true).create_new(true).mode(0o600).open(&incomplete)?;
        writeln!(file, "{}", STANDARD.encode(random::<KEY_LENGTH>()))?;
        file.sync_all()?;
        // A rename would replace a key that is there already.
        let linked = fs::hard_link(&incomplete, path);
        fs::remove_file(&incomplete)?;
        linked
    }

    pub(crate) fn parse(text: &[u8]) -> Result<Self, SecretsKeyError> {
        let key = STANDARD.decode(text.trim_ascii()).map_err(|_| SecretsKeyError::NotBase64)?;
        let unbound =
            UnboundKey::new(&AES_256_GCM, &key).map_err(|_| SecretsKeyError::Length(key.len()))?;
        Ok(Self(Arc::new(LessSafeKey::new(unbound))))
    }

    /// Encrypts the secret. The nonce is random: a key may seal 2³² secrets.
    pub(crate) fn seal(&self, mut secret: Vec<u8>) -> SealedSecret {
        let nonce: [u8; NONCE_LEN] = random();
        let tag = self
            .0
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(PURPOSE),
                &mut secret,
            )
            .expect("a secret is shorter than the limit of AES-GCM, 64 GiB");
        SealedSecret([&[FORMAT], &nonce[..], &secret, tag.as_ref()].concat())
    }

    /// Decrypts a sealed secret.
    ///
    /// # Errors
    /// When it was sealed with another key, was changed, or has an unknown format.
    pub(crate) fn open(&self, sealed: &SealedSecret) -> Result<Vec<u8>, OpenError> {
        let (&format, rest) = sealed.0.split_first().ok_or(OpenError::Format)?;
        let (nonce, encrypted) = rest.split_first_chunk::<NONCE_LEN>().ok_or(OpenError::Format)?;
        if format != FORMAT {
            return Err(OpenError::Format);
        }
        let mut encrypted = encrypted.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let secret = self.0.open_in_place(nonce, Aad::from(PURPOSE), &mut encrypted);
        secret.map(|secret| secret.to_vec()).map_err(|_| OpenError::OtherKey)
    }
}

/// Random bytes that nobody can predict.
///
/// Panics if the operating system has none: there is no safe way to go on.
pub(crate) fn random<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    SystemRandom::new().fill(&mut bytes).expect("the operating system provides random bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn key(bytes: &[u8]) -> Result<SecretsKey, SecretsKeyError> {
        SecretsKey::parse(STANDARD.encode(bytes).as_bytes())
    }

    #[test]
    fn what_was_sealed_is_opened_with_the_same_key_only() {
        let (first, second) = (key(&[1; 32]).unwrap(), key(&[2; 32]).unwrap());
        let sealed = first.seal(b"secret".to_vec());
        assert_eq!(first.open(&sealed), Ok(b"secret".to_vec()));
        assert_eq!(second.open(&sealed), Err(OpenError::OtherKey));
        assert_ne!(first.seal(b"secret".to_vec()), sealed, "the nonce is random");
        assert!(!sealed.0.windows(6).any(|bytes| bytes == b"secret"));
    }

    #[test]
    fn each_changed_and_each_missing_byte_is_detected() {
        let key = key(&[1; 32]).unwrap();
        let sealed = key.seal(b"secret".to_vec()).0;
        assert_eq!(sealed.len(), 1 + 12 + 6 + 16);
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            let expected = if index == 0 { OpenError::Format } else { OpenError::OtherKey };
            assert_eq!(key.open(&SealedSecret(changed)), Err(expected), "byte {index}");
            let shorter = SealedSecret(sealed[..index].to_vec());
            assert!(key.open(&shorter).is_err(), "the first {index} bytes");
        }
    }

    #[test]
    fn a_secret_sealed_by_the_first_release_can_be_opened() {
        let sealed = "AQABAgMEBQYHCAkKC8jD9lRFivVSWvmB/mTVdjgAQ8q3gn0=";
        let sealed = SealedSecret(STANDARD.decode(sealed).unwrap());
        assert_eq!(key(&[1; 32]).unwrap().open(&sealed), Ok(b"secret".to_vec()));
    }

    #[test]
    fn a_key_is_read_from_a_file() {
        let path = std::env::temp_dir().join(format!("orders-webhook-key-{}", std::process::id()));
        let read = |text: &[u8]| {
            fs::write(&path, text).unwrap();
            SecretsKey::read(&path).map(|_| ()).map_err(|error| error.to_string())
        };
        let text = STANDARD.encode([7; 32]);
        assert_eq!(text.len(), 44);
        for text in [text.clone(), format!("{text}\n"), format!(" \t{text}\r\n\n")] {
            assert_eq!(read(text.as_bytes()), Ok(()), "{text:?}");
        }
        for (text, problem) in [
            ("", "the key has 0 bytes instead of 32; "),
            ("c2hvcnQ=", "the key has 5 bytes instead of 32; "),
            (STANDARD.encode([7; 33]).as_str(), "the key has 33 bytes instead of 32; "),
            ("hunter2!", "the key is not base64; "),
            (&text[..43], "the key is not base64; "),
            (&format!("{text} {text}"), "the key is not base64; "),
            (&"07".repeat(32), "the key has 48 bytes instead of 32; "),
        ] {
            let error = read(text.as_bytes()).unwrap_err();
            assert_eq!(error, format!("{problem}make a key with `openssl rand -base64 32`"));
        }
        assert!(read(&[0xff; 32]).unwrap_err().starts_with("the key is not base64"));
        fs::remove_file(&path).unwrap();
        let error = SecretsKey::read(&path).unwrap_err();
        let expected = format!("cannot read {}; make a key with", path.display());
        assert!(error.to_string().starts_with(&expected), "{error}");
        assert!(std::error::Error::source(&error).is_some());
    }

    #[test]
    fn a_created_key_is_random_private_and_never_replaced() {
        let path = |n| std::env::temp_dir().join(format!("orders-key-{}-{n}", std::process::id()));
        let (first, second) = (path(1), path(2));
        SecretsKey::create(&first).unwrap();
        SecretsKey::create(&second).unwrap();
        let text = fs::read(&first).unwrap();
        assert_ne!(text, fs::read(&second).unwrap());
        assert!(SecretsKey::read(&first).is_ok());
        assert_eq!(fs::metadata(&first).unwrap().permissions().mode() & 0o777, 0o600);
        let error = SecretsKey::create(&first).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&first).unwrap(), text);
        assert!(!first.with_extension("new").exists());
        fs::remove_file(&first).unwrap();
        fs::remove_file(&second).unwrap();
    }

    #[test]
    fn debug_output_does_not_contain_the_key() {
        assert_eq!(format!("{:?}", key(&[1; 32]).unwrap()), "SecretsKey(..)");
    }
}
