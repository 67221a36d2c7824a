use std::fmt;

use adapter_kafka::subjects::{Registered, SubjectError, Subjects};

use super::release::{EventReport, Report};
use super::{Finding, LEVEL};

/// Whose level is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// That of the whole registry and of each subject: of events that are still to come as well.
    Registry,
    /// That of the subjects of these events alone, where others use the registry too.
    Subjects,
}

/// A version of an event, as it is in the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The subject.
    pub subject: String,
    /// The version and the id that the registry gave it.
    pub registered: Registered,
}

impl fmt::Display for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Registered { version, id } = self.registered;
        write!(f, "{} version {version} id {id}", self.subject)
    }
}

/// Asks the registry to let every version read every other, then registers each released version,
/// oldest first. Doing it again changes nothing. What is not released is left out, and so is what
/// follows a version that the registry refuses: both are findings.
///
/// # Errors
/// When the registry gives no answer to use.
pub async fn register(
    subjects: &Subjects,
    report: &Report,
    topic: &str,
    scope: Scope,
) -> Result<(Vec<Registration>, Vec<Finding>), SubjectError> {
    let (mut registrations, mut findings) = (Vec::new(), Vec::new());
    if scope == Scope::Registry {
        subjects.set_level_of_all(LEVEL).await?;
    }
    for event in &report.events {
        let subject = event.subject(topic);
        // A level of the subject's own would go before that of all.
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
