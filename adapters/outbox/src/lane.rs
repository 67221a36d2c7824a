use sqlx::types::Uuid;

/// How many lanes the outbox has. They are made by the migration: more need another one.
pub(crate) const LANES: u32 = 16;

/// The lane that takes an aggregate's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lane(i16);

impl Lane {
    /// The lane of an aggregate: FNV-1a (32 bits) over the 16 bytes of its id, modulo 16.
    ///
    /// It must never change: events of one aggregate in two lanes could overtake each other.
    #[must_use]
    pub fn of(aggregate: Uuid) -> Self {
        let hash = aggregate.as_bytes().iter().fold(0x811c_9dc5_u32, |hash, &byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        Self(i16::try_from(hash % LANES).unwrap_or_default())
    }

    /// Its number, as the outbox has it.
    #[must_use]
    pub const fn get(self) -> i16 {
        self.0
    }

    /// The sequence that gives this lane's positions.
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
    fn an_order_stays_in_its_lane_for_ever() {
        for (id, lane) in [
            ("00000000-0000-0000-0000-000000000000", 5),
            ("01890a5d-ac96-774b-bcce-b302099a8057", 3),
            ("ffffffff-ffff-ffff-ffff-ffffffffffff", 5),
        ] {
            assert_eq!(Lane::of(id.parse().unwrap()).get(), lane, "{id}");
        }
    }

    #[test]
    fn orders_spread_over_all_lanes() {
        let mut lanes: BTreeMap<i16, u32> = BTreeMap::new();
        for _ in 0..16_000 {
            *lanes.entry(Lane::of(clock::new_order_id().get()).get()).or_default() += 1;
        }
        assert_eq!(lanes.keys().copied().collect::<Vec<_>>(), (0..16).collect::<Vec<_>>());
        assert!(lanes.values().all(|&orders| (800..1200).contains(&orders)), "{lanes:?}");
    }
}
