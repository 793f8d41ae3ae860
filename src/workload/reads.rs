//! What a reply to a read tells of the key: whether anything was there.

use super::template::Template;

/// Where in a reply it shows that a key was not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// The reply is null.
    Whole,
    /// Each element of the reply is one that was asked for, and null when it was not there.
    Elements,
    /// The reply is empty, or null.
    Emptiness,
}

/// Commands that read, by name. What also takes away, as a pop does, is none: that it found nothing is its own doing.
const READS: &[(Read, &[&str])] = &[
    (
        Read::Whole,
        &["GET", "GETEX", "HGET", "LINDEX", "SRANDMEMBER", "ZSCORE", "ZRANK", "ZREVRANK", "JSON.GET", "DUMP"],
    ),
    (Read::Elements, &["MGET", "HMGET", "ZMSCORE", "GEOPOS"]),
    (
        Read::Emptiness,
        &[
            "HGETALL",
            "HKEYS",
            "HVALS",
            "LRANGE",
            "SMEMBERS",
            "ZRANGE",
            "ZREVRANGE",
            "ZRANGEBYSCORE",
            "XRANGE",
            "GETRANGE",
        ],
    ),
];

impl Read {
    /// What kind of read `template` is, if it is one.
    pub fn of(template: &Template) -> Option<Read> {
        let name = template.name();
        READS.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(read, _)| *read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_known_by_name_whatever_their_case() {
        assert_eq!(Read::of(&Template::new(&["get", "k"])), Some(Read::Whole));
        assert_eq!(Read::of(&Template::new(&["MGET", "a", "b"])), Some(Read::Elements));
        assert_eq!(Read::of(&Template::new(&["lrange", "l", "0", "9"])), Some(Read::Emptiness));
        assert_eq!(Read::of(&Template::new(&["set", "k", "v"])), None);
        assert_eq!(Read::of(&Template::inline("PING")), None);
    }
}
