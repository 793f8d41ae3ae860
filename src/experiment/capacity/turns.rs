//! Several searches that take turns, so that whatever changes with time happens to all of them alike.

use super::search::{Action, Search};

/// The searches of several paths, in the order of the paths.
#[derive(Debug)]
pub struct Turns {
    searches: Vec<Search>,
    /// Whose turn was the last.
    last: Option<usize>,
}

impl Turns {
    pub fn new(searches: Vec<Search>) -> Turns {
        Turns { searches, last: None }
    }

    /// Whose turn it is, and what is to be done there: the next one after the last that is not done. None when all are.
    pub fn next_turn(&mut self) -> Option<(usize, Action)> {
        let count = self.searches.len();
        let first = self.last.map_or(0, |last| last + 1);
        let turn = (first..first + count)
            .map(|place| place % count)
            .find(|place| self.searches[*place].next() != Action::Done)?;
        self.last = Some(turn);
        Some((turn, self.searches[turn].next()))
    }

    /// The search of a path.
    pub fn search(&mut self, path: usize) -> &mut Search {
        &mut self.searches[path]
    }

    pub fn searches(&self) -> &[Search] {
        &self.searches
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::capacity::Settings;
    use crate::units::Rate;

    #[test]
    fn who_is_done_has_no_turn() {
        let search = || Search::new(Settings::new("p99<2ms".parse().unwrap()));
        let mut turns = Turns::new(vec![search(), search(), search()]);
        let order = |turns: &mut Turns| [(); 4].map(|()| turns.next_turn().map(|(path, _)| path));
        assert_eq!(order(&mut turns), [Some(0), Some(1), Some(2), Some(0)]);
        turns.search(1).interrupt();
        turns.search(2).tell_peak(Rate(1000.0));
        assert_eq!(order(&mut turns), [Some(2), Some(0), Some(2), Some(0)]);
        assert!(matches!(turns.next_turn(), Some((2, Action::Step(_)))));
        turns.search(0).interrupt();
        turns.search(2).interrupt();
        assert_eq!(order(&mut turns), [None; 4]);
        assert_eq!(Turns::new(Vec::new()).next_turn(), None);
    }
}
