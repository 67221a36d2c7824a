/// Which dead letters are meant, by why they died and by the type of their event. The default means
/// all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadLetterFilter {
    reason: Option<String>,
    event_type: Option<String>,
}

/// A filter with an empty text. It would match everything, which is asked for in another way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must not be empty")]
pub struct EmptyFilterError;

impl DeadLetterFilter {
    /// The same, and the reason contains this text, with the same upper and lower case.
    ///
    /// # Errors
    /// When the text is empty.
    pub fn with_reason(self, text: &str) -> Result<Self, EmptyFilterError> {
        Ok(Self { reason: Some(given(text)?), ..self })
    }

    /// The same, and the event is of this type, such as `OrderCreated`. A namespace before it does
    /// not count.
    ///
    /// # Errors
    /// When the name is empty.
    pub fn with_event_type(self, name: &str) -> Result<Self, EmptyFilterError> {
        Ok(Self { event_type: Some(given(without_namespace(name))?), ..self })
    }

    /// What the reason must contain.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The type that the event must have, without a namespace.
    #[must_use]
    pub fn event_type(&self) -> Option<&str> {
        self.event_type.as_deref()
    }

    /// Whether a dead letter with this reason and type of event is meant.
    #[must_use]
    pub fn matches(&self, reason: &str, event_type: Option<&str>) -> bool {
        self.reason().is_none_or(|text| reason.contains(text))
            && self.event_type().is_none_or(|wanted| {
                event_type.is_some_and(|name| without_namespace(name) == wanted)
            })
    }
}

fn given(text: &str) -> Result<String, EmptyFilterError> {
    if text.is_empty() { Err(EmptyFilterError) } else { Ok(text.to_owned()) }
}

fn without_namespace(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
