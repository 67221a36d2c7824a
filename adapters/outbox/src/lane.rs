use sqlx::types::Uuid;

/// The number of lanes. The migration creates them, so more lanes need another migration.
pub(crate) const LANES: u32 = 16;

/// A lane of the outbox. All events of an aggregate are in one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lane(i16);

impl Lane {
    /// The lane of an aggregate: FNV-1a (32 bits) over the 16 bytes of its id, modulo 16.
    ///
    /// The hash must never change: events of one aggregate in two lanes could overtake each other.
    #[must_use]
    pub fn of(aggregate: Uuid) -> Self {
        let hash = aggregate.as_bytes().iter().fold(0x811c_9dc5_u32, |hash, &byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        Self(i16::try_from(hash % LANES).unwrap_or_default())
    }

    /// The number of the lane, as the outbox stores it.
    #[must_use]
    pub const fn get(self) -> i16 {
        self.0
    }

    /// The name of the sequence that returns the positions of this lane.
    #[must_use]
    pub fn sequence(self) -> String {
        format!("outbox_lane_{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use runtime::clock;

    #[test]
    fn the_lane_of_an_aggregate_never_changes() {
        for (id, lane) in [
            ("00000000-0000-0000-0000-000000000000", 5),
            ("01890a5d-ac96-774b-bcce-b302099a8057", 3),
            ("ffffffff-ffff-ffff-ffff-ffffffffffff", 5),
        ] {
            assert_eq!(Lane::of(id.parse().unwrap()).get(), lane, "{id}");
        }
    }

    #[test]
    fn aggregates_are_spread_evenly_over_all_lanes() {
        let mut lanes: BTreeMap<i16, u32> = BTreeMap::new();
        for _ in 0..16_000 {
            *lanes.entry(Lane::of(clock::new_order_id().get()).get()).or_default() += 1;
        }
        assert_eq!(lanes.keys().copied().collect::<Vec<_>>(), (0..16).collect::<Vec<_>>());
        assert!(lanes.values().all(|&aggregates| (800..1200).contains(&aggregates)), "{lanes:?}");
    }
}
