//! Removing what a run wrote, and asking the server which arguments of a request are keys.
//!
//! Keys go by `UNLINK`, which leaves the freeing of their memory to a thread of the server, and by name: nothing here
//! empties a database. Which keys there are to remove is for `workload::written` to say.

use super::reply;
use redis::aio::MultiplexedConnection;
use redis::{Pipeline, Value};
use std::collections::HashMap;
use std::time::Duration;
use thiserror::Error;
use tokio::time::timeout;

/// Keys in one UNLINK: enough to make the round trip cheap, and too few to hold up other clients.
const KEYS_PER_COMMAND: usize = 1000;
/// Commands that are under way at a time.
const COMMANDS_PER_TRIP: usize = 4;
/// Longer words are no names of subcommands, but what a request carries.
const SUBCOMMAND_BYTES_MAX: usize = 32;

/// A server that would not be cleaned up, or not to the end.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("cannot remove the keys of this run ({removed} are removed): {reason}; remove them yourself, or try again")]
pub struct CleanupError {
    /// Keys that were removed before.
    pub removed: u64,
    /// The server's words, or what became of the connection.
    pub reason: String,
}

/// Removes `keys` from the database of `connection`, and says how many of them were there. Each round trip has to end
/// within `patience`. For a node of a cluster see [`unlink_matching`]: here keys of many slots share a command.
///
/// # Errors
/// [`CleanupError`] when the server refuses, or when no reply comes in time.
pub async fn unlink(
    connection: &mut MultiplexedConnection,
    keys: impl Iterator<Item = Vec<u8>>,
    patience: Duration,
) -> Result<u64, CleanupError> {
    let mut removed = 0;
    let mut keys = keys.peekable();
    while keys.peek().is_some() {
        let mut pipe = redis::pipe();
        for _ in 0..COMMANDS_PER_TRIP {
            if keys.peek().is_none() {
                break;
            }
            let command = pipe.cmd("UNLINK");
            keys.by_ref().take(KEYS_PER_COMMAND).for_each(|key| {
                command.arg(key);
            });
        }
        removed = count_removed(connection, pipe, removed, patience).await?;
    }
    Ok(removed)
}

/// Removes the keys for which `is_ours` holds among those that match the glob `pattern`, one key in a command, as a node
/// of a cluster wants it, and says how many they were. It visits every key of the database to find them. Each round trip
/// has to end within `patience`.
///
/// # Errors
/// [`CleanupError`] when the server refuses, or when no reply comes in time.
pub async fn unlink_matching(
    connection: &mut MultiplexedConnection,
    pattern: &[u8],
    is_ours: impl Fn(&[u8]) -> bool,
    patience: Duration,
) -> Result<u64, CleanupError> {
    let (mut removed, mut cursor) = (0, b"0".to_vec());
    loop {
        let mut pipe = redis::pipe();
        pipe.cmd("SCAN").arg(&cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(KEYS_PER_COMMAND);
        let failed = |reason| CleanupError { removed, reason };
        let reply = ask(connection, pipe, patience).await.map_err(failed)?.pop().unwrap_or(Value::Nil);
        let (next, keys) = reply::expect(reply, page).map_err(failed)?;
        let mut pipe = redis::pipe();
        for key in keys.iter().filter(|key| is_ours(key)) {
            pipe.cmd("UNLINK").arg(key);
        }
        if !pipe.is_empty() {
            removed = count_removed(connection, pipe, removed, patience).await?;
        }
        if next == b"0" {
            return Ok(removed);
        }
        cursor = next;
    }
}

/// The reply to SCAN: the cursor to go on with, and keys.
fn page(reply: &Value) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
    let [cursor, keys] = reply::elements(reply)? else { return None };
    let keys = reply::elements(keys)?.iter().filter_map(reply::bytes).map(<[u8]>::to_vec).collect();
    Some((reply::bytes(cursor)?.to_vec(), keys))
}

/// `removed`, and what the commands in `pipe` removed.
async fn count_removed(
    connection: &mut MultiplexedConnection,
    pipe: Pipeline,
    mut removed: u64,
    patience: Duration,
) -> Result<u64, CleanupError> {
    let replies = ask(connection, pipe, patience).await.map_err(|reason| CleanupError { removed, reason })?;
    let mut refused = None;
    for reply in replies {
        match reply::expect(reply, reply::number) {
            Ok(number) => removed += number,
            Err(reason) => refused = Some(reason),
        }
    }
    // Told after the count, which the other commands of the same trip have raised.
    refused.map_or(Ok(removed), |reason| Err(CleanupError { removed, reason }))
}

