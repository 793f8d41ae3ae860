//! Members in the order of their scores.

use super::database::Hasher;
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

/// A sorted set: scores by member, and members by score. A member's rank is counted out, not looked up.
#[derive(Debug, Default)]
pub struct SortedSet {
    scores: HashMap<Rc<[u8]>, f64, Hasher>,
    order: BTreeSet<(Score, Rc<[u8]>)>,
}

/// A member and its score.
pub type Scored = (Rc<[u8]>, f64);

#[derive(Debug, Clone, Copy)]
struct Score(f64);

impl Ord for Score {
    fn cmp(&self, other: &Score) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Score) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Score {
    fn eq(&self, other: &Score) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Score {}

impl SortedSet {
    pub fn len(&self) -> usize {
        self.scores.len()
    }

    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    pub fn score(&self, member: &[u8]) -> Option<f64> {
        self.scores.get(member).copied()
    }

    /// Gives `member` its score, and takes it in if it is new.
    pub fn insert(&mut self, member: &[u8], score: f64) {
        let member = match self.remove_entry(member) {
            Some((member, _)) => member,
            None => member.into(),
        };
        self.order.insert((Score(score), member.clone()));
        self.scores.insert(member, score);
    }

    pub fn remove(&mut self, member: &[u8]) -> bool {
        self.remove_entry(member).is_some()
    }

    fn remove_entry(&mut self, member: &[u8]) -> Option<Scored> {
        let (member, score) = self.scores.remove_entry(member)?;
        let entry = (Score(score), member);
        self.order.remove(&entry);
        Some((entry.1, score))
    }

    /// Members and scores, lowest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&[u8], f64)> {
        self.order.iter().map(|(score, member)| (&**member, score.0))
    }

    /// How many members come before `member`.
    pub fn rank(&self, member: &[u8]) -> Option<usize> {
        let (member, &score) = self.scores.get_key_value(member)?;
        Some(self.order.range(..(Score(score), member.clone())).count())
    }

    pub fn pop_lowest(&mut self) -> Option<Scored> {
        let (score, member) = self.order.pop_first()?;
        self.scores.remove(&member);
        Some((member, score.0))
    }

    pub fn pop_highest(&mut self) -> Option<Scored> {
        let (score, member) = self.order.pop_last()?;
        self.scores.remove(&member);
        Some((member, score.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_ordered_by_score_and_then_by_name() {
        let mut set = SortedSet::default();
        for (member, score) in [("b", 1.0), ("a", 1.0), ("c", -1.0), ("d", 0.5), ("d", 9.0)] {
            set.insert(member.as_bytes(), score);
        }
        assert_eq!(set.iter().map(|(member, _)| member[0]).collect::<Vec<u8>>(), b"cabd");
        assert_eq!(set.rank(b"b"), Some(2));
        assert_eq!(set.pop_highest().map(|(_, score)| score), Some(9.0));
        assert_eq!(set.pop_lowest().map(|(_, score)| score), Some(-1.0));
        assert!(set.remove(b"a") && !set.remove(b"a"));
        assert_eq!((set.len(), set.order.len()), (1, 1));
    }
}
