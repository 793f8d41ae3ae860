//! The tests that run when nothing else is asked for: the list of redis-benchmark 7.2, in its order, with its titles.
//! They feed each other: GET hits because SET ran before it, LRANGE reads what LPUSH left.

use super::template::{DATA, EACH, KEY, TAG, TTL, Template};
use thiserror::Error;

/// One test of the suite.
#[derive(Debug)]
pub struct SuiteTest {
    /// What `-t` calls it; any of these selects it.
    pub names: &'static [&'static str],
    /// What reports call it.
    title: &'static str,
    /// Whether it runs when `-t` is not given.
    pub by_default: bool,
    request: fn(&Spelling) -> Template,
}

/// What the names of all keys of the suite begin with.
pub const KEY_NAMES: [&str; 7] = ["key", "counter", "mylist", "myset", "myhash", "myzset", "mystream"];

/// How the requests of the suite are spelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spelling {
    /// Whether numbers are drawn, as `-r` asks for.
    pub numbers: bool,
    /// Before each key, to keep them apart from others.
    pub prefix: String,
    /// With a tag behind the name, as redis-benchmark has them in a cluster: `key:{tag}:000000000001`.
    pub tagged: bool,
    /// The length of keys with a number, which zeros before the number make up. None leaves them as they are.
    pub key_bytes: Option<usize>,
    /// Keys, or key-value pairs, in one MGET or MSET.
    pub multi_keys: usize,
    /// Whether SET has a time to live.
    pub expires: bool,
}

impl Default for Spelling {
    fn default() -> Spelling {
        Spelling {
            numbers: false,
            prefix: String::new(),
            tagged: false,
            key_bytes: None,
            multi_keys: MULTI_KEYS,
            expires: false,
        }
    }
}

/// Keys in one MGET or MSET of redis-benchmark.
pub const MULTI_KEYS: usize = 10;

impl Spelling {
    /// The request of `test`, spelled this way.
    pub fn apply(&self, test: &SuiteTest) -> Template {
        (test.request)(self).map(|argument| {
            let (name, number) = match argument.split_once(':') {
                Some((name, number)) => (name, Some(number)),
                None => (argument, None),
            };
            // `element:…` is a member of a set, not a key.
            if KEY_NAMES.contains(&name) { self.key(name, number) } else { argument.to_owned() }
        })
    }

    /// What reports call `test`, with the number of keys that it has.
    pub fn title(&self, test: &SuiteTest) -> String {
        test.title.replace("(10 keys)", &format!("({} keys)", self.multi_keys))
    }

    /// How long the longest key with a number is without any filling up.
    pub fn key_bytes_min(&self) -> usize {
        let plain = Spelling { key_bytes: None, ..self.clone() };
        plain.key("counter", Some(EACH)).len()
    }

    fn key(&self, name: &str, number: Option<&str>) -> String {
        let tag = if self.tagged { format!(":{TAG}") } else { String::new() };
        let key = format!("{}{name}{tag}", self.prefix);
        match number {
            Some(number) => {
                let number = if self.numbers { KEY } else { number };
                let zeros = self.key_bytes.unwrap_or(0).saturating_sub(key.len() + 1 + number.len());
                format!("{key}:{:0<zeros$}{number}", "")
            }
            None => key,
        }
    }
}

