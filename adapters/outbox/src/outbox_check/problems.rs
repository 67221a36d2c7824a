//! Finds the problems of an outbox in the state that a check has read. This module does no input or
//! output.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::super::lane::LANES;

/// Maximum age of the last check if a promotion is adopted without an operator.
///
/// A database that was restored to a point in time looks like a promoted one, except that its last
/// check is as old as this point in time.
const RECENT: Duration = Duration::from_mins(15);

/// The Postgres server that the check is connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) system_identifier: i64,
    /// `None` on a standby.
    pub(crate) timeline: Option<i64>,
    /// When it was read, by the clock of the server.
    pub(crate) read_at: DateTime<Utc>,
}

/// What earlier checks have stored: the row of `outbox_identity`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredIdentity {
    pub(crate) system_identifier: i64,
    pub(crate) timeline: i64,
    pub(crate) verified_at: Option<DateTime<Utc>>,
    /// Per lane: the highest position that was known at `verified_at`.
    pub(crate) reached: Option<Vec<i64>>,
    pub(crate) stopped_for: Option<String>,
    pub(crate) adopted_at: DateTime<Utc>,
}

/// The state of a lane.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(crate) struct LaneState {
    pub(crate) lane: i16,
    /// The cursor; `None` if the lane has no row in `outbox_lanes`.
    pub(crate) through: Option<i64>,
    /// The last position that the sequence returned; `None` if there is no sequence.
    pub(crate) last: Option<i64>,
    /// Whether the sequence has no cache, does not cycle, and increments by 1.
    pub(crate) ascends: bool,
    /// The position of the highest row.
    pub(crate) highest: Option<i64>,
    /// A position that more than one row has.
    pub(crate) duplicate: Option<i64>,
}

/// A reason why relays must not publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The server is a standby.
    Standby,
    /// An earlier check, or an adoption that was interrupted, has stored this reason.
    Stopped(String),
    /// The database is in another Postgres cluster than before.
    OtherServer { was: i64, is: i64 },
    /// The server was promoted, or restored to a point in time.
    OtherTimeline { was: i64, is: i64 },
    /// The state of a lane is wrong.
    Lane { lane: i16, fault: LaneFault },
}

/// What is wrong with a lane. The `Display` text explains each fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LaneFault {
    NoCursor,
    NoSequence,
    DoesNotAscend,
    BehindCursor { last: i64, through: i64 },
    BehindRows { last: i64, highest: i64 },
    WentBack { last: i64, reached: i64 },
    DuplicatePosition { position: i64 },
}

/// All problems of the outbox. `reached` has, per lane, the highest position
/// that was known before.
pub(crate) fn find_problems(
    server: &Server,
    stored: Option<&StoredIdentity>,
    lanes: &[LaneState],
    reached: &[i64],
) -> Vec<Problem> {
    let Some(timeline) = server.timeline else { return vec![Problem::Standby] };
    let mut problems = Vec::new();
    if let Some(stored) = stored {
        problems.extend(stored.stopped_for.clone().map(Problem::Stopped));
        if stored.system_identifier != server.system_identifier {
            let (was, is) = (stored.system_identifier, server.system_identifier);
            problems.push(Problem::OtherServer { was, is });
        } else if stored.timeline != timeline {
            problems.push(Problem::OtherTimeline { was: stored.timeline, is: timeline });
        }
    }
    problems.extend(lanes.iter().filter_map(|lane_state| {
        let reached = usize::try_from(lane_state.lane).ok().and_then(|lane| reached.get(lane));
        let fault = lane_state.fault(reached.copied().unwrap_or(0))?;
        Some(Problem::Lane { lane: lane_state.lane, fault })
    }));
    problems
}

/// Per lane: the highest position that earlier checks have stored.
pub(crate) fn known_positions(stored: Option<&StoredIdentity>) -> Vec<i64> {
    let mut reached = stored.and_then(|stored| stored.reached.clone()).unwrap_or_default();
    reached.resize(LANES as usize, 0);
    reached
}

impl LaneState {
    /// The first fault of the lane.
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
            self.duplicate.map(|position| LaneFault::DuplicatePosition { position })
        }
    }

    /// The highest position that is known to be in use.
    pub(crate) fn reached(&self) -> i64 {
        self.through.unwrap_or(0).max(self.highest.unwrap_or(0))
    }
}

