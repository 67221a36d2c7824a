/// Which dead letters are meant, by why they died and by the type of their event. The default means
/// all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadLetterFilter {
    reason: Option<String>,
    event_type: Option<String>,
}

/// A filter with an empty text. It would match everything, which is asked for in another way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// The text that the reason must contain is empty.
    #[error("the reason must not be empty")]
    EmptyReason,
    /// The event type is empty.
    #[error("the event type must not be empty")]
    EmptyEventType,
}

impl DeadLetterFilter {
    /// Those with this text in their reason, if one is given, and with this type of event, if one is
    /// given.
    ///
    /// # Errors
    /// When one of them is empty.
    pub fn of(reason: Option<&str>, event_type: Option<&str>) -> Result<Self, FilterError> {
        let all = Self::default();
        let some = reason.map_or(Ok(all.clone()), |text| all.with_reason(text))?;
        event_type.map_or(Ok(some.clone()), |name| some.with_event_type(name))
    }

    /// The same, and the reason contains this text, with the same upper and lower case.
    ///
    /// # Errors
    /// When the text is empty.
    pub fn with_reason(self, text: &str) -> Result<Self, FilterError> {
        let reason = given(text).ok_or(FilterError::EmptyReason)?;
        Ok(Self { reason: Some(reason), ..self })
    }

    /// The same, and the event is of this type, such as `OrderCreated`. A namespace before it does
    /// not count.
    ///
    /// # Errors
    /// When the name is empty.
    pub fn with_event_type(self, name: &str) -> Result<Self, FilterError> {
        let event_type = given(without_namespace(name)).ok_or(FilterError::EmptyEventType)?;
        Ok(Self { event_type: Some(event_type), ..self })
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
            && self.event_type().is_none_or(|wanted| event_type == Some(wanted))
    }
}

fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn without_namespace(name: &str) -> &str {
    name.rsplit('.').next().filter(|name| !name.is_empty()).unwrap_or(name)
}
