//! The rules: from what a run would do and what was seen to findings. Pure, one function for each thing to look at.
//!
//! The limits come from a stack of Redis, Sentinel and HAProxy that was watched while idle: seven clients and 13 to 19
//! commands a second are nobody at work.

use super::commandstats::data_calls;
use super::evidence::Evidence;
use super::info::Info;
use super::{Finding, Intent, Level};
use std::collections::BTreeMap;
use std::fmt;

/// Data commands of others per second above which a server is in use.
const FOREIGN_COMMANDS_PER_SEC_MAX: f64 = 10.0;
/// Clients of others above which a server is in use, however quiet they are.
const FOREIGN_CLIENTS_MAX: usize = 5;
/// The share of its memory that a server may have in use after the run.
const MEMORY_PERCENT_MAX: u64 = 70;
/// What a key takes beside its value: its name, and its places in the server's tables.
const KEY_OVERHEAD_BYTES: u64 = 90;

type Rule = fn(&Intent, &Evidence, &Info) -> Vec<Finding>;

const RULES: [Rule; 14] = [
    foreign_keys,
    foreign_commands,
    foreign_clients,
    memory,
    eviction,
    connections,
    loading,
    replica,
    link_down,
    failover,
    saving,
    production,
    replicas,
    not_checked,
];

/// What the rules have to say, the gravest first.
pub fn judge(intent: &Intent, evidence: &Evidence) -> Vec<Finding> {
    // Without INFO no field of it is known, and that is a finding of its own.
    let unknown = Info::default();
    let info = evidence.info.as_ref().unwrap_or(&unknown);
    let mut findings: Vec<Finding> = RULES.iter().flat_map(|rule| rule(intent, evidence, info)).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    findings
}

fn one(code: &str, level: Level, text: String) -> Vec<Finding> {
    vec![Finding::new(code, level, text)]
}

fn foreign_keys(intent: &Intent, evidence: &Evidence, _: &Info) -> Vec<Finding> {
    let Ok(sample) = &evidence.keys else { return Vec::new() };
    let is_ours = |key: &Vec<u8>| {
        let mut patterns = intent.own_key_patterns.iter().filter(|pattern| !pattern.is_empty());
        patterns.any(|pattern| key.starts_with(pattern.as_bytes()))
    };
    let sampled = sample.keys.len();
    let foreign = sample.keys.iter().filter(|key| !is_ours(key)).count();
    let all = evidence.key_count.as_ref().map_or(sampled as u64, |count| *count);
    if sampled == 0 && all > 0 {
        let text = format!(
            "could not check whose keys are in the database: there are {all}, and a look at some of them found none; look \
             yourself, or --guard off"
        );
        return one("not_checked", Level::Warn, text);
    }
    if foreign == 0 {
        return Vec::new();
    }
    let seen = if sample.whole {
        format!("{} in the database", count(foreign as u64, "key of another owner is", "keys of other owners are"))
    } else {
        format!("{foreign} of {sampled} sampled keys are of other owners, and {all} keys are in the database")
    };
    if intent.writes {
        let text = format!("{seen}; use --key-prefix or another database, or --guard off");
        one("foreign_keys", Level::Refuse, text)
    } else {
        one("foreign_keys", Level::Note, format!("{seen}; this run only reads and leaves them alone"))
    }
}

fn foreign_commands(_: &Intent, evidence: &Evidence, _: &Info) -> Vec<Finding> {
    let Some(Ok(commands)) = &evidence.commands else { return Vec::new() };
    let calls = data_calls(&commands.before, &commands.after);
    let rate = calls.iter().map(|(_, calls)| *calls).sum::<u64>() as f64 / commands.seconds.max(1e-3);
    if rate <= FOREIGN_COMMANDS_PER_SEC_MAX {
        return Vec::new();
    }
    let names: Vec<&str> = calls.iter().take(3).map(|(name, _)| name.as_str()).collect();
    let text = format!(
        "others send {rate:.0} data commands a second (most of them {}); wait until they are done, take another server, \
         or --guard off",
        names.join(", ")
    );
    one("foreign_commands", Level::Refuse, text)
}

