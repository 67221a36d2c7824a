use std::convert::Infallible;
use std::fmt;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};

use super::{FieldError, Problem};

/// The version of a thing as HTTP knows it (`ETag`): a number in quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntityTag(pub i64);

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

/// Versions a client names in a header (RFC 9110, 13.1).
#[derive(Debug, Clone, PartialEq, Eq)]
enum Named {
    /// Whichever there is.
    Any,
    /// One of these tags, with whether each is weak.
    Tags(Vec<(bool, String)>),
}

/// The versions a client insists on (`If-Match`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfMatch(Option<Named>);

/// The versions a client has already (`If-None-Match`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfNoneMatch(Option<Named>);

impl IfMatch {
    /// The versions insisted on; `None` when the client takes any. A tag that is weak, or that
    /// this server never gave, matches nothing and is left out.
    #[must_use]
    pub fn versions(&self) -> Option<Vec<i64>> {
        match &self.0 {
            None | Some(Named::Any) => None,
            Some(Named::Tags(tags)) => Some(
                tags.iter().filter(|(weak, _)| !weak).filter_map(|(_, tag)| version(tag)).collect(),
            ),
        }
    }
}

impl IfNoneMatch {
    /// Whether the client has this version already. Weak tags count.
    #[must_use]
    pub fn has(&self, tag: EntityTag) -> bool {
        match &self.0 {
            None => false,
            Some(Named::Any) => true,
            Some(Named::Tags(tags)) => {
                let tag = tag.0.to_string();
                tags.iter().any(|(_, named)| *named == tag)
            }
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let error =
            FieldError::header("If-Match", "must be `*` or versions in quotes, such as \"1\"");
        match read(&parts.headers, &header::IF_MATCH) {
            Ok(named) => Ok(Self(named)),
            Err(Unreadable) => Err(Problem::invalid_parameters(vec![error])),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Infallible;

    /// A header that cannot be read is as good as none: the thing is sent whole.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(read(&parts.headers, &header::IF_NONE_MATCH).unwrap_or(None)))
    }
}

/// The version a tag of this server names: `1`, never `01` or `+1`.
fn version(tag: &str) -> Option<i64> {
    tag.parse().ok().filter(|version: &i64| version.to_string() == tag)
}

struct Unreadable;

fn read(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Named>, Unreadable> {
    let mut tags = Vec::new();
    let mut given = false;
    for value in headers.get_all(name) {
        given = true;
        let text = value.to_str().map_err(|_| Unreadable)?;
        if text.trim() == "*" {
            return Ok(Some(Named::Any));
        }
        tags.append(&mut list(text)?);
    }
    Ok(given.then_some(Named::Tags(tags)))
}

/// `"1", W/"2"`: tags in quotes, with commas between them. A tag has no blanks.
fn list(text: &str) -> Result<Vec<(bool, String)>, Unreadable> {
    let mut tags = Vec::new();
    let mut rest = text.trim();
    loop {
        let (weak, quoted) = match rest.strip_prefix("W/") {
            Some(quoted) => (true, quoted),
            None => (false, rest),
        };
        let quoted = quoted.strip_prefix('"').ok_or(Unreadable)?;
        let (tag, after) = quoted.split_once('"').ok_or(Unreadable)?;
        if !tag.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Unreadable);
        }
        tags.push((weak, tag.to_owned()));
        let after = after.trim_start();
        if after.is_empty() {
            return Ok(tags);
        }
        rest = after.strip_prefix(',').ok_or(Unreadable)?.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn named(text: &'static str) -> Option<Named> {
        let headers = HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_static(text))]);
        read(&headers, &header::IF_MATCH).ok().flatten()
    }

    #[test]
    fn versions_insisted_on_are_read_and_foreign_tags_match_nothing() {
        assert_eq!(
            IfMatch(named("\"1\", \"a,b\" , W/\"2\",\"3\",\"04\"")).versions(),
            Some(vec![1, 3])
        );
        assert_eq!(IfMatch(named("*")).versions(), None);
        assert_eq!(IfMatch(None).versions(), None);
        for text in ["1", "\"1", "\"1\" \"2\"", "\"1\",", "\"1 \"", "w/\"1\"", ""] {
            assert_eq!(named(text), None, "{text}");
        }
    }

    #[test]
    fn a_version_the_client_has_is_recognised_even_by_a_weak_tag() {
        let has = IfNoneMatch(named("W/\"2\""));
        assert!(has.has(EntityTag(2)));
        assert!(!has.has(EntityTag(1)));
        assert!(IfNoneMatch(named("*")).has(EntityTag(7)));
        assert!(!IfNoneMatch(None).has(EntityTag(1)));
    }
}
