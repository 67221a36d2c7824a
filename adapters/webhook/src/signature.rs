use application::notification::WebhookCall;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use ring::hmac;

use crate::secrets::SealedSecrets;
use crate::secrets_key::OpenError;

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Why a call cannot be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignError {
    #[error(transparent)]
    Secret(#[from] OpenError),
    #[error("the webhook has no secret")]
    NoSecret,
    #[error("the id of the call is not possible in a header")]
    Id,
}

/// The headers that identify and sign a call. The signature header contains a signature for each
/// secret, so that a receiver can verify with the old or the new one during a rotation.
///
/// Old secrets that cannot be opened are left out: the key that they were sealed with may be lost.
pub(crate) fn signature_headers(
    call: &WebhookCall,
    secrets: &SealedSecrets,
) -> Result<HeaderMap, SignError> {
    let (current, previous) = call.secrets.split_first().ok_or(SignError::NoSecret)?;
    let id = HeaderValue::from_str(&call.id).map_err(|_| SignError::Id)?;
    let timestamp = call.at.get().timestamp();
    let current = secrets.open(current)?;
    let previous = previous.iter().filter_map(|sealed| secrets.open(sealed).ok());
    let sign = |secret: Vec<u8>| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        sign(&key, &call.id, timestamp, &call.body)
    };
    let signatures: Vec<String> = std::iter::once(current).chain(previous).map(sign).collect();
    let signatures = HeaderValue::from_str(&signatures.join(" "));
    let signatures = signatures.expect("base64 and spaces are possible in a header");
    Ok([(ID, id), (TIMESTAMP, timestamp.into()), (SIGNATURE, signatures)].into_iter().collect())
}

fn sign(key: &hmac::Key, id: &str, timestamp: i64, body: &str) -> String {
    let signed = hmac::sign(key, format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(signed))
}

#[cfg(test)]
mod tests {
    use application::notification::{SealedSecret, WebhookSecrets};
    use standardwebhooks::Webhook;

    use super::*;
    use crate::SecretsKey;
    use crate::tests::fixture::{call, secrets};

    #[test]
    fn the_signature_is_the_one_in_the_standards_example() {
        let secret = STANDARD.decode("C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let body = r#"{"email":"test@example.com","username":"test_user"}"#;
        let signature = sign(&key, "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1_649_367_553, body);
        assert_eq!(signature, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
    }

    #[test]
    fn during_a_rotation_a_call_is_verified_with_each_of_the_two_secrets() {
        let secrets = secrets();
        let (new, sealed_new) = secrets.generate().unwrap();
        let (old, sealed_old) = secrets.generate().unwrap();
        let (other, _) = secrets.generate().unwrap();
        let mut call = call("https://hooks.example/");
        // The crate of the standard accepts a timestamp of the last five minutes only.
        call.at = runtime_now();
        call.secrets = vec![sealed_new, sealed_old];
        let headers = signature_headers(&call, &secrets).unwrap();
        assert_eq!(headers["webhook-id"], call.id);
        assert_eq!(headers["webhook-signature"].to_str().unwrap().split(' ').count(), 2);
        let verify = |secret: &str, body: &str| {
            Webhook::new(secret).unwrap().verify(body.as_bytes(), &headers).is_ok()
        };
        assert!(verify(&new, &call.body) && verify(&old, &call.body));
        assert!(!verify(&other, &call.body) && !verify(&new, "{}"));
    }

    #[test]
    fn an_old_secret_that_was_sealed_with_a_lost_key_does_not_prevent_a_call() {
        let secrets = secrets();
        let (new, sealed_new) = secrets.generate().unwrap();
        let mut call = call("https://hooks.example/");
        call.at = runtime_now();
        call.secrets = vec![sealed_new, SealedSecret(vec![9])];
        let headers = signature_headers(&call, &secrets).unwrap();
        assert!(Webhook::new(&new).unwrap().verify(call.body.as_bytes(), &headers).is_ok());
    }

    #[test]
    fn a_call_that_cannot_be_signed_is_an_error() {
        let secrets = secrets();
        let unsigned = |change: fn(&mut WebhookCall)| {
            let mut call = call("https://hooks.example/");
            change(&mut call);
            signature_headers(&call, &secrets).unwrap_err()
        };
        assert_eq!(unsigned(|call| call.secrets.clear()), SignError::NoSecret);
        assert_eq!(unsigned(|call| "a\r\nb: c".clone_into(&mut call.id)), SignError::Id);
        let damaged = unsigned(|call| call.secrets = vec![SealedSecret(vec![9])]);
        assert_eq!(damaged, OpenError::Format.into());
        let without_key = SealedSecrets::new(None::<SecretsKey>);
        let error = signature_headers(&call("https://hooks.example/"), &without_key).unwrap_err();
        assert_eq!(error.to_string(), "set WEBHOOK_SECRETS_KEY_FILE to use webhooks");
    }

    fn runtime_now() -> domain::Timestamp {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_micros();
        domain::Timestamp::from_micros(i64::try_from(now).unwrap()).unwrap()
    }
}
