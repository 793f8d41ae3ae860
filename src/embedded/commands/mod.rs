//! The commands: one registry, from which a request finds its function. A new command is a function and a line here.

mod connection;
mod hashes;
mod keys;
mod lists;
mod server;
mod sets;
mod sorted_sets;
mod streams;
mod strings;
mod transactions;

use super::arguments::Arguments;
use super::database::Database;
use super::failure::{Failure, printable};
use super::reply::Reply;
use super::state::{Request, State};
use Effect::{Control, Read, Write};
use Keys::{All, EverySecond, First, Nothing};

/// One request on its way to its reply.
pub struct Call<'a> {
    pub arguments: Arguments<'a>,
    pub reply: Reply<'a>,
    pub state: &'a mut State,
    pub client: usize,
}

impl Call<'_> {
    #[inline]
    fn database(&mut self) -> &mut Database {
        self.state.database(self.client)
    }
}

/// What a command leaves behind: its reply written, or the error to write in its place.
pub type Outcome = Result<(), Failure>;

pub struct Command {
    /// In lower case.
    pub name: &'static str,
    /// How many arguments it takes, its name included; when negative, at least so many.
    pub arity: i32,
    effect: Effect,
    keys: Keys,
    run: fn(&mut Call) -> Outcome,
}

#[derive(PartialEq)]
enum Effect {
    Read,
    Write,
    /// Acts at once, even between MULTI and EXEC.
    Control,
}

/// Which of the arguments are keys.
enum Keys {
    Nothing,
    First,
    All,
    EverySecond,
}

impl Command {
    /// Whether it belongs to getting in and to looking around, and is nobody's load: no server is told to be slow there.
    pub fn is_housekeeping(&self) -> bool {
        ["auth", "client", "command", "config", "dbsize", "hello", "info", "scan", "select"].contains(&self.name)
    }

    fn takes(&self, count: usize) -> bool {
        let least = self.arity.unsigned_abs() as usize;
        if self.arity < 0 { count >= least } else { count == least }
    }

    /// Where its keys are: the first place, the last (counted from the end when negative), and the step between them.
    fn key_places(&self) -> (i64, i64, i64) {
        match self.keys {
            Nothing => (0, 0, 0),
            First => (1, 1, 1),
            All => (1, -1, 1),
            EverySecond => (1, -1, 2),
        }
    }

    fn has_key(&self, arguments: Arguments, key: &[u8]) -> bool {
        match self.keys {
            // Such as FLUSHALL, which may change any key.
            Nothing => true,
            First => arguments.at(1) == key,
            All => arguments.from(1).any(|argument| argument == key),
            EverySecond => arguments.from(1).step_by(2).any(|argument| argument == key),
        }
    }
}

const fn command(name: &'static str, arity: i32, effect: Effect, keys: Keys, run: fn(&mut Call) -> Outcome) -> Command {
    Command { name, arity, effect, keys, run }
}

