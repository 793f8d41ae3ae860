//! Every rule, held against a stack that is idle but for the one thing that it is about.

use super::info::Info;
use super::rules::judge;
use super::*;

/// INFO of the master of an idle stack, as redis-server 7.0 tells it.
const INFO: &str = "\
# Server\r
redis_version:7.0.15\r
uptime_in_seconds:600\r
\r
# Clients\r
connected_clients:7\r
maxclients:10000\r
\r
# Memory\r
used_memory:2097152\r
total_system_memory:1073741824\r
maxmemory:0\r
maxmemory_policy:noeviction\r
\r
# Persistence\r
loading:0\r
rdb_bgsave_in_progress:0\r
aof_enabled:0\r
aof_rewrite_in_progress:0\r
\r
# Stats\r
instantaneous_ops_per_sec:16\r
\r
# Replication\r
role:master\r
connected_slaves:2\r
slave0:ip=127.0.73.11,port=7300,state=online,offset=81213,lag=1\r
slave1:ip=127.0.73.12,port=7300,state=online,offset=81213,lag=0\r
master_failover_state:no-failover\r
";

/// Two proxies that check, three sentinels with two connections each, two replicas, and we.
fn idle_clients() -> String {
    let client = |id: u32, address: &str, name: &str, flags: &str, command: &str| {
        format!(
            "id={id} addr={address} laddr=127.0.73.10:7300 fd={id} name={name} age=613 idle=0 flags={flags} db=0 sub=0 \
             psub=0 ssub=0 multi=-1 qbuf=0 qbuf-free=20474 argv-mem=0 multi-mem=0 rbs=1024 rbp=0 obl=0 oll=0 omem=0 \
             tot-mem=22400 events=r cmd={command} user=default redir=-1 resp=2\n"
        )
    };
    [
        client(8, "127.0.73.11:40173", "", "S", "replconf"),
        client(9, "127.0.73.12:38021", "", "S", "replconf"),
        client(11, "127.0.73.10:36711", "sentinel-4f1c0b52-cmd", "N", "publish"),
        client(12, "127.0.73.10:36713", "sentinel-4f1c0b52-pubsub", "P", "subscribe"),
        client(13, "127.0.73.11:36719", "sentinel-91d2a7e0-cmd", "N", "ping"),
        client(14, "127.0.73.11:36721", "sentinel-91d2a7e0-pubsub", "P", "subscribe"),
        client(15, "127.0.73.12:36727", "sentinel-c03e88fa-cmd", "N", "info"),
        client(16, "127.0.73.12:36729", "sentinel-c03e88fa-pubsub", "P", "subscribe"),
        client(2041, "127.0.73.20:51512", "", "N", "info"),
        client(2043, "127.0.73.21:51530", "", "N", "info"),
        client(2044, "127.0.73.21:51533", "", "N", "NULL").replace("age=613", "age=0"),
        client(2050, "127.0.73.77:45987", "", "N", "client|list"),
    ]
    .concat()
}

fn application(id: u32) -> String {
    format!("id={id} addr=10.0.0.5:{id} laddr=127.0.73.10:7300 fd=30 name= age=90 idle=40 flags=N db=0 cmd=get\n")
}

fn commandstats(info: u64, get: u64) -> String {
    let line = |name: &str, calls| format!("cmdstat_{name}:calls={calls},usec=1,usec_per_call=1.00\r\n");
    format!("# Commandstats\r\n{}{}{}", line("info", info), line("publish", info / 5), line("get", get))
}

fn idle() -> Evidence {
    Evidence {
        info: Ok(Info::parse(INFO)),
        clients: Some(Ok(idle_clients())),
        own_ids: vec![2050],
        own_addresses: Vec::new(),
        commands: Some(Ok(Commands { before: commandstats(9000, 50), after: commandstats(9016, 50), seconds: 1.0 })),
        key_count: Ok(0),
        keys: Ok(KeySample { keys: Vec::new(), whole: true }),
        maxclients: None,
    }
}

fn writing() -> Intent {
    Intent {
        writes: true,
        clients: 50,
        keys: 100_000,
        value_bytes: 3,
        own_key_patterns: vec!["key:".into(), "mylist".into(), String::new()],
        replica_expected: false,
        server_name: "redis.product-search.svc:6379".into(),
        user: None,
    }
}

fn reading() -> Intent {
    Intent { writes: false, keys: 0, ..writing() }
}

