use std::fmt;

use adapter_kafka::subjects::{Registered, SubjectError, Subjects};

use super::release::{EventReport, Report};
use super::{Finding, LEVEL, Topics};

/// The compatibility levels to set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The level of the whole registry, which also applies to future events, and of each subject.
    Registry,
    /// Only the levels of the subjects of these events. For a registry that others use too.
    Subjects,
}

/// A registered version of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The subject.
    pub subject: String,
    /// Its version and id in the registry.
    pub registered: Registered,
}

impl fmt::Display for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Registered { version, id } = self.registered;
        write!(f, "{} version {version} id {id}", self.subject)
    }
}

/// Sets the compatibility level [`LEVEL`], then registers each released version, oldest first.
/// Repeating it changes nothing. Does not register unreleased versions, nor versions after one that
/// the registry refuses; both are findings.
///
/// # Errors
/// When a request to the registry fails.
pub async fn register(
    subjects: &Subjects,
    report: &Report,
    topics: Topics<'_>,
    scope: Scope,
) -> Result<(Vec<Registration>, Vec<Finding>), SubjectError> {
    let (mut registrations, mut findings) = (Vec::new(), Vec::new());
    if scope == Scope::Registry {
        subjects.set_global_level(LEVEL).await?;
    }
    for event in &report.events {
        let subject = event.subject(topics);
        // The level of a subject takes precedence over the level of the registry.
        subjects.set_level(&subject, LEVEL).await?;
        let refused = register_event(subjects, event, &subject, &mut registrations).await?;
        findings.extend(refused);
    }
    Ok((registrations, findings))
}

async fn register_event(
    subjects: &Subjects,
    report: &EventReport,
    subject: &str,
    registrations: &mut Vec<Registration>,
) -> Result<Option<Finding>, SubjectError> {
    for (version, schema) in (1..).zip(&report.versions) {
        let (event, subject) = (report.event.clone(), subject.to_owned());
        let unreleased = report.unreleased.clone().filter(|_| version == report.versions.len());
        if let Some(line) = unreleased {
            return Ok(Some(Finding::Unreleased { event, version, line }));
        }
        let id = match subjects.register(&subject, schema).await {
            Ok(id) => id,
            Err(SubjectError::Refused { status: 409 | 422, message, .. }) => {
                let reason = message.replace('\n', " ");
                return Ok(Some(Finding::Refused { event, version, subject, reason }));
            }
            Err(error) => return Err(error),
        };
        let found = subjects.find(&subject, schema).await?;
        let version = found.map_or(0, |found| found.version);
        registrations.push(Registration { subject, registered: Registered { version, id } });
    }
    Ok(None)
}