/// Every command, in the order of the files that hold them.
#[rustfmt::skip]
pub static REGISTRY: &[Command] = &[
    command("ping",          -1, Read,    Nothing,     connection::ping),
    command("echo",           2, Read,    Nothing,     connection::echo),
    command("quit",          -1, Control, Nothing,     connection::quit),
    command("reset",          1, Control, Nothing,     connection::reset),
    command("auth",          -2, Read,    Nothing,     connection::auth),
    command("hello",         -1, Read,    Nothing,     connection::hello),
    command("select",         2, Read,    Nothing,     connection::select),
    command("client",        -2, Read,    Nothing,     connection::client),

    command("multi",          1, Control, Nothing,     transactions::multi),
    command("exec",           1, Control, Nothing,     transactions::exec),
    command("discard",        1, Control, Nothing,     transactions::discard),
    command("watch",         -2, Control, All,         transactions::watch),
    command("unwatch",        1, Read,    Nothing,     transactions::unwatch),

    command("config",        -2, Read,    Nothing,     server::config),
    command("info",          -1, Read,    Nothing,     server::info),
    command("command",       -1, Read,    Nothing,     server::command),
    command("dbsize",         1, Read,    Nothing,     server::dbsize),
    command("flushdb",       -1, Write,   Nothing,     server::flushdb),
    command("flushall",      -1, Write,   Nothing,     server::flushall),
    command("wait",           3, Read,    Nothing,     server::wait),
    command("time",           1, Read,    Nothing,     server::time),
    command("debug",         -2, Read,    Nothing,     server::debug),

    command("del",           -2, Write,   All,         keys::del),
    command("unlink",        -2, Write,   All,         keys::del),
    command("exists",        -2, Read,    All,         keys::exists),
    command("type",           2, Read,    First,       keys::kind),
    command("keys",           2, Read,    Nothing,     keys::keys),
    command("scan",          -2, Read,    Nothing,     keys::scan),
    command("randomkey",      1, Read,    Nothing,     keys::randomkey),
    command("expire",        -3, Write,   First,       keys::expire),
    command("pexpire",       -3, Write,   First,       keys::pexpire),
    command("ttl",            2, Read,    First,       keys::ttl),
    command("pttl",           2, Read,    First,       keys::pttl),
    command("persist",        2, Write,   First,       keys::persist),

    command("get",            2, Read,    First,       strings::get),
    command("set",           -3, Write,   First,       strings::set),
    command("setex",          4, Write,   First,       strings::setex),
    command("psetex",         4, Write,   First,       strings::psetex),
    command("setnx",          3, Write,   First,       strings::setnx),
    command("getset",         3, Write,   First,       strings::getset),
    command("getdel",         2, Write,   First,       strings::getdel),
    command("append",         3, Write,   First,       strings::append),
    command("strlen",         2, Read,    First,       strings::strlen),
    command("getrange",       4, Read,    First,       strings::getrange),
    command("setrange",       4, Write,   First,       strings::setrange),
    command("incr",           2, Write,   First,       strings::incr),
    command("decr",           2, Write,   First,       strings::decr),
    command("incrby",         3, Write,   First,       strings::incrby),
    command("decrby",         3, Write,   First,       strings::decrby),
    command("incrbyfloat",    3, Write,   First,       strings::incrbyfloat),
    command("mget",          -2, Read,    All,         strings::mget),
    command("mset",          -3, Write,   EverySecond, strings::mset),

    command("lpush",         -3, Write,   First,       lists::lpush),
    command("rpush",         -3, Write,   First,       lists::rpush),
    command("lpop",          -2, Write,   First,       lists::lpop),
    command("rpop",          -2, Write,   First,       lists::rpop),
    command("llen",           2, Read,    First,       lists::llen),
    command("lrange",         4, Read,    First,       lists::lrange),
    command("lindex",         3, Read,    First,       lists::lindex),
    command("ltrim",          4, Write,   First,       lists::ltrim),

    command("sadd",          -3, Write,   First,       sets::sadd),
    command("srem",          -3, Write,   First,       sets::srem),
    command("spop",          -2, Write,   First,       sets::spop),
    command("srandmember",   -2, Read,    First,       sets::srandmember),
    command("scard",          2, Read,    First,       sets::scard),
    command("sismember",      3, Read,    First,       sets::sismember),
    command("smembers",       2, Read,    First,       sets::smembers),

    command("hset",          -4, Write,   First,       hashes::hset),
    command("hget",           3, Read,    First,       hashes::hget),
    command("hmget",         -3, Read,    First,       hashes::hmget),
    command("hgetall",        2, Read,    First,       hashes::hgetall),
    command("hdel",          -3, Write,   First,       hashes::hdel),
    command("hlen",           2, Read,    First,       hashes::hlen),
    command("hexists",        3, Read,    First,       hashes::hexists),
    command("hincrby",        4, Write,   First,       hashes::hincrby),

    command("zadd",          -4, Write,   First,       sorted_sets::zadd),
    command("zincrby",        4, Write,   First,       sorted_sets::zincrby),
    command("zrem",          -3, Write,   First,       sorted_sets::zrem),
    command("zpopmin",       -2, Write,   First,       sorted_sets::zpopmin),
    command("zpopmax",       -2, Write,   First,       sorted_sets::zpopmax),
    command("zcard",          2, Read,    First,       sorted_sets::zcard),
    command("zscore",         3, Read,    First,       sorted_sets::zscore),
    command("zrank",          3, Read,    First,       sorted_sets::zrank),
    command("zrange",        -4, Read,    First,       sorted_sets::zrange),

    command("xadd",          -5, Write,   First,       streams::xadd),
    command("xlen",           2, Read,    First,       streams::xlen),
    command("xrange",        -4, Read,    First,       streams::xrange),
];

