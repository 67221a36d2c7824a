use adapter_kafka::subjects::{SubjectError, Subjects};

use super::release::{EventReport, Report};
use super::{Finding, LEVEL, Topics};

/// Compares a folder of schemas with a registry. Checks that every released version is registered,
/// that the registry would accept unreleased versions, that its compatibility level is [`LEVEL`],
/// and that it has no versions that are not in the folder.
///
/// # Errors
/// When a request to the registry fails.
pub async fn check(
    subjects: &Subjects,
    report: &Report,
    topics: Topics<'_>,
) -> Result<Vec<Finding>, SubjectError> {
    let mut findings = Vec::new();
    for event in &report.events {
        check_event(subjects, event, &event.subject(topics), &mut findings).await?;
    }
    Ok(findings)
}

async fn check_event(
    subjects: &Subjects,
    event: &EventReport,
    subject: &str,
    findings: &mut Vec<Finding>,
) -> Result<(), SubjectError> {
    let level = subjects.level(subject).await?;
    if level != LEVEL {
        findings.push(Finding::Level { subject: subject.to_owned(), level });
    }
    let mut unknown = subjects.versions(subject).await?;
    for (version, schema) in (1..).zip(&event.versions) {
        let unreleased = event.unreleased.as_ref().filter(|_| version == event.versions.len());
        let (event, subject) = (event.event.clone(), subject.to_owned());
        if let Some(found) = subjects.find(&subject, schema).await? {
            unknown.retain(|version| *version != found.version);
            if let Some(line) = unreleased {
                let line = line.clone();
                findings.push(Finding::Unlisted { event, version, subject, line });
            }
        } else if let Some(reason) = subjects.incompatibility(&subject, schema).await? {
            findings.push(Finding::Refused { event, version, subject, reason });
        } else if unreleased.is_none() {
            findings.push(Finding::NotRegistered { event, version, subject });
        }
    }
    findings.extend(unknown.into_iter().map(|version| {
        let subject = subject.to_owned();
        Finding::Unknown { subject, version }
    }));
    Ok(())
}
