//! The newest keys are the likeliest, as where people read what was written last.

use super::zipf::{EXPONENT, Ranks};
use super::{Kind, Sample, Sampler};
use crate::units::Draws;

pub(super) const KIND: Kind = Kind {
    name: "recent",
    about: "the newest keys are the likeliest, by zipf; each request makes the next key, in a circle, the newest",
    parameters: &[EXPONENT],
    prepare: |values, key_count, _| Sampler::other(Recent { key_count, ages: Ranks::new(key_count, values[0]) }),
};

/// For draw `number`, the newest key is the one that `sequential` has for that number: the key space is a circle, on
/// which the oldest key is the one that comes next. In the first round the older keys are those of a round before the
/// run, so the key space should be filled.
#[derive(Debug)]
struct Recent {
    key_count: u64,
    ages: Ranks,
}

impl Sample for Recent {
    fn index(&self, draws: &mut Draws, number: u64) -> u64 {
        let (newest, age) = (number % self.key_count, self.ages.draw(draws));
        if age <= newest { newest - age } else { self.key_count - (age - newest) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Keys;
    use crate::units::Seed;
    use crate::workload::goodness::assert_chi_square;

    #[test]
    fn a_key_is_the_less_likely_the_older_it_is() {
        let keys = Keys::new(&"recent:0.8".parse().unwrap(), 1000, Seed(1));
        let mut by_age = vec![0; 1000];
        for number in 0..500_000u64 {
            let index = keys.index(&mut Seed(7).draws(number), number);
            by_age[((number + 1000 - index) % 1000) as usize] += 1;
        }
        let weights: Vec<f64> = (1..=1000).map(|rank| f64::from(rank).powf(-0.8)).collect();
        assert_chi_square(&by_age, &weights);
    }

    #[test]
    fn over_whole_rounds_all_keys_are_alike() {
        assert_chi_square(&super::super::counted("recent", 100, 1_000_000), &[1.0; 100]);
    }
}
