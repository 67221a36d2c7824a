use std::fmt;

use chrono::{DateTime, Utc};

use super::super::outbox_check::problems::{LaneState, Problem, Server, StoredIdentity};
use super::rows::Reappended;

/// Report on an adoption: the state of the outbox before it. `Display` formats it for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptionReport {
    pub(super) server: Server,
    pub(super) stored: Option<StoredIdentity>,
    pub(super) lanes: Vec<LaneState>,
    pub(super) problems: Vec<Problem>,
    pub(super) since: Option<DateTime<Utc>>,
    pub(super) reappended: Reappended,
}

impl AdoptionReport {
    /// Whether the outbox had problems.
    #[must_use]
    pub const fn found_problems(&self) -> bool {
        !self.problems.is_empty()
    }

    /// How many events get new positions and are published, maybe for the second time.
    #[must_use]
    pub const fn events(&self) -> i64 {
        self.reappended.events
    }
}

impl fmt::Display for AdoptionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Server { system_identifier, timeline, .. } = &self.server;
        write!(f, "Postgres now:      system identifier {system_identifier}, ")?;
        writeln!(f, "timeline {}", timeline.unwrap_or_default())?;
        match &self.stored {
            Some(stored) => {
                let StoredIdentity { system_identifier, timeline, .. } = stored;
                write!(f, "at the last check: system identifier {system_identifier}, ")?;
                writeln!(
                    f,
                    "timeline {timeline}; no problem {}",
                    moment(stored.verified_at, "never")
                )?;
            }
            None => writeln!(f, "at the last check: there was none")?,
        }
        writeln!(f, "\nlane       sequence         cursor    highest row")?;
        for state in &self.lanes {
            let LaneState { lane, last, through, highest, .. } = state;
            let [last, through, highest] = [*last, *through, *highest].map(position);
            writeln!(f, "{lane:>4} {last:>14} {through:>14} {highest:>14}")?;
        }
        writeln!(f)?;
        for problem in &self.problems {
            writeln!(f, "found: {problem}")?;
        }
        if self.problems.is_empty() {
            return write!(f, "The outbox is consistent: there is nothing to adopt.");
        }
        let Reappended { events, aggregates } = self.reappended;
        write!(
            f,
            "{events} events of {aggregates} orders may be unpublished: they share a position with \
             another event, or they were recorded {} and their cursor has passed them.",
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