const NAME_BYTES_MAX: usize = 16;
const SLOTS: usize = 512;

/// Finds commands by name, in whatever case: a table of open addressing, filled once.
pub struct Names(Vec<Option<(u128, u16)>>);

impl Default for Names {
    fn default() -> Names {
        let mut slots = vec![None; SLOTS];
        for (index, command) in REGISTRY.iter().enumerate() {
            let name = folded(command.name.as_bytes()).expect("a command's name is short");
            let mut slot = home(name);
            while slots[slot].is_some() {
                slot = (slot + 1) % SLOTS;
            }
            slots[slot] = Some((name, index as u16));
        }
        Names(slots)
    }
}

impl Names {
    /// The place in the registry of the command called `name`.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<usize> {
        let name = folded(name)?;
        let mut slot = home(name);
        while let Some((taken, index)) = self.0[slot] {
            if taken == name {
                return Some(usize::from(index));
            }
            slot = (slot + 1) % SLOTS;
        }
        None
    }
}

/// A name in lower case as one number. A zero byte would be lost in it, and is in no command's name.
#[inline]
fn folded(name: &[u8]) -> Option<u128> {
    let mut bytes = [0; NAME_BYTES_MAX];
    bytes.get_mut(..name.len())?.copy_from_slice(name);
    bytes.make_ascii_lowercase();
    (name.last() != Some(&0)).then_some(u128::from_le_bytes(bytes))
}

#[inline]
fn home(name: u128) -> usize {
    let half = (name as u64) ^ ((name >> 64) as u64).rotate_left(29);
    (half.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 55) as usize % SLOTS
}

/// Executes one request of `client`, or puts it aside for EXEC, and appends its reply to `out`.
#[inline]
pub fn dispatch(state: &mut State, client: usize, arguments: Arguments, out: &mut Vec<u8>) {
    let Some(index) = state.names.find(arguments.at(0)) else {
        return refuse(state, client, unknown(arguments), out);
    };
    let command = &REGISTRY[index];
    if !command.takes(arguments.len()) {
        state.stats.commands[index].rejected += 1;
        return refuse(state, client, Failure::arity(command.name), out);
    }
    let now_us = state.now_us;
    let session = state.session(client);
    session.active_us = now_us;
    session.command = index;
    if let Some(transaction) = &mut session.transaction
        && command.effect != Control
    {
        transaction.requests.push(Request::new(index, arguments));
        out.extend_from_slice(b"+QUEUED\r\n");
        return;
    }
    execute(state, client, index, arguments, out);
}

