use std::time::Duration;

/// A sequence of random choices (`SplitMix64`). The same seed and name give the same choices, whatever
/// else happens at the same time.
#[derive(Debug, Clone)]
pub(super) struct Chance(u64);

impl Chance {
    /// The choices about the thing with this name in a run with this seed.
    pub(super) fn about(name: &str, seed: u32) -> Self {
        // FNV-1a.
        let mix = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(name.bytes().fold(0xcbf2_9ce4_8422_2325 ^ (u64::from(seed) << 32), mix))
    }

    /// True in one of `n` cases.
    pub(super) fn one_in(&mut self, n: u64) -> bool {
        self.next().is_multiple_of(n)
    }

    /// A duration below this one, in milliseconds.
    pub(super) fn below(&mut self, limit: Duration) -> Duration {
        let millis = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.next() % millis.max(1))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_choices_and_another_seed_gives_others() {
        let choices = |seed| {
            let of_order = |n| Chance::about(&format!("order {n}"), seed).one_in(5);
            (0..1000).map(of_order).collect::<Vec<bool>>()
        };
        assert_eq!(choices(1), choices(1));
        assert_ne!(choices(1), choices(2));
        let chosen = choices(1).into_iter().filter(|chosen| *chosen).count();
        assert!((150..250).contains(&chosen), "{chosen} of 1000 are not one in five");
    }
}