impl Problem {
    /// Whether unpublished events may count as published because of it. Such a problem is stored,
    /// because correcting the sequence by hand would leave these events unpublished.
    pub(crate) const fn may_hide_events(&self) -> bool {
        matches!(self, Self::Lane { .. })
    }
}

/// Whether the only problem is a recent promotion.
pub(crate) fn is_only_a_promotion(
    problems: &[Problem],
    server: &Server,
    stored: Option<&StoredIdentity>,
) -> bool {
    let [Problem::OtherTimeline { was, is }] = problems else { return false };
    let verified_at = stored.and_then(|stored| stored.verified_at);
    let age = verified_at.map(|at| server.read_at.signed_duration_since(at));
    was < is && age.is_some_and(|age| age.to_std().map_or(true, |age| age <= RECENT))
}

/// Why nothing may be published and what to do, in one line. `None` if there are no problems.
/// `command` is how the commands for operators begin.
///
/// For lanes with the same fault, it names the first one and counts the others.
pub(crate) fn stop_reason(problems: &[Problem], command: &str) -> Option<String> {
    // A stored reason is valid until an operator adopts the outbox, whatever this check finds.
    if let Some(Problem::Stopped(why)) =
        problems.iter().find(|problem| matches!(problem, Problem::Stopped(_)))
    {
        return Some(why.clone());
    }
    let mut parts: Vec<String> = Vec::new();
    let mut kinds: Vec<(&LaneFault, i16, usize)> = Vec::new();
    for problem in problems {
        match problem {
            Problem::Lane { lane, fault } => {
                let same = |(other, ..): &&mut (&LaneFault, i16, usize)| {
                    std::mem::discriminant(*other) == std::mem::discriminant(fault)
                };
                match kinds.iter_mut().find(same) {
                    Some((_, _, more)) => *more += 1,
                    None => kinds.push((fault, *lane, 0)),
                }
            }
            other => parts.push(other.to_string()),
        }
    }
    for (fault, lane, more) in kinds {
        let others = if more > 0 { format!(" (and {more} more lanes)") } else { String::new() };
        parts.push(format!("lane {lane}{others}: {fault}"));
    }
    (!parts.is_empty()).then(|| {
        let advice = if problems == [Problem::Standby] {
            "set DATABASE_URL to the primary".to_owned()
        } else {
            format!("run `{command} adopt --dry-run` to see what is wrong, then `{command} adopt`")
        };
        format!("{}; {advice}", parts.join("; "))
    })
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standby => write!(f, "the Postgres server is a standby"),
            Self::Stopped(why) => write!(f, "{why}"),
            Self::OtherServer { was, is } => write!(
                f,
                "the outbox is on another Postgres server than before (system identifier {is}, was {was})"
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
                write!(f, "its sequence is at {last}, but position {reached} was used before")
            }
            Self::DuplicatePosition { position } => {
                write!(f, "two events have its position {position}")
            }
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

    fn stored() -> StoredIdentity {
        StoredIdentity {
            system_identifier: 7,
            timeline: 2,
            verified_at: Some(NOW - Duration::from_mins(1)),
            reached: Some(vec![10; 16]),
            stopped_for: None,
            adopted_at: NOW - Duration::from_hours(1),
        }
    }

    fn lane() -> LaneState {
        LaneState {
            lane: 0,
            through: Some(10),
            last: Some(12),
            ascends: true,
            highest: Some(12),
            duplicate: None,
        }
    }

    #[test]
    fn every_fault_of_a_lane_is_found() {
        use LaneFault::*;
        for (lane_state, fault) in [
            (lane(), None),
            (LaneState { through: Some(0), last: Some(0), highest: None, ..lane() }, None),
            (LaneState { last: Some(1000), highest: None, ..lane() }, None),
            (LaneState { through: None, ..lane() }, Some(NoCursor)),
            (LaneState { last: None, ..lane() }, Some(NoSequence)),
            (LaneState { ascends: false, ..lane() }, Some(DoesNotAscend)),
            (LaneState { last: Some(9), ..lane() }, Some(BehindCursor { last: 9, through: 10 })),
            (LaneState { last: Some(11), ..lane() }, Some(BehindRows { last: 11, highest: 12 })),
            (LaneState { duplicate: Some(11), ..lane() }, Some(DuplicatePosition { position: 11 })),
        ] {
            assert_eq!(lane_state.fault(0), fault, "{lane_state:?}");
        }
        assert_eq!(lane().fault(12), None);
        assert_eq!(lane().fault(13), Some(WentBack { last: 12, reached: 13 }));
    }

    #[test]
    fn every_change_of_the_server_is_found() {
        let standby = Server { timeline: None, ..server() };
        let restored = Server { system_identifier: 8, timeline: Some(1), ..server() };
        let promoted = Server { timeline: Some(3), ..server() };
        let stopped = StoredIdentity { stopped_for: Some("why".to_owned()), ..stored() };
        for (server, stored, found) in [
            (server(), Some(stored()), vec![]),
            (server(), None, vec![]),
            (standby, Some(stored()), vec![Problem::Standby]),
            (restored, Some(stored()), vec![Problem::OtherServer { was: 7, is: 8 }]),
            (promoted, Some(stored()), vec![Problem::OtherTimeline { was: 2, is: 3 }]),
            (server(), Some(stopped), vec![Problem::Stopped("why".to_owned())]),
        ] {
            assert_eq!(
                find_problems(&server, stored.as_ref(), &[lane()], &[10]),
                found,
                "{server:?}"
            );
        }
    }

    #[test]
    fn only_a_recent_promotion_without_other_problems_needs_no_operator() {
        let promotion = Problem::OtherTimeline { was: 2, is: 3 };
        let went_back =
            Problem::Lane { lane: 1, fault: LaneFault::WentBack { last: 1, reached: 2 } };
        let old = StoredIdentity { verified_at: Some(NOW - Duration::from_hours(1)), ..stored() };
        let never = StoredIdentity { verified_at: None, ..stored() };
        // The clock of the promoted server may be a little behind.
        let skewed = StoredIdentity { verified_at: Some(NOW + Duration::from_secs(2)), ..stored() };
        for (problems, stored, may) in [
            (vec![promotion.clone()], Some(stored()), true),
            (vec![promotion.clone()], Some(skewed), true),
            (vec![promotion.clone()], Some(old), false),
            (vec![promotion.clone()], Some(never), false),
            (vec![promotion.clone()], None, false),
            (vec![promotion.clone(), went_back], Some(stored()), false),
            (vec![Problem::OtherTimeline { was: 3, is: 2 }], Some(stored()), false),
            (vec![Problem::OtherServer { was: 7, is: 8 }], Some(stored()), false),
            (vec![], Some(stored()), false),
        ] {
            assert_eq!(
                is_only_a_promotion(&problems, &server(), stored.as_ref()),
                may,
                "{problems:?}"
            );
        }
    }

    #[test]
    fn the_reason_names_one_lane_per_kind_of_fault_and_says_what_to_do() {
        let behind = |lane, last| Problem::Lane {
            lane,
            fault: LaneFault::BehindCursor { last, through: 9 },
        };
        let problems = [
            Problem::OtherTimeline { was: 1, is: 2 },
            behind(3, 1),
            behind(4, 2),
            Problem::Lane { lane: 5, fault: LaneFault::DuplicatePosition { position: 6 } },
        ];
        assert_eq!(
            stop_reason(&problems, "shop outbox").unwrap(),
            "Postgres was promoted or restored since the last check (timeline 2, was 1); \
             lane 3 (and 1 more lanes): its sequence is at 1, behind its cursor at 9; \
             lane 5: two events have its position 6; \
             run `shop outbox adopt --dry-run` to see what is wrong, then `shop outbox adopt`"
        );
        assert_eq!(
            stop_reason(&[Problem::Standby], "shop").unwrap(),
            "the Postgres server is a standby; set DATABASE_URL to the primary"
        );
        let stopped = [Problem::Stopped("as before".to_owned()), behind(3, 1)];
        assert_eq!(
            stop_reason(&stopped, "shop").unwrap(),
            "as before",
            "one line in the log is enough"
        );
        assert_eq!(stop_reason(&[], "shop"), None);
    }
}