/// Executes the command at `index` of the registry, whose arity `arguments` have, and appends its reply to `out`.
#[inline]
fn execute(state: &mut State, client: usize, index: usize, arguments: Arguments, out: &mut Vec<u8>) {
    let command = &REGISTRY[index];
    let start = out.len();
    let protocol = state.session(client).protocol;
    state.stats.commands[index].calls += 1;
    let outcome = (command.run)(&mut Call { arguments, reply: Reply { out, protocol }, state, client });
    if let Err(Failure(text)) = outcome {
        state.stats.commands[index].failed += 1;
        out.truncate(start);
        Reply { out, protocol }.error(&text);
    } else if command.effect == Write && !state.watches.is_empty() {
        let database = state.session(client).database;
        state.touch(|watch| watch.database == database && command.has_key(arguments, &watch.key));
    }
    state.stats.output_bytes += (out.len() - start) as u64;
}

/// Answers one request with an error that has nothing to do with it.
pub fn fail(state: &mut State, client: usize, arguments: Arguments, text: String, out: &mut Vec<u8>) {
    if let Some(index) = state.names.find(arguments.at(0)) {
        state.stats.commands[index].rejected += 1;
    }
    refuse(state, client, text.into(), out);
}

/// Whether the request is for the data. Those that nobody knows are not: they are refused at once.
pub fn is_for_data(state: &State, arguments: Arguments) -> bool {
    state.names.find(arguments.at(0)).is_some_and(|index| !REGISTRY[index].is_housekeeping())
}

#[cold]
fn refuse(state: &mut State, client: usize, Failure(text): Failure, out: &mut Vec<u8>) {
    let session = state.session(client);
    if let Some(transaction) = &mut session.transaction {
        transaction.refused = true;
    }
    Reply { out, protocol: session.protocol }.error(&text);
}

fn unknown(arguments: Arguments) -> Failure {
    let mut text = format!("ERR unknown command '{}', with args beginning with: ", printable(arguments.at(0)));
    for argument in arguments.from(1) {
        // redis-server quotes as many arguments as begin within 128 bytes.
        if text.len() >= 128 {
            break;
        }
        text.push_str(&format!("'{}' ", printable(argument)));
    }
    text.into()
}

/// Whether `text` matches a pattern of `*`, `?` and bytes that stand for themselves.
pub fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where the last star stood, and how much of the text it has swallowed so far.
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, swallowed)) = star else { return false };
                star = Some((at, swallowed + 1));
                p = at + 1;
                t = swallowed + 1;
            }
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_found_by_its_name_in_any_case() {
        let names = Names::default();
        for (index, command) in REGISTRY.iter().enumerate() {
            assert_eq!(names.find(command.name.as_bytes()), Some(index));
            assert_eq!(names.find(command.name.to_ascii_uppercase().as_bytes()), Some(index));
        }
        for other in ["", "ge", "gett", "get\0", "a name of more than sixteen bytes"] {
            assert_eq!(names.find(other.as_bytes()), None, "{other:?}");
        }
    }

    /// Every command survives the fewest arguments that it takes, whatever they are.
    #[test]
    fn no_command_reaches_beyond_its_arguments() {
        let mut state = State::new("127.0.0.1:1".parse().unwrap());
        state.open_session(0, "127.0.0.1:2".parse().unwrap());
        for filler in ["0", "1", "x"] {
            for command in REGISTRY {
                for count in command.arity.unsigned_abs()..command.arity.unsigned_abs() + 3 {
                    let mut bytes = command.name.as_bytes().to_vec();
                    let mut ranges = vec![0..bytes.len(); 1];
                    for _ in 1..count {
                        ranges.push(bytes.len()..bytes.len() + filler.len());
                        bytes.extend_from_slice(filler.as_bytes());
                    }
                    let mut out = Vec::new();
                    dispatch(&mut state, 0, Arguments::new(&bytes, &ranges), &mut out);
                    assert!(out.ends_with(b"\r\n"), "{}", command.name);
                    state.session(0).transaction = None;
                }
            }
        }
    }

    #[test]
    fn globs_match_as_in_a_shell() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*b*c", "axbxxbc", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("ab", "abc", false),
            ("*b", "abc", false),
            ("", "", true),
        ] {
            assert_eq!(glob(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }
}
