//! Whose turn it is.

use crate::units::{Draws, Seed};

/// The order of the paths in each round: drawn at random for one, and turned round for the next, so that what changes
/// steadily over two rounds cancels out (ABBA).
#[derive(Debug)]
pub struct Order {
    draws: Draws,
    paths: usize,
    last: Option<Vec<usize>>,
}

impl Order {
    pub fn new(paths: usize, seed: Seed) -> Order {
        Order { draws: seed.draws(0), paths, last: None }
    }

    pub fn paths(&self) -> usize {
        self.paths
    }

    /// The places of the paths in the order of their turns.
    pub fn next_round(&mut self) -> Vec<usize> {
        if let Some(mut last) = self.last.take() {
            last.reverse();
            return last;
        }
        let mut order: Vec<usize> = (0..self.paths).collect();
        // Fisher and Yates.
        for index in (1..order.len()).rev() {
            order.swap(index, self.draws.below(index as u64 + 1) as usize);
        }
        self.last = Some(order.clone());
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_path_has_a_turn_and_the_next_round_is_turned_round() {
        for paths in 1..6 {
            let mut order = Order::new(paths, Seed(3));
            for _ in 0..20 {
                let (first, mut second) = (order.next_round(), order.next_round());
                assert_eq!(first.iter().copied().collect::<BTreeSet<_>>(), (0..paths).collect());
                second.reverse();
                assert_eq!(first, second);
            }
        }
    }

    #[test]
    fn nobody_is_first_by_habit() {
        let mut order = Order::new(2, Seed(1));
        let first: Vec<usize> = (0..40).map(|_| (order.next_round()[0], order.next_round()).0).collect();
        let share = first.iter().sum::<usize>();
        assert!((10..=30).contains(&share), "{share} of 40 begin with the second path");
        let again: Vec<usize> = {
            let mut order = Order::new(2, Seed(1));
            (0..40).map(|_| (order.next_round()[0], order.next_round()).0).collect()
        };
        assert_eq!(first, again, "a seed is an order");
    }
}
