//! What follows from what a check of the outbox read. No input or output here.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::super::lane::LANES;

/// How old the last check may be for a promotion to be adopted without an operator. A database that
/// was restored to a moment in the past looks like a promoted one, except that its last check is as
/// old as that moment.
const RECENT: Duration = Duration::from_mins(15);

/// The server that answered.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(crate) struct Server {
    pub(crate) system_identifier: i64,
    /// `None` on a standby.
    pub(crate) timeline: Option<i64>,
    /// When it answered, by its own clock.
    pub(crate) read_at: DateTime<Utc>,
}

/// What the check before has remembered: the row of `outbox_identity`.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(crate) struct Known {
    pub(crate) system_identifier: i64,
    pub(crate) timeline: i64,
    pub(crate) verified_at: Option<DateTime<Utc>>,
    /// Per lane: the highest position there was at `verified_at`.
    pub(crate) reached: Option<Vec<i64>>,
    pub(crate) stopped_for: Option<String>,
    pub(crate) adopted_at: DateTime<Utc>,
}

/// A lane of the outbox.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(crate) struct LaneSight {
    pub(crate) lane: i16,
    /// The cursor; `None` if the lane has no row in `outbox_lanes`.
    pub(crate) through: Option<i64>,
    /// The last position that the sequence gave; `None` if there is no sequence.
    pub(crate) last: Option<i64>,
    /// Whether the sequence gives one position after the other: no cache, no other increment.
    pub(crate) ascends: bool,
    /// The highest row.
    pub(crate) highest: Option<i64>,
    /// A position that two rows have.
    pub(crate) twice: Option<i64>,
}

/// Why a relay must not publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finding {
    /// The server is a standby.
    Standby,
    /// An earlier check, or an adoption that did not end, left this reason.
    Stopped(String),
    /// The database lies in another cluster of databases than before.
    OtherServer { was: i64, is: i64 },
    /// The server was promoted, or restored to a point in time.
    OtherTimeline { was: i64, is: i64 },
    /// A lane cannot be trusted.
    Lane { lane: i16, fault: LaneFault },
}

/// What is wrong with a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LaneFault {
    NoCursor,
    NoSequence,
    DoesNotAscend,
    BehindCursor { last: i64, through: i64 },
    BehindRows { last: i64, highest: i64 },
    WentBack { last: i64, reached: i64 },
    Twice { position: i64 },
}

/// All that is wrong; empty if the outbox is sound. `reached` tells, per lane, which position there
/// was before.
pub(crate) fn findings(
    server: &Server,
    known: Option<&Known>,
    lanes: &[LaneSight],
    reached: &[i64],
) -> Vec<Finding> {
    let Some(timeline) = server.timeline else { return vec![Finding::Standby] };
    let mut findings = Vec::new();
    if let Some(known) = known {
        findings.extend(known.stopped_for.clone().map(Finding::Stopped));
        if known.system_identifier != server.system_identifier {
            let (was, is) = (known.system_identifier, server.system_identifier);
            findings.push(Finding::OtherServer { was, is });
        } else if known.timeline != timeline {
            findings.push(Finding::OtherTimeline { was: known.timeline, is: timeline });
        }
    }
    findings.extend(lanes.iter().filter_map(|sight| {
        let reached = usize::try_from(sight.lane).ok().and_then(|lane| reached.get(lane));
        let fault = sight.fault(reached.copied().unwrap_or(0))?;
        Some(Finding::Lane { lane: sight.lane, fault })
    }));
    findings
}

/// Per lane: the highest position that was remembered.
pub(crate) fn remembered(known: Option<&Known>) -> Vec<i64> {
    let mut reached = known.and_then(|known| known.reached.clone()).unwrap_or_default();
    reached.resize(LANES as usize, 0);
    reached
}

impl LaneSight {
    /// The first thing that is wrong with it.
    fn fault(&self, reached: i64) -> Option<LaneFault> {
        let Some(through) = self.through else { return Some(LaneFault::NoCursor) };
        let Some(last) = self.last else { return Some(LaneFault::NoSequence) };
        let highest = self.highest.unwrap_or(0);
        if !self.ascends {
            Some(LaneFault::DoesNotAscend)
        } else if last < through {
            Some(LaneFault::BehindCursor { last, through })
        } else if last < highest {
            Some(LaneFault::BehindRows { last, highest })
        } else if last < reached {
            Some(LaneFault::WentBack { last, reached })
        } else {
            self.twice.map(|position| LaneFault::Twice { position })
        }
    }

