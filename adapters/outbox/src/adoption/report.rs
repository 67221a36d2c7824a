use std::fmt;

use chrono::{DateTime, Utc};

use super::super::outbox_check::finding::{Finding, Known, LaneSight, Server};
use super::rows::Again;

/// What an outbox was like before it was adopted, for people to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptionReport {
    pub(super) server: Server,
    pub(super) known: Option<Known>,
    pub(super) lanes: Vec<LaneSight>,
    pub(super) findings: Vec<Finding>,
    pub(super) since: Option<DateTime<Utc>>,
    pub(super) again: Again,
}

impl AdoptionReport {
    /// Whether there was anything to adopt.
    #[must_use]
    pub const fn found_something(&self) -> bool {
        !self.findings.is_empty()
    }

    /// How many events get new positions, to be published, or published again.
    #[must_use]
    pub const fn events(&self) -> i64 {
        self.again.events
    }
}

impl fmt::Display for AdoptionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Server { system_identifier, timeline, .. } = &self.server;
        write!(f, "Postgres now:     system identifier {system_identifier}, ")?;
        writeln!(f, "timeline {}", timeline.unwrap_or_default())?;
        match &self.known {
            Some(known) => {
                let Known { system_identifier, timeline, .. } = known;
                write!(f, "as of last check: system identifier {system_identifier}, ")?;
                writeln!(f, "timeline {timeline}; sound {}", moment(known.verified_at, "never"))?;
            }
            None => writeln!(f, "as of last check: there was none")?,
        }
        writeln!(f, "\nlane       sequence         cursor    highest row")?;
        for sight in &self.lanes {
            let LaneSight { lane, last, through, highest, .. } = sight;
            let [last, through, highest] = [*last, *through, *highest].map(position);
            writeln!(f, "{lane:>4} {last:>14} {through:>14} {highest:>14}")?;
        }
        writeln!(f)?;
        for finding in &self.findings {
            writeln!(f, "found: {finding}")?;
        }
        if self.findings.is_empty() {
            return write!(f, "The outbox is sound: there is nothing to adopt.");
        }
        let Again { events, orders } = self.again;
        write!(
            f,
            "{events} events of {orders} orders may be unpublished: they share a position with \
             another, or their cursor has passed them and they were recorded {}.",
            moment(self.since, "at any time")
        )
    }
}

fn position(position: Option<i64>) -> String {
    position.map_or_else(|| "none".to_owned(), |position| position.to_string())
}

fn moment(moment: Option<DateTime<Utc>>, none: &str) -> String {
    moment.map_or_else(|| none.to_owned(), |at| format!("since {}", at.format("%FT%TZ")))
}