/// What a server says of a request: how much of it are keys, and whether it writes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyFacts {
    /// Places of the arguments that are keys, in their order; the name of the command has place 0.
    pub places: Vec<usize>,
    pub writes: bool,
    /// The places of those keys that it may write. None when the server does not tell them from keys that are read.
    pub written: Option<Vec<usize>>,
}

/// Commands that may write without being known as such: what a script does shows when it runs. `EVAL_RO` and the like
/// only read.
const SCRIPTS: [&str; 3] = ["eval", "evalsha", "fcall"];

/// Commands that write every one of their keys. Of others with several keys only Redis 7 tells which they write.
const WRITERS: [&str; 16] = [
    "mset",
    "msetnx",
    "del",
    "unlink",
    "rename",
    "renamenx",
    "rpoplpush",
    "brpoplpush",
    "lmove",
    "blmove",
    "smove",
    "blpop",
    "brpop",
    "bzpopmin",
    "bzpopmax",
    "touch",
];

/// Asks the server what it makes of each of `requests`, in one round trip, which has to end within `patience`.
///
/// The server replies with keys and not with places, so arguments that are not equal when sent should not be equal here:
/// see `workload::written::told_apart`.
///
/// # Errors
/// For each request why it is not known: the server's words when it knows no such command, when the request is malformed,
/// or when it does not let us ask.
pub async fn key_arguments(
    connection: &mut MultiplexedConnection,
    requests: &[Vec<Vec<u8>>],
    patience: Duration,
) -> Vec<Result<KeyFacts, String>> {
    // A sequence may repeat one request ten thousand times.
    let mut distinct: Vec<&Vec<Vec<u8>>> = Vec::new();
    let mut index_of = HashMap::new();
    for request in requests {
        index_of.entry(request).or_insert_with(|| {
            distinct.push(request);
            distinct.len() - 1
        });
    }
    let mut pipe = redis::pipe();
    for request in &distinct {
        let getkeys = pipe.cmd("COMMAND").arg("GETKEYS");
        request.iter().for_each(|argument| {
            getkeys.arg(argument);
        });
        let flagged = pipe.cmd("COMMAND").arg("GETKEYSANDFLAGS");
        request.iter().for_each(|argument| {
            flagged.arg(argument);
        });
        let info = pipe.cmd("COMMAND").arg("INFO").arg(request.first().map_or(&b""[..], Vec::as_slice));
        if let Some(name) = subcommand(request) {
            info.arg(name);
        }
    }
    if distinct.is_empty() {
        return Vec::new();
    }
    let facts: Vec<Result<KeyFacts, String>> = match ask(connection, pipe, patience).await {
        Err(reason) => vec![Err(format!("cannot ask the server which arguments are keys: {reason}")); distinct.len()],
        Ok(replies) => {
            let mut replies = replies.into_iter();
            let mut next = || replies.next().unwrap_or(Value::Nil);
            distinct.iter().map(|request| facts_of(request, next(), next(), next())).collect()
        }
    };
    requests.iter().map(|request| facts[index_of[request]].clone()).collect()
}

/// `xgroup|create`, when the first argument may be the name of a subcommand.
fn subcommand(request: &[Vec<u8>]) -> Option<Vec<u8>> {
    let [name, word, ..] = request else { return None };
    let fits = !word.is_empty() && word.len() <= SUBCOMMAND_BYTES_MAX;
    let is_word = word.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'-');
    (fits && is_word).then(|| [name.as_slice(), b"|", word].concat())
}

