//! The keys of one database, what they hold, and until when.

use super::failure::Failure;
use super::sorted_set::SortedSet;
use super::stream::Stream;
use crate::units::Draws;
use indexmap::{IndexMap, IndexSet};
use std::collections::VecDeque;

pub type Hasher = foldhash::fast::RandomState;
pub type Text = Box<[u8]>;
pub type List = VecDeque<Text>;
pub type Hash = IndexMap<Text, Vec<u8>, Hasher>;
// An index as well as a hash: SPOP takes a random member without looking for it.
pub type Set = IndexSet<Text, Hasher>;

/// What a key holds. Strings come first: they stay in the table, and all else is boxed to keep the table small.
#[derive(Debug)]
pub enum Value {
    String(Vec<u8>),
    Collection(Box<Collection>),
}

#[derive(Debug)]
pub enum Collection {
    List(List),
    Set(Set),
    Hash(Hash),
    SortedSet(SortedSet),
    Stream(Stream),
}

impl Value {
    /// The name that TYPE gives it.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::String(_) => "string",
            Value::Collection(collection) => match **collection {
                Collection::List(_) => "list",
                Collection::Set(_) => "set",
                Collection::Hash(_) => "hash",
                Collection::SortedSet(_) => "zset",
                Collection::Stream(_) => "stream",
            },
        }
    }
}

/// A kind of value that commands work on.
pub trait Kind: Default {
    fn of(value: &mut Value) -> Option<&mut Self>;
    fn wrap(self) -> Value;
}

impl Kind for Vec<u8> {
    fn of(value: &mut Value) -> Option<&mut Vec<u8>> {
        if let Value::String(string) = value { Some(string) } else { None }
    }

    fn wrap(self) -> Value {
        Value::String(self)
    }
}

macro_rules! collection {
    ($kind:ty, $variant:ident) => {
        impl Kind for $kind {
            fn of(value: &mut Value) -> Option<&mut $kind> {
                match value {
                    Value::Collection(collection) => match &mut **collection {
                        Collection::$variant(this) => Some(this),
                        _ => None,
                    },
                    Value::String(_) => None,
                }
            }

            fn wrap(self) -> Value {
                Value::Collection(Box::new(Collection::$variant(self)))
            }
        }
    };
}

collection!(List, List);
collection!(Set, Set);
collection!(Hash, Hash);
collection!(SortedSet, SortedSet);
collection!(Stream, Stream);

#[derive(Debug)]
struct Entry {
    value: Value,
    /// In milliseconds since 1970.
    expires_ms: Option<u64>,
}

/// One of the numbered databases. A key whose time is over is gone when it is next asked for, and not before.
#[derive(Debug, Default)]
pub struct Database {
    entries: IndexMap<Text, Entry, Hasher>,
    /// The time, in milliseconds since 1970, as whoever reaches for the database was told it.
    pub now_ms: u64,
    /// How many reads found their key, and how many did not.
    pub hits: u64,
    pub misses: u64,
}

impl Database {
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many keys have a time to live.
    pub fn expiring(&self) -> usize {
        self.entries.values().filter(|entry| entry.expires_ms.is_some()).count()
    }

    pub fn clear(&mut self) {
        self.entries = IndexMap::default();
    }

    #[inline]
    fn find(&mut self, key: &[u8]) -> Option<usize> {
        let index = self.entries.get_index_of(key)?;
        if self.entries[index].expires_ms.is_some_and(|expires| expires <= self.now_ms) {
            self.entries.swap_remove_index(index);
            return None;
        }
        Some(index)
    }

    pub fn contains(&mut self, key: &[u8]) -> bool {
        self.find(key).is_some()
    }

    pub fn value(&mut self, key: &[u8]) -> Option<&mut Value> {
        self.find(key).map(|index| &mut self.entries[index].value)
    }

    /// What `key` holds, or `None` when it holds nothing.
    ///
    /// # Errors
    /// [`Failure::WRONG_TYPE`] when it holds something of another kind.
    #[inline]
    pub fn get<K: Kind>(&mut self, key: &[u8]) -> Result<Option<&mut K>, Failure> {
        match self.find(key) {
            Some(index) => K::of(&mut self.entries[index].value).map(Some).ok_or(Failure::WRONG_TYPE),
            None => Ok(None),
        }
    }

    /// As [`Database::get`], for commands that only read: it is counted whether they found something.
    #[inline]
    pub fn read<K: Kind>(&mut self, key: &[u8]) -> Result<Option<&mut K>, Failure> {
        match self.find(key) {
            Some(index) => {
                self.hits += 1;
                K::of(&mut self.entries[index].value).map(Some).ok_or(Failure::WRONG_TYPE)
            }
            None => {
                self.misses += 1;
                Ok(None)
            }
        }
    }

    /// What `key` holds, after giving it something empty to hold if it held nothing.
    ///
    /// # Errors
    /// [`Failure::WRONG_TYPE`] when it holds something of another kind.
    pub fn get_or_create<K: Kind>(&mut self, key: &[u8]) -> Result<&mut K, Failure> {
        let index = match self.find(key) {
            Some(index) => index,
            None => self.entries.insert_full(key.into(), Entry { value: K::default().wrap(), expires_ms: None }).0,
        };
        K::of(&mut self.entries[index].value).ok_or(Failure::WRONG_TYPE)
    }