/// All tests, in the order in which they run whatever the order of `-t`.
pub static SUITE: &[SuiteTest] = &[
    test(&["ping_inline", "ping"], "PING_INLINE", |_| Template::inline("PING")),
    test(&["ping_mbulk", "ping"], "PING_MBULK", |_| Template::new(&["PING"])),
    test(&["set"], "SET", |spelling| {
        let expiry = if spelling.expires { &["EX", TTL][..] } else { &[] };
        Template::new(&[&["SET", "key:__rand_int__", DATA], expiry].concat())
    }),
    test(&["get"], "GET", |_| Template::new(&["GET", "key:__rand_int__"])),
    test(&["incr"], "INCR", |_| Template::new(&["INCR", "counter:__rand_int__"])),
    test(&["lpush"], "LPUSH", |_| Template::new(&["LPUSH", "mylist", DATA])),
    test(&["rpush"], "RPUSH", |_| Template::new(&["RPUSH", "mylist", DATA])),
    test(&["lpop"], "LPOP", |_| Template::new(&["LPOP", "mylist"])),
    test(&["rpop"], "RPOP", |_| Template::new(&["RPOP", "mylist"])),
    test(&["sadd"], "SADD", |_| Template::new(&["SADD", "myset", "element:__rand_int__"])),
    test(&["hset"], "HSET", |_| Template::new(&["HSET", "myhash", "element:__rand_int__", DATA])),
    test(&["spop"], "SPOP", |_| Template::new(&["SPOP", "myset"])),
    // One score for all members unless there is a key space to draw from.
    test(&["zadd"], "ZADD", |spelling| {
        Template::new(&["ZADD", "myzset", if spelling.numbers { EACH } else { "0" }, "element:__rand_int__"])
    }),
    test(&["zpopmin"], "ZPOPMIN", |_| Template::new(&["ZPOPMIN", "myzset"])),
    test(
        &["lrange", "lrange_100", "lrange_300", "lrange_500", "lrange_600"],
        "LPUSH (needed to benchmark LRANGE)",
        |_| Template::new(&["LPUSH", "mylist", DATA]),
    ),
    test(&["lrange", "lrange_100"], "LRANGE_100 (first 100 elements)", |_| lrange("99")),
    test(&["lrange", "lrange_300"], "LRANGE_300 (first 300 elements)", |_| lrange("299")),
    test(&["lrange", "lrange_500"], "LRANGE_500 (first 500 elements)", |_| lrange("499")),
    test(&["lrange", "lrange_600"], "LRANGE_600 (first 600 elements)", |_| lrange("599")),
    test(&["mset"], "MSET (10 keys)", |spelling| multi("MSET", &["key:__rand_int__", DATA], spelling)),
    SuiteTest {
        by_default: false,
        ..test(&["mget"], "MGET (10 keys)", |spelling| multi("MGET", &["key:__rand_int__"], spelling))
    },
    test(&["xadd"], "XADD", |_| Template::new(&["XADD", "mystream", "*", "myfield", DATA])),
];

const fn test(names: &'static [&'static str], title: &'static str, request: fn(&Spelling) -> Template) -> SuiteTest {
    SuiteTest { names, title, by_default: true, request }
}

fn lrange(last: &str) -> Template {
    Template::new(&["LRANGE", "mylist", "0", last])
}

fn multi(command: &'static str, each: &[&'static str], spelling: &Spelling) -> Template {
    Template::new(&[&[command], &each.repeat(spelling.multi_keys)[..]].concat())
}

/// What can be wrong with `-t`.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum SelectError {
    #[error("unknown test '{0}'; known: {known}", known = names().join(", "))]
    Unknown(String),
    #[error("no test named; known: {known}", known = names().join(", "))]
    Empty,
}

/// The tests that run without `-t`.
pub fn by_default() -> Vec<&'static SuiteTest> {
    SUITE.iter().filter(|test| test.by_default).collect()
}

/// The tests that a comma-separated `list` of names selects, in the order of the suite. Case does not matter.
///
/// # Errors
/// [`SelectError`] for a name that selects nothing, and for a list without names.
pub fn select(list: &str) -> Result<Vec<&'static SuiteTest>, SelectError> {
    let list = list.to_lowercase();
    let wanted: Vec<&str> = list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if wanted.is_empty() {
        return Err(SelectError::Empty);
    }
    if let Some(unknown) = wanted.iter().find(|name| !names().contains(name)) {
        return Err(SelectError::Unknown((*unknown).to_owned()));
    }
    Ok(SUITE.iter().filter(|test| test.names.iter().any(|name| wanted.contains(name))).collect())
}

/// The one test that `name` is best for: of several, the last; those before it prepare for it. Case does not matter.
pub fn named(name: &str) -> Option<&'static SuiteTest> {
    let name = name.to_lowercase();
    SUITE.iter().rfind(|test| test.names.contains(&&*name))
}