fn facts_of(request: &[Vec<u8>], keys: Value, flagged: Value, info: Value) -> Result<KeyFacts, String> {
    let told = |reason: String| {
        let name = String::from_utf8_lossy(request.first().map_or(&b""[..], Vec::as_slice));
        format!("the server does not say which arguments of '{name}' are keys: {reason}")
    };
    // One entry for each name; a name that means nothing to the server is nil.
    let entries = reply::expect(info, |reply| reply::elements(reply).map(<[Value]>::to_vec)).map_err(told)?;
    // A subcommand knows better than the command that it is of.
    let Some(flags) = entries.iter().rev().find_map(flags) else {
        return Err(told("it knows no such command".to_owned()));
    };
    let is_one_of = |names: &[&str]| names.iter().any(|name| request[0].eq_ignore_ascii_case(name.as_bytes()));
    let writes = flags.iter().any(|flag| flag == "write") || is_one_of(&SCRIPTS);
    let without_keys = || KeyFacts { places: Vec::new(), writes, written: Some(Vec::new()) };
    // COMMAND GETKEYS wants an argument to look at.
    if request.len() < 2 {
        return Ok(without_keys());
    }
    let places = match reply::expect(keys, names) {
        Ok(keys) => places(request, keys),
        Err(reason) if reason.contains("no key arguments") => return Ok(without_keys()),
        Err(reason) => return Err(told(reason)),
    };
    let written = match reply::expect(flagged, with_access) {
        _ if !writes => Some(Vec::new()),
        Ok(keys) => Some(places_written(request, keys)),
        Err(_) if places.len() < 2 || is_one_of(&WRITERS) || is_one_of(&SCRIPTS) => Some(places.clone()),
        Err(_) => None,
    };
    Ok(KeyFacts { places, writes, written })
}

/// Keys, and whether each is more than read.
fn with_access(reply: &Value) -> Option<Vec<(Vec<u8>, bool)>> {
    let key = |entry: &Value| {
        let [key, flags] = reply::elements(entry)? else { return None };
        let only_read = reply::elements(flags)?.iter().filter_map(reply::text).any(|flag| flag == "RO");
        Some((reply::bytes(key)?.to_vec(), !only_read))
    };
    reply::elements(reply)?.iter().map(key).collect()
}

/// The flags of one entry of COMMAND INFO, which holds the name, the arity and the flags first.
fn flags(entry: &Value) -> Option<Vec<String>> {
    let [_, _, flags, ..] = reply::elements(entry)? else { return None };
    Some(reply::elements(flags)?.iter().filter_map(reply::text).collect())
}

fn names(reply: &Value) -> Option<Vec<Vec<u8>>> {
    Some(reply::elements(reply)?.iter().filter_map(reply::bytes).map(<[u8]>::to_vec).collect())
}

/// Where in `request` the `keys` stand: each at the first place with its bytes that no other key has taken.
fn places(request: &[Vec<u8>], keys: Vec<Vec<u8>>) -> Vec<usize> {
    places_written(request, keys.into_iter().map(|key| (key, true)).collect())
}

/// The places of those `keys` that are marked.
fn places_written(request: &[Vec<u8>], keys: Vec<(Vec<u8>, bool)>) -> Vec<usize> {
    let (mut taken, mut marked): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
    for (key, is_marked) in keys {
        let place = (1..request.len()).find(|place| request[*place] == key && !taken.contains(place));
        taken.extend(place);
        marked.extend(place.filter(|_| is_marked));
    }
    marked.sort_unstable();
    marked
}

async fn ask(
    connection: &mut MultiplexedConnection,
    mut pipe: Pipeline,
    patience: Duration,
) -> Result<Vec<Value>, String> {
    match timeout(patience, pipe.ignore_errors().query_async::<Vec<Value>>(connection)).await {
        Ok(Ok(replies)) => Ok(replies),
        Ok(Err(error)) => Err(reply::broken(&error)),
        Err(_) => Err(format!("no reply within {} s", patience.as_secs_f64())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &str) -> Vec<Vec<u8>> {
        line.split(' ').map(|word| word.as_bytes().to_vec()).collect()
    }

    #[test]
    fn a_key_is_at_the_first_place_that_no_other_key_has_taken() {
        for (line, keys, expected) in [
            ("set a a", "a", vec![1]),
            ("mset a 1 b 2", "a b", vec![1, 3]),
            ("get get", "get", vec![1]),
            ("zunionstore d 2 a a", "a a d", vec![1, 3, 4]),
            ("eval x 0 y", "z", vec![]),
        ] {
            assert_eq!(places(&request(line), request(keys)), expected, "{line}");
        }
    }

    #[test]
    fn only_a_word_may_be_a_subcommand() {
        assert_eq!(subcommand(&request("xgroup CREATE s g $")).as_deref(), Some(&b"xgroup|CREATE"[..]));
        assert_eq!(subcommand(&request("get key:1")), None);
        assert_eq!(subcommand(&request("ping")), None);
    }
}