/// The idle stack with fields of INFO changed.
fn with(fields: &[(&str, &str)]) -> Evidence {
    let more: String = fields.iter().map(|(name, value)| format!("{name}:{value}\r\n")).collect();
    Evidence { info: Ok(Info::parse(&format!("{INFO}{more}"))), ..idle() }
}

fn without(field: &str) -> Evidence {
    let lines = INFO.lines().filter(|line| !line.starts_with(&format!("{field}:")));
    Evidence { info: Ok(Info::parse(&lines.collect::<Vec<_>>().join("\n"))), ..idle() }
}

fn holding(keys: &[&str], count: u64, whole: bool) -> Evidence {
    let keys = keys.iter().map(|key| key.as_bytes().to_vec()).collect();
    Evidence { key_count: Ok(count), keys: Ok(KeySample { keys, whole }), ..idle() }
}

fn at_work(calls: u64, seconds: f64) -> Evidence {
    let commands = Commands { before: commandstats(9000, 50), after: commandstats(9016, 50 + calls), seconds };
    Evidence { commands: Some(Ok(commands)), ..idle() }
}

fn beside(clients: u32) -> Evidence {
    let applications: String = (1..=clients).map(|client| application(3000 + client)).collect();
    Evidence { clients: Some(Ok(idle_clients() + &applications)), ..idle() }
}

/// What is found, but for the note that a master with replicas always gets when it is written to.
fn found(intent: &Intent, evidence: &Evidence) -> Vec<Finding> {
    judge(intent, evidence).into_iter().filter(|finding| finding.code != "replicas").collect()
}

#[test]
fn an_idle_stack_is_no_reason_to_hold_back() {
    let findings = judge(&writing(), &idle());
    assert_eq!(findings, [Finding::new("replicas", Level::Note, "every write goes on to 2 replicas")]);
    assert_eq!(judge(&reading(), &idle()), []);
    assert_eq!(judge(&writing(), &with(&[("connected_slaves", "0")])), []);
}