fn foreign_clients(_: &Intent, evidence: &Evidence, _: &Info) -> Vec<Finding> {
    let foreign = evidence.foreign_clients().unwrap_or_default();
    if foreign.is_empty() {
        return Vec::new();
    }
    let level = if foreign.len() > FOREIGN_CLIENTS_MAX { Level::Refuse } else { Level::Warn };
    let mut commands = BTreeMap::<&str, usize>::new();
    for client in &foreign {
        *commands.entry(&client.command).or_default() += 1;
    }
    let mut commands: Vec<(&str, usize)> = commands.into_iter().collect();
    commands.sort_by_key(|(_, clients)| std::cmp::Reverse(*clients));
    let commands: Vec<&str> = commands.into_iter().take(3).map(|(command, _)| command).collect();
    let text = format!(
        "{} connected (last command: {}); is this the server you mean? end them, take another server, or --guard off",
        count(foreign.len() as u64, "client of another owner is", "clients of other owners are"),
        commands.join(", ")
    );
    one("foreign_clients", level, text)
}

fn memory(intent: &Intent, _: &Evidence, info: &Info) -> Vec<Finding> {
    let estimate = intent.keys.saturating_mul(intent.value_bytes.saturating_add(KEY_OVERHEAD_BYTES));
    let Some(used) = info.number("used_memory") else { return Vec::new() };
    let limit = match info.number("maxmemory") {
        None => return Vec::new(),
        Some(0) => info.number("total_system_memory").map(|bytes| (bytes, "memory of the machine")),
        Some(bytes) => Some((bytes, "maxmemory")),
    };
    // A machine that does not know its memory says 0.
    let Some((limit, name)) = limit.filter(|(bytes, _)| *bytes > 0) else { return Vec::new() };
    let after = u128::from(used) + u128::from(estimate);
    if !intent.writes || after * 100 <= u128::from(limit) * u128::from(MEMORY_PERCENT_MAX) {
        return Vec::new();
    }
    let text = format!(
        "this run may write {} ({} of {} bytes and {KEY_OVERHEAD_BYTES} more each) beside {} in use, over \
         {MEMORY_PERCENT_MAX} % of {} {name}; lower -r, -n or -d, or --guard off",
        Bytes(estimate),
        count(intent.keys, "key", "keys"),
        intent.value_bytes,
        Bytes(used),
        Bytes(limit)
    );
    one("memory", Level::Refuse, text)
}

fn eviction(intent: &Intent, _: &Evidence, info: &Info) -> Vec<Finding> {
    let Some(policy) = info.text("maxmemory_policy").filter(|policy| policy.starts_with("allkeys-")) else {
        return Vec::new();
    };
    let limit = info.number("maxmemory").unwrap_or(0);
    if !intent.writes || limit == 0 {
        return Vec::new();
    }
    let text = format!(
        "maxmemory-policy is {policy} at {}: what this run writes may push out keys of other owners; take another server, \
         or --guard off",
        Bytes(limit)
    );
    one("eviction", Level::Refuse, text)
}

fn connections(intent: &Intent, evidence: &Evidence, info: &Info) -> Vec<Finding> {
    let limit = info.number("maxclients").or(evidence.maxclients);
    let (Some(connected), Some(limit)) = (info.number("connected_clients"), limit) else { return Vec::new() };
    let more = intent.clients;
    if connected.saturating_add(u64::from(more)) <= limit {
        return Vec::new();
    }
    let text = format!("{connected} clients are connected, and {more} more would pass maxclients, {limit}; lower -c");
    one("maxclients", Level::Refuse, text)
}

fn loading(_: &Intent, _: &Evidence, info: &Info) -> Vec<Finding> {
    if !info.is_set("loading") {
        return Vec::new();
    }
    let done = info.text("loading_loaded_perc").map(|percent| format!(" ({percent} % done)")).unwrap_or_default();
    one("loading", Level::Refuse, format!("the server is loading its data{done}; wait until it is done"))
}

fn replica(intent: &Intent, _: &Evidence, info: &Info) -> Vec<Finding> {
    if info.text("role") != Some("slave") {
        return Vec::new();
    }
    let master = match (info.text("master_host"), info.text("master_port")) {
        (Some(host), Some(port)) => format!(" of {host}:{port}"),
        _ => String::new(),
    };
    if intent.writes {
        let text = format!("the server is a replica{master}, and this run writes; name the master, or use --sentinel");
        one("replica", Level::Refuse, text)
    } else if !intent.replica_expected {
        let text =
            format!("the server is a replica{master}: what it replies may be old, and it is not the master's speed");
        one("replica", Level::Note, text)
    } else {
        Vec::new()
    }
}

/// A replica that has lost its master replies what it once knew, or MASTERDOWN, and is busy with getting it back: no run
/// measures anything there.
fn link_down(_: &Intent, _: &Evidence, info: &Info) -> Vec<Finding> {
    if info.text("master_link_status") != Some("down") {
        return Vec::new();
    }
    let since = info.number("master_link_down_since_seconds");
    let since = since.map(|seconds| format!(" for {seconds} s")).unwrap_or_default();
    let text = format!("this replica has been without its master{since}; wait until master_link_status is up");
    one("link_down", Level::Refuse, text)
}

