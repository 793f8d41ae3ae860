//! Which of several commands is next: drawn by weight.

use crate::units::Seed;

/// Draws commands in proportion to their weights.
#[derive(Debug, Clone)]
pub struct Mix {
    /// For each command the sum of its weight and those before it.
    ends: Vec<u64>,
    seed: Seed,
}

/// The child of a run's seed that commands are drawn from, apart from what is in them.
const COMMANDS: u64 = u64::MAX - 3;

impl Mix {
    /// Of commands with these weights, one of them at the least and each above zero.
    pub fn new(weights: impl Iterator<Item = u32>, seed: Seed) -> Mix {
        let ends: Vec<u64> = weights
            .scan(0, |sum, weight| {
                *sum += u64::from(weight);
                Some(*sum)
            })
            .collect();
        Mix { ends, seed: seed.child(COMMANDS) }
    }

    /// The place of the command that goes out under `number`.
    #[inline]
    pub fn command(&self, number: u64) -> usize {
        let total = self.ends[self.ends.len() - 1];
        let drawn = self.seed.draws(number).below(total);
        // Mixes are short: to look from the front is faster than to halve.
        self.ends.iter().position(|end| drawn < *end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::goodness::assert_chi_square;

    #[test]
    fn commands_are_drawn_by_weight() {
        let weights = [80, 15, 5];
        let mix = Mix::new(weights.into_iter(), Seed(42));
        let mut counts = [0u64; 3];
        (0..100_000).for_each(|number| counts[mix.command(number)] += 1);
        assert_chi_square(&counts, &weights.map(f64::from));
    }
}
