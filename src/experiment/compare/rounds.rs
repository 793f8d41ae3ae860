//! How many rounds there are, and which slices are measured again.

use super::Order;
use crate::stats::Disturbance;

/// How long a comparison goes on. The rule says how narrow the answer is to be, and never what it is to be: who stops as
/// soon as a difference shows finds differences where there are none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rounds {
    pub least: u32,
    /// No more than this many, however wide the answer is.
    pub most: u32,
    /// How often a slice that was disturbed is measured again before it is taken as it is.
    pub tries: u32,
}

/// What one path did in its turn.
#[derive(Debug)]
pub struct Turn<S> {
    pub slice: S,
    pub disturbance: Option<Disturbance>,
    /// Whether it has been disturbed for so long that another try would be, too.
    pub is_lasting: bool,
}

/// A comparison on its way.
#[derive(Debug)]
pub struct Progress<S> {
    /// For each round that is complete, a slice for each path in the order of the paths.
    pub rounds: Vec<Vec<S>>,
    /// Slices that were measured again.
    pub repeated: u64,
    /// What disturbed those that were taken as they are.
    pub borne: Vec<Disturbance>,
}

impl<S> Default for Progress<S> {
    fn default() -> Progress<S> {
        Progress { rounds: Vec::new(), repeated: 0, borne: Vec::new() }
    }
}

impl Rounds {
    /// Takes turns until the rounds are enough: `turn` measures a path in a round, of which number 0 is for getting warm
    /// and counts in nothing; `is_precise` is asked from the least number of rounds on.
    ///
    /// # Errors
    /// What `turn` ended with. The rounds that are complete are in `progress`.
    pub fn take<S, E>(
        &self,
        order: &mut Order,
        progress: &mut Progress<S>,
        mut turn: impl FnMut(u32, usize) -> Result<Turn<S>, E>,
        mut is_precise: impl FnMut(&[Vec<S>]) -> bool,
    ) -> Result<(), E> {
        for path in 0..order.paths() {
            turn(0, path)?;
        }
        for round in 1..=self.most {
            let mut slices: Vec<(usize, S)> = Vec::new();
            for path in order.next_round() {
                let mut taken = turn(round, path)?;
                for _ in 1..self.tries {
                    if taken.disturbance.is_none() || taken.is_lasting {
                        break;
                    }
                    progress.repeated += 1;
                    taken = turn(round, path)?;
                }
                progress.borne.extend(taken.disturbance);
                slices.push((path, taken.slice));
            }
            slices.sort_by_key(|(path, _)| *path);
            progress.rounds.push(slices.into_iter().map(|(_, slice)| slice).collect());
            if round >= self.least && is_precise(&progress.rounds) {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Seed;

    /// Whose turn it was.
    type Slice = (u32, usize);

    const ROUNDS: Rounds = Rounds { least: 6, most: 9, tries: 3 };

    /// The turns of a comparison of two paths, and what came of it.
    fn turns(
        rounds: Rounds,
        mut disturbed: impl FnMut(u32, usize) -> bool,
        is_precise: impl FnMut(&[Vec<Slice>]) -> bool,
    ) -> (Vec<Slice>, Progress<Slice>) {
        let (mut told, mut progress) = (Vec::new(), Progress::default());
        let turn = |round, path| {
            told.push((round, path));
            let disturbance = disturbed(round, path).then_some(Disturbance::Errors(1));
            Ok::<_, ()>(Turn { slice: (round, path), disturbance, is_lasting: round == 5 })
        };
        rounds.take(&mut Order::new(2, Seed(1)), &mut progress, turn, is_precise).unwrap();
        (told, progress)
    }

    #[test]
    fn the_first_round_counts_in_nothing() {
        let (told, progress) = turns(ROUNDS, |_, _| false, |_| true);
        assert_eq!(told.len(), 2 * (6 + 1));
        let expected: Vec<Vec<Slice>> = (1..=6).map(|round| vec![(round, 0), (round, 1)]).collect();
        assert_eq!(progress.rounds, expected);
    }

    #[test]
    fn rounds_go_on_until_they_are_precise_or_enough() {
        assert_eq!(turns(ROUNDS, |_, _| false, |rounds| rounds.len() == 8).1.rounds.len(), 8);
        assert_eq!(turns(ROUNDS, |_, _| false, |_| false).1.rounds.len(), 9);
    }

    #[test]
    fn what_was_disturbed_is_measured_again_and_at_last_taken_as_it_is() {
        let mut times = 0;
        let once = |round, path| {
            times += u32::from((round, path) == (2, 1));
            (round, path) == (2, 1) && times == 1
        };
        let (told, progress) = turns(ROUNDS, once, |_| true);
        assert_eq!((progress.repeated, progress.borne.len()), (1, 0));
        assert_eq!(told.iter().filter(|turn| **turn == (2, 1)).count(), 2);
        let (_, progress) = turns(ROUNDS, |round, path| (round, path) == (3, 0), |_| true);
        assert_eq!((progress.repeated, progress.borne.len()), (2, 1));
        assert_eq!(progress.rounds.len(), 6);
        let (_, progress) = turns(ROUNDS, |round, path| (round, path) == (5, 0), |_| true);
        assert_eq!((progress.repeated, progress.borne.len()), (0, 1), "what lasts is not tried again");
    }

    #[test]
    fn what_ends_it_leaves_the_rounds_that_are_complete() {
        let mut progress = Progress::default();
        let turn = |round, path| match (round, path) {
            (4, _) => Err("interrupted"),
            _ => Ok(Turn { slice: (round, path), disturbance: None, is_lasting: false }),
        };
        assert_eq!(ROUNDS.take(&mut Order::new(2, Seed(1)), &mut progress, turn, |_| true), Err("interrupted"));
        assert_eq!(progress.rounds.len(), 3);
    }
}