    /// The highest position that was given for sure.
    pub(crate) fn reached(&self) -> i64 {
        self.through.unwrap_or(0).max(self.highest.unwrap_or(0))
    }
}

impl Finding {
    /// Whether events may have been taken for published ones because of it. It is then remembered:
    /// a sequence that is put right by hand leaves them unpublished.
    pub(crate) const fn hides_events(&self) -> bool {
        matches!(self, Self::Lane { .. })
    }
}

/// Whether these findings are a promotion and nothing else.
pub(crate) fn is_mere_promotion(
    findings: &[Finding],
    server: &Server,
    known: Option<&Known>,
) -> bool {
    let [Finding::OtherTimeline { was, is }] = findings else { return false };
    let verified_at = known.and_then(|known| known.verified_at);
    let age = verified_at.map(|at| server.read_at.signed_duration_since(at));
    was < is && age.is_some_and(|age| age.to_std().map_or(true, |age| age <= RECENT))
}

/// The findings in one line; `None` if there are none. Of lanes with the same fault, the first is named
/// and the others are counted.
pub(crate) fn reason(findings: &[Finding]) -> Option<String> {
    // What an earlier check found holds until it is adopted, whatever is found today.
    if let Some(Finding::Stopped(why)) =
        findings.iter().find(|finding| matches!(finding, Finding::Stopped(_)))
    {
        return Some(why.clone());
    }
    let mut told: Vec<String> = Vec::new();
    let mut kinds: Vec<(&LaneFault, i16, usize)> = Vec::new();
    for finding in findings {
        match finding {
            Finding::Lane { lane, fault } => {
                let same = |(other, ..): &&mut (&LaneFault, i16, usize)| {
                    std::mem::discriminant(*other) == std::mem::discriminant(fault)
                };
                match kinds.iter_mut().find(same) {
                    Some((_, _, more)) => *more += 1,
                    None => kinds.push((fault, *lane, 0)),
                }
            }
            other => told.push(other.to_string()),
        }
    }
    for (fault, lane, more) in kinds {
        let others = if more > 0 { format!(" (and {more} more lanes)") } else { String::new() };
        told.push(format!("lane {lane}{others}: {fault}"));
    }
    (!told.is_empty()).then(|| {
        let advice = if findings == [Finding::Standby] {
            "let DATABASE_URL lead to the primary"
        } else {
            "look with `order-jobs adopt --dry-run`, then run `order-jobs adopt`"
        };
        format!("{}; {advice}", told.join("; "))
    })
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standby => write!(f, "the Postgres server is a standby"),
            Self::Stopped(why) => write!(f, "{why}"),
            Self::OtherServer { was, is } => write!(
                f,
                "the outbox is in another Postgres than before (system identifier {is}, was {was})"
            ),
            Self::OtherTimeline { was, is } => write!(
                f,
                "Postgres was promoted or restored since the last check (timeline {is}, was {was})"
            ),
            Self::Lane { lane, fault } => write!(f, "lane {lane}: {fault}"),
        }
    }
}

