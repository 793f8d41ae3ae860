//! Entries in the order in which they were added.

use super::database::Text;
use crate::resp::request;
use std::collections::VecDeque;
use std::fmt;

/// When an entry was added, in milliseconds since 1970, and its place among those of the same millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct EntryId {
    pub ms: u64,
    pub sequence: u64,
}

impl EntryId {
    pub const MAX: EntryId = EntryId { ms: u64::MAX, sequence: u64::MAX };

    /// Reads `ms-sequence`, or `ms` alone with `sequence` in place of the missing part.
    pub fn parse(text: &[u8], sequence: u64) -> Option<EntryId> {
        let number = |text: &[u8]| request::integer(text).and_then(|number| u64::try_from(number).ok());
        match text.iter().position(|&byte| byte == b'-') {
            Some(dash) => Some(EntryId { ms: number(&text[..dash])?, sequence: number(&text[dash + 1..])? }),
            None => Some(EntryId { ms: number(text)?, sequence }),
        }
    }

    /// The lowest id above this one.
    pub fn next(self) -> Option<EntryId> {
        match self.sequence.checked_add(1) {
            Some(sequence) => Some(EntryId { sequence, ..self }),
            None => Some(EntryId { ms: self.ms.checked_add(1)?, sequence: 0 }),
        }
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.sequence)
    }
}

#[derive(Debug)]
pub struct Entry {
    pub id: EntryId,
    /// Names and values by turns.
    pub fields: Box<[Text]>,
}

/// A stream. It stays when its last entry goes, because it remembers the last id that it gave out.
#[derive(Debug, Default)]
pub struct Stream {
    pub entries: VecDeque<Entry>,
    pub last: EntryId,
}

impl Stream {
    /// The id of an entry that is added at `now_ms`. It is above all before it, even when the clock is not.
    pub fn id_at(&self, now_ms: u64) -> Option<EntryId> {
        if now_ms > self.last.ms { Some(EntryId { ms: now_ms, sequence: 0 }) } else { self.last.next() }
    }

    pub fn push(&mut self, id: EntryId, fields: Box<[Text]>) {
        self.last = id;
        self.entries.push_back(Entry { id, fields });
    }

    /// The entries from `first` to `last`, both included.
    pub fn range(&self, first: EntryId, last: EntryId) -> impl DoubleEndedIterator<Item = &Entry> {
        let start = self.entries.partition_point(|entry| entry.id < first);
        let end = self.entries.partition_point(|entry| entry.id <= last);
        self.entries.range(start..end.max(start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_even_when_the_clock_stands_still_or_runs_back() {
        let mut stream = Stream::default();
        for (now_ms, expected) in [(5, "5-0"), (5, "5-1"), (4, "5-2"), (6, "6-0")] {
            let id = stream.id_at(now_ms).unwrap();
            assert_eq!(id.to_string(), expected);
            stream.push(id, Box::default());
        }
        stream.last = EntryId::MAX;
        assert_eq!(stream.id_at(7), None);
    }

    #[test]
    fn a_range_includes_both_ends_and_may_be_empty() {
        let mut stream = Stream::default();
        (1..=5).for_each(|ms| stream.push(EntryId { ms, sequence: 0 }, Box::default()));
        let count =
            |first, last| stream.range(EntryId::parse(first, 0).unwrap(), EntryId::parse(last, 9).unwrap()).count();
        assert_eq!(count(b"2", b"4"), 3);
        assert_eq!(count(b"2-1", b"4-0"), 2);
        assert_eq!(count(b"4", b"2"), 0);
    }
}