/// What it is about, what would be done, what was seen, and what is to be found: code, level, and some of the words.
type Case = (&'static str, Intent, Evidence, Option<(&'static str, Level, &'static str)>);

#[test]
fn each_rule_finds_what_it_is_about_and_nothing_else_does() {
    use Level::{Note, Refuse, Warn};
    let replica =
        [("role", "slave"), ("master_host", "10.0.0.1"), ("master_port", "6379"), ("master_link_status", "up")];
    let on_replica = || with(&replica);
    let expecting_replica = || Intent { replica_expected: true, ..reading() };
    let named = |name: &str| Intent { server_name: name.into(), ..writing() };
    let filled = |keys| Intent { keys, value_bytes: 910, ..writing() };
    let ours = ["key:000000000001", "mylist"];
    let cases: Vec<Case> = vec![
        // Keys.
        ("only our keys", writing(), holding(&ours, 2, true), None),
        ("only our keys in the sample", writing(), holding(&ours, 5000, false), None),
        (
            "a foreign key",
            writing(),
            holding(&["key:000000000001", "session:alice"], 2, true),
            Some(("foreign_keys", Refuse, "1 key of another owner is in the database; use --key-prefix")),
        ),
        (
            "foreign keys in the sample",
            writing(),
            holding(&["key:000000000001", "session:alice", "session:bob"], 12345, false),
            Some((
                "foreign_keys",
                Refuse,
                "2 of 3 sampled keys are of other owners, and 12345 keys are in the database",
            )),
        ),
        (
            "foreign keys, read",
            reading(),
            holding(&["session:alice"], 1, true),
            Some(("foreign_keys", Note, "1 key of another owner is in the database; this run only reads")),
        ),
        (
            "keys of which none was sampled",
            writing(),
            holding(&[], 3, false),
            Some(("not_checked", Warn, "there are 3")),
        ),
        // What others do.
        ("few data commands", writing(), at_work(20, 2.0), None),
        (
            "many data commands",
            writing(),
            at_work(42, 2.0),
            Some(("foreign_commands", Refuse, "others send 21 data commands a second (most of them get)")),
        ),
        (
            "many data commands, reading",
            reading(),
            at_work(42, 2.0),
            Some(("foreign_commands", Refuse, "21 data commands")),
        ),
        // Who else is there.
        (
            "one foreign client",
            writing(),
            beside(1),
            Some(("foreign_clients", Warn, "1 client of another owner is connected (last command: get)")),
        ),
        ("five foreign clients", reading(), beside(5), Some(("foreign_clients", Warn, "5 clients of other owners"))),
        ("six foreign clients", reading(), beside(6), Some(("foreign_clients", Refuse, "6 clients of other owners"))),
        // Memory. 70 % of 1 GiB, less 2 MiB in use, are 749522124 bytes.
        ("memory that is enough", filled(749_522), idle(), None),
        (
            "more than the machine's memory",
            filled(749_523),
            idle(),
            Some((
                "memory",
                Refuse,
                "this run may write 715 MiB (749523 keys of 910 bytes and 90 more each) beside 2.0 MiB",
            )),
        ),
        ("reads take no memory", Intent { writes: false, ..filled(749_523) }, idle(), None),
        (
            "more than maxmemory",
            writing(),
            with(&[("maxmemory", "10000000")]),
            Some(("memory", Refuse, "over 70 % of 9.5 MiB maxmemory")),
        ),
        ("more than can be counted", filled(u64::MAX), idle(), Some(("memory", Refuse, "16 EiB"))),
        ("a machine of unknown memory", filled(749_523), without("total_system_memory"), None),
        ("a machine that says it has none", filled(749_523), with(&[("total_system_memory", "0")]), None),
        ("memory in use is unknown", filled(749_523), without("used_memory"), None),
        ("a limit that is unknown", filled(749_523), without("maxmemory"), None),
        // Eviction.
        (
            "eviction of all keys",
            writing(),
            with(&[("maxmemory", "1073741824"), ("maxmemory_policy", "allkeys-lru")]),
            Some(("eviction", Refuse, "maxmemory-policy is allkeys-lru at 1.0 GiB")),
        ),
        (
            "eviction of all keys, reading",
            reading(),
            with(&[("maxmemory", "1073741824"), ("maxmemory_policy", "allkeys-lfu")]),
            None,
        ),
        ("eviction without a limit", writing(), with(&[("maxmemory_policy", "allkeys-lru")]), None),
        (
            "eviction of some keys",
            writing(),
            with(&[("maxmemory", "1073741824"), ("maxmemory_policy", "volatile-lru")]),
            None,
        ),
        // Connections.
        ("as many clients as there may be", writing(), with(&[("maxclients", "57")]), None),
        (
            "one client too many",
            reading(),
            with(&[("maxclients", "56")]),
            Some(("maxclients", Refuse, "7 clients are connected, and 50 more would pass maxclients, 56; lower -c")),
        ),
        (
            "one client too many, by the configuration",
            reading(),
            Evidence { maxclients: Some(56), ..without("maxclients") },
            Some(("maxclients", Refuse, "maxclients, 56")),
        ),
        ("a limit nobody knows", reading(), without("maxclients"), None),
        // State.
        (
            "loading",
            reading(),
            with(&[("loading", "1"), ("loading_loaded_perc", "41.20")]),
            Some(("loading", Refuse, "the server is loading its data (41.20 % done)")),
        ),
        (
            "a replica, written",
            writing(),
            on_replica(),
            Some(("replica", Refuse, "a replica of 10.0.0.1:6379, and this")),
        ),
        ("a replica, read", reading(), on_replica(), Some(("replica", Note, "a replica of 10.0.0.1:6379: what it"))),
        ("a replica, read as meant", expecting_replica(), on_replica(), None),
        (
            "a replica without its master",
            expecting_replica(),
            with(&[("role", "slave"), ("master_link_status", "down"), ("master_link_down_since_seconds", "12")]),
            Some(("link_down", Refuse, "without its master for 12 s")),
        ),
        (
            "a failover",
            reading(),
            with(&[("master_failover_state", "waiting-for-sync")]),
            Some(("failover", Refuse, "(waiting-for-sync)")),
        ),
        ("no word of failovers", reading(), without("master_failover_state"), None),
        (
            "a snapshot",
            reading(),
            with(&[("rdb_bgsave_in_progress", "1")]),
            Some(("saving", Warn, "the server is saving a snapshot:")),
        ),
        (
            "a rewrite",
            reading(),
            with(&[("aof_rewrite_in_progress", "1")]),
            Some(("saving", Warn, "the server is rewriting its log:")),
        ),
        // Production.
        ("one sign", writing(), with(&[("aof_enabled", "1")]), None),
        (
            "two signs",
            writing(),
            with(&[("aof_enabled", "1"), ("uptime_in_seconds", "200000")]),
            Some(("production", Note, "(up for 2 days, it keeps an append-only file)")),
        ),
        (
            "a user of its own",
            Intent { user: Some("app".into()), ..writing() },
            with(&[("aof_enabled", "1")]),
            Some(("production", Note, "it has users of its own")),
        ),
        ("its name", named("redis.prod.example:6379"), idle(), Some(("production", Warn, "its name says so"))),
        // What was not seen.
        (
            "INFO refused",
            writing(),
            Evidence { info: Err("NOPERM no".into()), ..idle() },
            Some(("not_checked", Warn, "could not check its memory, role and state (INFO: NOPERM no)")),
        ),
        (
            "CLIENT LIST refused",
            writing(),
            Evidence { clients: Some(Err("NOPERM no".into())), ..idle() },
            Some(("not_checked", Warn, "could not check who else is connected (CLIENT LIST: NOPERM no)")),
        ),
        (
            "commandstats refused",
            writing(),
            Evidence { commands: Some(Err("NOPERM no".into())), ..idle() },
            Some(("not_checked", Warn, "could not check what others do (INFO commandstats: NOPERM no)")),
        ),
        (
            "DBSIZE refused",
            writing(),
            Evidence { key_count: Err("NOPERM no".into()), ..idle() },
            Some(("not_checked", Warn, "could not check how many keys there are (DBSIZE: NOPERM no)")),
        ),
        (
            "SCAN refused",
            writing(),
            Evidence { keys: Err("NOPERM no".into()), ..idle() },
            Some(("not_checked", Warn, "could not check whose keys there are (SCAN: NOPERM no)")),
        ),
        ("nobody to ask about", writing(), Evidence { clients: None, commands: None, ..idle() }, None),
    ];
    for (name, intent, evidence, expected) in cases {
        let findings = found(&intent, &evidence);
        let (codes, texts): (Vec<_>, Vec<_>) =
            findings.iter().map(|finding| ((finding.code.as_str(), finding.level), finding.to_string())).unzip();
        let code = expected.map(|(code, level, _)| (code, level));
        assert_eq!(codes, code.into_iter().collect::<Vec<_>>(), "{name}: {texts:?}");
        if let Some((_, _, words)) = expected {
            assert!(texts[0].contains(words), "{name}: {texts:?}");
        }
    }
}

/// Keys may hold what nobody else is to read.
#[test]
fn no_finding_names_a_key() {
    let evidence = holding(&["session:alice"], 1, true);
    for intent in [writing(), reading()] {
        assert!(found(&intent, &evidence).iter().all(|finding| !finding.text.contains("alice")));
    }
}

#[test]
fn an_empty_pattern_makes_nothing_ours() {
    let intent = Intent { own_key_patterns: vec![String::new()], ..writing() };
    assert_eq!(found(&intent, &holding(&["key:1"], 1, true))[0].code, "foreign_keys");
}

#[test]
fn the_gravest_finding_comes_first() {
    let evidence = Evidence { clients: Some(Err("no".into())), ..with(&[("loading", "1")]) };
    let levels: Vec<Level> = judge(&writing(), &evidence).iter().map(|finding| finding.level).collect();
    assert_eq!(levels, [Level::Refuse, Level::Warn, Level::Note]);
}

/// A server that is loading says so to everything that it is asked.
#[test]
fn one_reason_for_several_things_is_told_once() {
    let evidence = Evidence { key_count: Err("LOADING".into()), keys: Err("LOADING".into()), ..idle() };
    let findings = found(&writing(), &evidence);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].text.contains("(DBSIZE, SCAN: LOADING)"), "{findings:?}");
}

#[test]
fn only_a_grave_finding_refuses_and_only_when_asked_to() {
    for (mode, level, refuses) in [
        (Mode::Refuse, Level::Refuse, true),
        (Mode::Refuse, Level::Warn, false),
        (Mode::Warn, Level::Refuse, false),
        (Mode::Off, Level::Refuse, false),
    ] {
        let report = GuardReport { mode, findings: vec![Finding::new("x", level, "x")] };
        assert_eq!(report.refuses(), refuses, "{mode:?} {level:?}");
    }
}

#[test]
fn a_report_is_written_in_snake_case() {
    let report = GuardReport { mode: Mode::Warn, findings: vec![Finding::new("not_checked", Level::Note, "x")] };
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(json, r#"{"mode":"warn","findings":[{"code":"not_checked","level":"note","text":"x"}]}"#);
    assert_eq!(serde_json::from_str::<GuardReport>(&json).unwrap(), report);
}
