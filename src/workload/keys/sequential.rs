//! One key after the other, and from the start again: what fills a key space with as many requests as it has keys.

use super::{Kind, Sample, Sampler};
use crate::units::Draws;

pub(super) const KIND: Kind = Kind {
    name: "sequential",
    about: "one key after the other, and from the start again",
    parameters: &[],
    prepare: |_, key_count, _| Sampler::other(Sequential { key_count }),
};

#[derive(Debug)]
struct Sequential {
    key_count: u64,
}

impl Sample for Sequential {
    fn index(&self, _: &mut Draws, number: u64) -> u64 {
        number % self.key_count
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Keys, counted};
    use crate::units::Seed;

    #[test]
    fn every_key_is_drawn_before_one_is_drawn_again() {
        assert_eq!(counted("sequential", 1000, 1000), [1; 1000]);
        assert_eq!(counted("sequential", 1000, 3000), [3; 1000]);
    }

    #[test]
    fn keys_are_in_the_order_of_their_numbers() {
        let keys = Keys::new(&"sequential".parse().unwrap(), 3, Seed(1));
        let drawn: Vec<u64> = (0..7).map(|number| keys.index(&mut Seed(1).draws(number), number)).collect();
        assert_eq!(drawn, [0, 1, 2, 0, 1, 2, 0]);
    }
}
