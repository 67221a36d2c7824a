use std::convert::Infallible;
use std::fmt;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{FieldError, Problem, ProblemType};

/// The version of a resource as an `ETag`: a number in quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntityTag(pub i64);

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

/// The value of `If-Match` or `If-None-Match` (RFC 9110, 13.1).
#[derive(Debug, Clone, PartialEq, Eq)]
enum TagList {
    /// `*`: any version.
    Any,
    /// These tags, and whether each is weak.
    Tags(Vec<(bool, String)>),
}

/// The versions that a client accepts for a change (`If-Match`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfMatch(Option<TagList>);

/// The versions that a client has cached (`If-None-Match`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfNoneMatch(Option<TagList>);

impl IfMatch {
    /// The versions that the client accepts, or `None` if it accepts any. Weak tags and tags that
    /// are not from this server match nothing and are left out.
    #[must_use]
    pub fn versions(&self) -> Option<Vec<i64>> {
        match &self.0 {
            None | Some(TagList::Any) => None,
            Some(TagList::Tags(tags)) => Some(
                tags.iter().filter(|(weak, _)| !weak).filter_map(|(_, tag)| version(tag)).collect(),
            ),
        }
    }

    /// Whether it is `*`: any version, but there must be one.
    #[must_use]
    pub const fn is_any(&self) -> bool {
        matches!(self.0, Some(TagList::Any))
    }
}

/// A required [`IfMatch`]: a request without the header is answered with status 428.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredIfMatch(pub IfMatch);

impl<S: Send + Sync> FromRequestParts<S> for RequiredIfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match IfMatch::from_request_parts(parts, state).await? {
            IfMatch(None) => Err(Problem::new(
                ProblemType::PreconditionRequired,
                "send the ETag of the resource in If-Match",
            )),
            if_match => Ok(Self(if_match)),
        }
    }
}

impl IfNoneMatch {
    /// Whether it is `*`: the resource must not exist.
    #[must_use]
    pub const fn is_any(&self) -> bool {
        matches!(self.0, Some(TagList::Any))
    }

    /// Whether the client has cached this version. Weak tags count.
    #[must_use]
    pub fn has(&self, tag: EntityTag) -> bool {
        match &self.0 {
            None => false,
            Some(TagList::Any) => true,
            Some(TagList::Tags(tags)) => {
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

    /// A header that cannot be parsed is ignored, and the resource is sent.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(read(&parts.headers, &header::IF_NONE_MATCH).unwrap_or(None)))
    }
}

/// The version in a tag of this server: `1`, but not `01` or `+1`.
fn version(tag: &str) -> Option<i64> {
    tag.parse().ok().filter(|version: &i64| version.to_string() == tag)
}

struct Unreadable;

/// Reads a list of tags, which may be in several headers of this name. `*` is only valid alone.
fn read(headers: &HeaderMap, name: &HeaderName) -> Result<Option<TagList>, Unreadable> {
    let values: Vec<_> = headers.get_all(name).iter().map(latin_1).collect();
    match values.as_slice() {
        [] => Ok(None),
        [any] if any.trim() == "*" => Ok(Some(TagList::Any)),
        lists => match list(&lists.join(","))? {
            tags if tags.is_empty() => Err(Unreadable),
            tags => Ok(Some(TagList::Tags(tags))),
        },
    }
}

/// The text with one character for each byte. Tags of other servers may have bytes that are not
/// ASCII, in any encoding.
fn latin_1(value: &HeaderValue) -> String {
    value.as_bytes().iter().map(|byte| char::from(*byte)).collect()
}

/// Parses `"1", W/"2"`: quoted tags, separated by commas. A tag contains no spaces. Empty elements
/// are ignored (RFC 9110, 5.6.1.2).
fn list(text: &str) -> Result<Vec<(bool, String)>, Unreadable> {
    let mut tags = Vec::new();
    let mut rest = text.trim_start_matches(is_separator);
    while !rest.is_empty() {
        let (weak, quoted) = match rest.strip_prefix("W/") {
            Some(quoted) => (true, quoted),
            None => (false, rest),
        };
        let quoted = quoted.strip_prefix('"').ok_or(Unreadable)?;
        let (tag, after) = quoted.split_once('"').ok_or(Unreadable)?;
        if !tag.chars().all(|c| c.is_ascii_graphic() || !c.is_ascii()) {
            return Err(Unreadable);
        }
        tags.push((weak, tag.to_owned()));
        rest = after.trim_start_matches(is_separator);
        let between = &after[..after.len() - rest.len()];
        if !rest.is_empty() && !between.contains(',') {
            return Err(Unreadable);
        }
    }
    Ok(tags)
}

fn is_separator(character: char) -> bool {
    matches!(character, ' ' | '\t' | ',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &'static str) -> Option<TagList> {
        let headers = HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_static(text))]);
        read(&headers, &header::IF_MATCH).ok().flatten()
    }

    #[test]
    fn if_match_is_parsed_and_foreign_tags_match_nothing() {
        assert_eq!(
            IfMatch(named(", \"1\", \"a,b\" , W/\"2\",,\"3\",\"04\",")).versions(),
            Some(vec![1, 3])
        );
        assert_eq!(IfMatch(named("*")).versions(), None);
        assert_eq!(IfMatch(None).versions(), None);
        for text in
            ["1", "\"1", "\"1\" \"2\"", "\"1\"\"2\"", "\"1\", *", "\"1 \"", "w/\"1\"", ",", ""]
        {
            assert_eq!(named(text), None, "{text}");
        }
    }

    #[test]
    fn a_cached_version_is_recognised_also_by_a_weak_tag() {
        let has = IfNoneMatch(named("W/\"2\""));
        assert!(has.has(EntityTag(2)));
        assert!(!has.has(EntityTag(1)));
        assert!(IfNoneMatch(named("*")).has(EntityTag(7)));
        assert!(!IfNoneMatch(None).has(EntityTag(1)));
    }
}