    /// Lets `key` hold `string`, whatever it held before, for as long as it is not told otherwise.
    #[inline]
    pub fn set_string(&mut self, key: &[u8], string: &[u8]) {
        match self.entries.get_index_of(key) {
            Some(index) => {
                let entry = &mut self.entries[index];
                entry.expires_ms = None;
                match &mut entry.value {
                    // The old string's memory serves again, unless most of it would lie idle.
                    Value::String(old) if old.capacity() / 2 <= string.len().max(32) => {
                        old.clear();
                        old.extend_from_slice(string);
                    }
                    other => *other = Value::String(string.to_vec()),
                }
            }
            None => {
                self.entries.insert(key.into(), Entry { value: Value::String(string.to_vec()), expires_ms: None });
            }
        }
    }

    /// Removes `key`, and says whether it was there.
    pub fn remove(&mut self, key: &[u8]) -> bool {
        self.find(key).map(|index| self.entries.swap_remove_index(index)).is_some()
    }

    /// When `key` expires, in milliseconds since 1970. The outer `None` says that there is no such key.
    pub fn expiry(&mut self, key: &[u8]) -> Option<Option<u64>> {
        self.find(key).map(|index| self.entries[index].expires_ms)
    }

    /// Lets `key` expire at `at_ms`, in milliseconds since 1970, or never, and says whether there is such a key.
    pub fn expire(&mut self, key: &[u8], at_ms: Option<u64>) -> bool {
        let found = self.find(key);
        if let Some(index) = found {
            self.entries[index].expires_ms = at_ms;
        }
        found.is_some()
    }

    /// Some key that has not expired, if one can be found with a few tries.
    pub fn random_key(&mut self, draws: &mut Draws) -> Option<&[u8]> {
        let now_ms = self.now_ms;
        let live = |index: &usize| {
            self.entries.get_index(*index).is_some_and(|(_, entry)| entry.expires_ms.is_none_or(|at| at > now_ms))
        };
        let index = (0..100).map(|_| draws.below(self.entries.len() as u64) as usize).find(live)?;
        self.entries.get_index(index).map(|(key, _)| &**key)
    }

    /// Up to `count` keys below `cursor`, and the cursor to go on with. A scan begins at cursor `None` and is over when
    /// it is handed 0.
    ///
    /// It runs downwards because a removed key's place is taken by the last one, which has been seen by then: a key that
    /// is there all along is never missed, though it may be met twice.
    pub fn scan(&self, cursor: Option<usize>, count: usize) -> (usize, impl Iterator<Item = (&[u8], &Value)>) {
        let end = cursor.unwrap_or(usize::MAX).min(self.entries.len());
        let start = end.saturating_sub(count);
        let live = |entry: &Entry| entry.expires_ms.is_none_or(|at| at > self.now_ms);
        let entries = (start..end).filter_map(|index| self.entries.get_index(index));
        (start, entries.filter(move |(_, entry)| live(entry)).map(|(key, entry)| (&**key, &entry.value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Seed;

    #[test]
    fn a_key_is_gone_once_its_time_is_over() {
        let mut database = Database { now_ms: 1_000, ..Database::default() };
        database.set_string(b"key", b"value");
        assert!(database.expire(b"key", Some(1_001)));
        assert!(database.contains(b"key"));
        database.now_ms = 1_001;
        assert_eq!(database.get::<Vec<u8>>(b"key"), Ok(None));
        assert_eq!(database.len(), 0);
    }

    #[test]
    fn setting_a_string_forgets_the_old_expiry() {
        let mut database = Database::default();
        database.set_string(b"key", b"1");
        database.expire(b"key", Some(1));
        database.set_string(b"key", b"2");
        assert_eq!(database.expiry(b"key"), Some(None));
    }

    #[test]
    fn a_long_string_does_not_keep_its_memory_when_a_short_one_follows() {
        let mut database = Database::default();
        database.set_string(b"key", &[0; 10_000]);
        database.set_string(b"key", b"1");
        assert!(database.get::<Vec<u8>>(b"key").unwrap().unwrap().capacity() < 100);
    }

    #[test]
    fn a_value_of_another_kind_is_refused() {
        let mut database = Database::default();
        database.set_string(b"key", b"1");
        assert_eq!(database.get::<List>(b"key"), Err(Failure::WRONG_TYPE));
        assert_eq!(database.get_or_create::<Set>(b"key"), Err(Failure::WRONG_TYPE));
    }

    #[test]
    fn a_scan_misses_no_key_that_stays_even_while_others_go() {
        let mut database = Database::default();
        (0..100).for_each(|key: usize| database.set_string(format!("key:{key}").as_bytes(), b"1"));
        let (mut seen, mut cursor) = (std::collections::HashSet::new(), None);
        for removed in 0.. {
            let (next, keys) = database.scan(cursor, 7);
            seen.extend(keys.map(|(key, _)| key.to_vec()));
            if next == 0 {
                break;
            }
            cursor = Some(next);
            assert!(database.remove(format!("key:{removed}").as_bytes()));
        }
        assert!((50..100).all(|key| seen.contains(format!("key:{key}").as_bytes())));
    }

    #[test]
    fn a_random_key_is_a_live_one() {
        let mut database = Database { now_ms: 5, ..Database::default() };
        assert_eq!(database.random_key(&mut Seed(1).draws(0)), None);
        database.set_string(b"dead", b"1");
        database.expire(b"dead", Some(5));
        database.set_string(b"live", b"1");
        assert_eq!(database.random_key(&mut Seed(1).draws(0)), Some(&b"live"[..]));
    }
}
