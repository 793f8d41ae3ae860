//! How long to wait before a lost connection is tried again. Pure.

use crate::units::{Draws, Nanos};

/// The first wait at its longest.
const FIRST: Nanos = Nanos::from_millis(10);

/// No wait is longer: how late an end of an outage is noticed at the most.
const LONGEST: Nanos = Nanos::from_secs(1);

/// The wait before try number `attempt`, from 0: at random up to a bound that doubles, so that clients which lost their
/// connections together do not come back together.
/// Source: Brooker, "Exponential backoff and jitter", AWS Architecture Blog, 2015 ("full jitter").
pub fn wait(attempt: u32, draws: &mut Draws) -> Nanos {
    let bound = FIRST.0.saturating_mul(1 << attempt.min(20)).min(LONGEST.0);
    Nanos(draws.below(bound))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Seed;

    #[test]
    fn waits_grow_to_a_bound_and_differ() {
        let mut draws = Seed(1).draws(0);
        for (attempt, bound) in [(0, 10), (3, 80), (7, 1000), (63, 1000), (u32::MAX, 1000)] {
            let waits: Vec<Nanos> = (0..200).map(|_| wait(attempt, &mut draws)).collect();
            let longest = waits.iter().max().unwrap();
            assert!(*longest < Nanos::from_millis(bound), "{attempt}");
            assert!(*longest > Nanos(Nanos::from_millis(bound).0 / 10 * 9), "{attempt}: {longest:?}");
            assert!(waits.iter().any(|wait| wait.0 < longest.0 / 4), "{attempt}");
        }
    }
}