fn failover(_: &Intent, _: &Evidence, info: &Info) -> Vec<Finding> {
    match info.text("master_failover_state") {
        None | Some("no-failover") => Vec::new(),
        Some(state) => {
            let text = format!("a failover is under way ({state}); wait until it is over");
            one("failover", Level::Refuse, text)
        }
    }
}

fn saving(_: &Intent, _: &Evidence, info: &Info) -> Vec<Finding> {
    let forks = [("rdb_bgsave_in_progress", "saving a snapshot"), ("aof_rewrite_in_progress", "rewriting its log")];
    let under_way: Vec<&str> = forks.iter().filter(|(field, _)| info.is_set(field)).map(|(_, what)| *what).collect();
    if under_way.is_empty() {
        return Vec::new();
    }
    let text = format!(
        "the server is {}: latency suffers, and each page written meanwhile takes memory twice; wait until it is done",
        under_way.join(" and ")
    );
    one("saving", Level::Warn, text)
}

/// Signs that prove nothing alone. A name that says so is told aloud; of the others it takes two, and they are a note.
fn production(intent: &Intent, _: &Evidence, info: &Info) -> Vec<Finding> {
    let named = intent
        .server_name
        .split(|letter: char| !letter.is_ascii_alphabetic())
        .any(|word| ["prod", "production", "prd"].iter().any(|sign| word.eq_ignore_ascii_case(sign)));
    let mut signs = Vec::new();
    if named {
        signs.push("its name says so".to_owned());
    }
    if let Some(days) = info.number("uptime_in_seconds").map(|seconds| seconds / 86_400).filter(|days| *days > 0) {
        signs.push(format!("up for {}", count(days, "day", "days")));
    }
    if info.is_set("aof_enabled") {
        signs.push("it keeps an append-only file".to_owned());
    }
    if intent.user.as_deref().is_some_and(|user| user != "default") {
        signs.push("it has users of its own".to_owned());
    }
    if !named && signs.len() < 2 {
        return Vec::new();
    }
    let text = format!("this may be a production server ({}); is it the one you mean?", signs.join(", "));
    one("production", if named { Level::Warn } else { Level::Note }, text)
}

fn replicas(intent: &Intent, _: &Evidence, info: &Info) -> Vec<Finding> {
    let attached = info.number("connected_slaves").unwrap_or(0);
    if !intent.writes || attached == 0 {
        return Vec::new();
    }
    let text = format!("every write goes on to {}", count(attached, "replica", "replicas"));
    one("replicas", Level::Note, text)
}

/// What was not seen is no pass. One reason for several things is told once.
fn not_checked(_: &Intent, evidence: &Evidence, _: &Info) -> Vec<Finding> {
    let refused = [
        ("its memory, role and state", "INFO", evidence.info.as_ref().err()),
        ("who else is connected", "CLIENT LIST", evidence.clients.as_ref().and_then(|list| list.as_ref().err())),
        ("what others do", "INFO commandstats", evidence.commands.as_ref().and_then(|seen| seen.as_ref().err())),
        ("how many keys there are", "DBSIZE", evidence.key_count.as_ref().err()),
        ("whose keys there are", "SCAN", evidence.keys.as_ref().err()),
    ];
    let mut by_reason: Vec<(&str, Vec<&str>, Vec<&str>)> = Vec::new();
    for (what, command, reason) in refused {
        let Some(reason) = reason else { continue };
        match by_reason.iter_mut().find(|(known, ..)| known == reason) {
            Some((_, things, commands)) => {
                things.push(what);
                commands.push(command);
            }
            None => by_reason.push((reason, vec![what], vec![command])),
        }
    }
    let told = by_reason.into_iter().map(|(reason, things, commands)| {
        let (things, commands) = (things.join(", "), commands.join(", "));
        let text = format!("could not check {things} ({commands}: {reason}); allow it and try again, or --guard off");
        Finding::new("not_checked", Level::Warn, text)
    });
    told.collect()
}

fn count(number: u64, singular: &str, plural: &str) -> String {
    format!("{number} {}", if number == 1 { singular } else { plural })
}

/// A number of bytes as people read it, with three digits or so.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut number, mut unit) = (self.0 as f64, "bytes");
        for larger in ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] {
            if number < 1024.0 {
                break;
            }
            (number, unit) = (number / 1024.0, larger);
        }
        let digits = if unit != "bytes" && number < 10.0 { 1 } else { 0 };
        write!(f, "{number:.digits$} {unit}")
    }
}