impl fmt::Display for LaneFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCursor => write!(f, "it has no row in outbox_lanes"),
            Self::NoSequence => write!(f, "its sequence is missing"),
            Self::DoesNotAscend => {
                write!(f, "its sequence has a cache, cycles, or does not increment by 1")
            }
            Self::BehindCursor { last, through } => {
                write!(f, "its sequence is at {last}, behind its cursor at {through}")
            }
            Self::BehindRows { last, highest } => {
                write!(f, "its sequence is at {last}, behind its highest row at {highest}")
            }
            Self::WentBack { last, reached } => {
                write!(f, "its sequence is at {last}, although position {reached} was seen before")
            }
            Self::Twice { position } => write!(f, "two events have its position {position}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn server() -> Server {
        Server { system_identifier: 7, timeline: Some(2), read_at: NOW }
    }

    fn known() -> Known {
        Known {
            system_identifier: 7,
            timeline: 2,
            verified_at: Some(NOW - Duration::from_mins(1)),
            reached: Some(vec![10; 16]),
            stopped_for: None,
            adopted_at: NOW - Duration::from_hours(1),
        }
    }

    fn lane() -> LaneSight {
        LaneSight {
            lane: 0,
            through: Some(10),
            last: Some(12),
            ascends: true,
            highest: Some(12),
            twice: None,
        }
    }

    #[test]
    fn each_fault_of_a_lane_is_found() {
        use LaneFault::*;
        for (sight, fault) in [
            (lane(), None),
            (LaneSight { through: Some(0), last: Some(0), highest: None, ..lane() }, None),
            (LaneSight { last: Some(1000), highest: None, ..lane() }, None),
            (LaneSight { through: None, ..lane() }, Some(NoCursor)),
            (LaneSight { last: None, ..lane() }, Some(NoSequence)),
            (LaneSight { ascends: false, ..lane() }, Some(DoesNotAscend)),
            (LaneSight { last: Some(9), ..lane() }, Some(BehindCursor { last: 9, through: 10 })),
            (LaneSight { last: Some(11), ..lane() }, Some(BehindRows { last: 11, highest: 12 })),
            (LaneSight { twice: Some(11), ..lane() }, Some(Twice { position: 11 })),
        ] {
            assert_eq!(sight.fault(0), fault, "{sight:?}");
        }
        assert_eq!(lane().fault(12), None);
        assert_eq!(lane().fault(13), Some(WentBack { last: 12, reached: 13 }));
    }

    #[test]
    fn each_change_of_the_server_is_found() {
        let standby = Server { timeline: None, ..server() };
        let restored = Server { system_identifier: 8, timeline: Some(1), ..server() };
        let promoted = Server { timeline: Some(3), ..server() };
        let stopped = Known { stopped_for: Some("why".to_owned()), ..known() };
        for (server, known, found) in [
            (server(), Some(known()), vec![]),
            (server(), None, vec![]),
            (standby, Some(known()), vec![Finding::Standby]),
            (restored, Some(known()), vec![Finding::OtherServer { was: 7, is: 8 }]),
            (promoted, Some(known()), vec![Finding::OtherTimeline { was: 2, is: 3 }]),
            (server(), Some(stopped), vec![Finding::Stopped("why".to_owned())]),
        ] {
            assert_eq!(findings(&server, known.as_ref(), &[lane()], &[10]), found, "{server:?}");
        }
    }

    #[test]
    fn only_a_recent_promotion_with_nothing_wrong_can_do_without_an_operator() {
        let promotion = Finding::OtherTimeline { was: 2, is: 3 };
        let went_back =
            Finding::Lane { lane: 1, fault: LaneFault::WentBack { last: 1, reached: 2 } };
        let old = Known { verified_at: Some(NOW - Duration::from_hours(1)), ..known() };
        let never = Known { verified_at: None, ..known() };
        // The clock of the promoted server may be a little behind.
        let skewed = Known { verified_at: Some(NOW + Duration::from_secs(2)), ..known() };
        for (findings, known, may) in [
            (vec![promotion.clone()], Some(known()), true),
            (vec![promotion.clone()], Some(skewed), true),
            (vec![promotion.clone()], Some(old), false),
            (vec![promotion.clone()], Some(never), false),
            (vec![promotion.clone()], None, false),
            (vec![promotion.clone(), went_back], Some(known()), false),
            (vec![Finding::OtherTimeline { was: 3, is: 2 }], Some(known()), false),
            (vec![Finding::OtherServer { was: 7, is: 8 }], Some(known()), false),
            (vec![], Some(known()), false),
        ] {
            assert_eq!(
                is_mere_promotion(&findings, &server(), known.as_ref()),
                may,
                "{findings:?}"
            );
        }
    }

    #[test]
    fn the_reason_names_one_lane_of_each_kind_and_says_what_to_do() {
        let behind = |lane, last| Finding::Lane {
            lane,
            fault: LaneFault::BehindCursor { last, through: 9 },
        };
        let findings = [
            Finding::OtherTimeline { was: 1, is: 2 },
            behind(3, 1),
            behind(4, 2),
            Finding::Lane { lane: 5, fault: LaneFault::Twice { position: 6 } },
        ];
        assert_eq!(
            reason(&findings).unwrap(),
            "Postgres was promoted or restored since the last check (timeline 2, was 1); \
             lane 3 (and 1 more lanes): its sequence is at 1, behind its cursor at 9; \
             lane 5: two events have its position 6; \
             look with `order-jobs adopt --dry-run`, then run `order-jobs adopt`"
        );
        assert_eq!(
            reason(&[Finding::Standby]).unwrap(),
            "the Postgres server is a standby; let DATABASE_URL lead to the primary"
        );
        let stopped = [Finding::Stopped("as before".to_owned()), behind(3, 1)];
        assert_eq!(reason(&stopped).unwrap(), "as before", "one line in the log is enough");
        assert_eq!(reason(&[]), None);
    }
}
