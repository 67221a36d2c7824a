use std::fmt;
use std::str::FromStr;

/// An e-mail address that every mail server understands: `local-part@domain` in ASCII, at most 254
/// characters.
///
/// The local part is a dot-atom and the domain a host name
/// ([RFC 5321](https://www.rfc-editor.org/rfc/rfc5321#section-4.1.2)). Quoted local parts and address
/// literals are refused, because hardly any provider delivers to them. Its `Debug` form hides it, so
/// that no log contains it.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress(String);

/// The error for a text that is not an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an e-mail address such as ada@example.org, in ASCII, with at most 254 characters")]
pub struct EmailAddressError;

impl EmailAddress {
    /// Maximum number of characters (RFC 5321, 4.5.3.1.3, without the angle brackets).
    pub const MAX_CHARS: usize = 254;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EmailAddress {
    type Err = EmailAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (local, domain) = text.split_once('@').ok_or(EmailAddressError)?;
        if text.len() <= Self::MAX_CHARS && is_dot_atom(local) && is_host_name(domain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(EmailAddressError)
        }
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(..)")
    }
}

/// At most 64 characters; parts of `atext` (RFC 5322, 3.2.3) with single dots between them.
fn is_dot_atom(local: &str) -> bool {
    let atext = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    local.len() <= 64 && local.split('.').all(|part| !part.is_empty() && part.bytes().all(atext))
}

/// Labels of 1 to 63 letters, digits and inner hyphens, with dots between them (RFC 1123, 2.1).
fn is_host_name(domain: &str) -> bool {
    domain.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}