/// Every name that `-t` knows, each once, in the order of the suite.
pub fn names() -> Vec<&'static str> {
    let mut names = Vec::new();
    for test in SUITE {
        for name in test.names {
            if !names.contains(name) {
                names.push(name);
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(list: &str) -> Vec<&'static str> {
        select(list).unwrap().iter().map(|test| test.title).collect()
    }

    #[test]
    fn the_suite_is_the_list_of_7_2() {
        let titles: Vec<_> = by_default().iter().map(|test| test.title).collect();
        assert_eq!(
            titles,
            [
                "PING_INLINE",
                "PING_MBULK",
                "SET",
                "GET",
                "INCR",
                "LPUSH",
                "RPUSH",
                "LPOP",
                "RPOP",
                "SADD",
                "HSET",
                "SPOP",
                "ZADD",
                "ZPOPMIN",
                "LPUSH (needed to benchmark LRANGE)",
                "LRANGE_100 (first 100 elements)",
                "LRANGE_300 (first 300 elements)",
                "LRANGE_500 (first 500 elements)",
                "LRANGE_600 (first 600 elements)",
                "MSET (10 keys)",
                "XADD",
            ]
        );
    }

    #[test]
    fn the_order_of_names_does_not_matter_and_none_counts_twice() {
        assert_eq!(titles("get, SET,get"), ["SET", "GET"]);
        assert_eq!(titles("ping"), ["PING_INLINE", "PING_MBULK"]);
        assert_eq!(titles("mget"), ["MGET (10 keys)"]);
        assert_eq!(titles("lrange_300"), ["LPUSH (needed to benchmark LRANGE)", "LRANGE_300 (first 300 elements)"]);
    }

    #[test]
    fn an_unknown_name_is_told_what_is_known() {
        assert_eq!(select("set,ste").unwrap_err(), SelectError::Unknown("ste".into()));
        assert!(select("ste").unwrap_err().to_string().contains("known: ping_inline, ping, ping_mbulk, set, get"));
        assert_eq!(select(" ,").unwrap_err(), SelectError::Empty);
    }

    /// A score drawn anew is only there when there is a key space to draw it from.
    #[test]
    fn zadd_draws_its_score_only_from_a_key_space() {
        let mut spelling = Spelling::default();
        let zadd = ["ZADD", "myzset", "0", "element:__rand_int__"];
        assert_eq!(spelling.apply(named("zadd").unwrap()), Template::new(&zadd));
        spelling.numbers = true;
        assert_eq!(spelling.apply(named("zadd").unwrap()), Template::new(&[zadd[0], zadd[1], "__rand_int__", zadd[3]]));
    }

    #[test]
    fn keys_come_from_the_key_distribution_and_members_do_not() {
        let spelling = Spelling { numbers: true, prefix: "p:".into(), tagged: true, ..Spelling::default() };
        assert_eq!(spelling.apply(named("get").unwrap()), Template::new(&["GET", "p:key:{tag}:__key__"]));
        let sadd = Template::new(&["SADD", "p:myset:{tag}", "element:__rand_int__"]);
        assert_eq!(spelling.apply(named("sadd").unwrap()), sadd);
    }

    #[test]
    fn a_key_is_as_long_as_it_is_to_be() {
        let mut spelling = Spelling { numbers: true, key_bytes: Some(22), ..Spelling::default() };
        assert_eq!(spelling.apply(named("get").unwrap()), Template::new(&["GET", "key:000000__key__"]));
        assert_eq!(spelling.apply(named("incr").unwrap()), Template::new(&["INCR", "counter:00__key__"]));
        assert_eq!(spelling.key_bytes_min(), 20);
        spelling.key_bytes = Some(1);
        assert_eq!(spelling.apply(named("get").unwrap()), Template::new(&["GET", "key:__key__"]));
    }

    #[test]
    fn a_multi_key_request_is_as_wide_as_it_is_to_be() {
        let spelling = Spelling { multi_keys: 2, ..Spelling::default() };
        let mset = ["MSET", "key:__rand_int__", DATA, "key:__rand_int__", DATA];
        assert_eq!(spelling.apply(named("mset").unwrap()), Template::new(&mset));
        assert_eq!(spelling.title(named("mset").unwrap()), "MSET (2 keys)");
        assert_eq!(Spelling::default().title(named("mset").unwrap()), "MSET (10 keys)");
    }

    #[test]
    fn a_name_stands_for_what_others_prepare() {
        assert_eq!(named("LRANGE_300").unwrap().title, "LRANGE_300 (first 300 elements)");
        assert_eq!(named("ping").unwrap().title, "PING_MBULK");
        assert!(named("ste").is_none());
    }

    #[test]
    fn set_alone_takes_a_time_to_live() {
        let spelling = Spelling { expires: true, ..Spelling::default() };
        assert_eq!(spelling.apply(named("set").unwrap()), Template::new(&["SET", "key:__rand_int__", DATA, "EX", TTL]));
        assert_eq!(spelling.apply(named("incr").unwrap()), Template::new(&["INCR", "counter:__rand_int__"]));
    }
}
