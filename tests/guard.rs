//! The guard and the cleanup against real servers: what they find, what they send, and how long they take.

mod support;

use rbench::target::cleanup::{key_arguments, unlink, unlink_matching};
use rbench::target::guard::{GuardReport, Intent, Level, Mode, look};
use rbench::units::Seed;
use rbench::workload::suite::{self, Spelling};
use rbench::workload::{Fillings, Template, Test, ValueData, ValueSize, Values, written};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, IntoConnectionInfo, RedisConnectionInfo};
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;
use support::server::calls;
use support::{PATIENCE, RedisServer, rbench, wait_until};
use tokio::time::Instant;

async fn connect(server: &RedisServer) -> MultiplexedConnection {
    connect_to(&format!("127.0.0.1:{}", server.port)).await
}

/// A connection that says nothing of itself.
async fn connect_to(address: &str) -> MultiplexedConnection {
    let address = format!("redis://{address}/").into_connection_info().unwrap();
    let settings: RedisConnectionInfo = address.redis_settings().clone().set_skip_set_lib_name();
    let client = Client::open(address.set_redis_settings(settings)).unwrap();
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    client.get_multiplexed_async_connection_with_config(&config).await.unwrap()
}

fn writing() -> Intent {
    Intent {
        writes: true,
        clients: 50,
        keys: 100_000,
        value_bytes: 3,
        own_key_patterns: vec!["key:".into(), "mylist".into()],
        ..Intent::default()
    }
}

fn reading() -> Intent {
    Intent { writes: false, keys: 0, ..writing() }
}

async fn look_at(server: &RedisServer, mode: Mode, intent: &Intent) -> GuardReport {
    let mut connection = connect(server).await;
    // Our own link stays connected, and shall not be taken for somebody who works.
    server.ask(&["PING"]);
    look(&mut connection, mode, intent, &[], PATIENCE).await
}

fn codes(report: &GuardReport) -> Vec<(&str, Level)> {
    report.findings.iter().map(|finding| (finding.code.as_str(), finding.level)).collect()
}

/// How often INFO was called since the last reset, without the call that says so.
fn infos(server: &RedisServer) -> u64 {
    let text = server.ask(&["INFO", "commandstats"]).text();
    let calls = text.split("cmdstat_info:calls=").nth(1).and_then(|rest| rest.split(',').next());
    calls.map_or(0, |calls| calls.parse().unwrap())
}

/// Somebody who reads one key as fast as the server lets him, until the server is gone.
fn busy_client(server: &RedisServer) {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    thread::spawn(move || {
        let mut reply = [0; 64];
        while stream.write_all(b"*2\r\n$3\r\nGET\r\n$1\r\nx\r\n").is_ok()
            && stream.read(&mut reply).is_ok_and(|n| n > 0)
        {}
    });
    wait_until("the client is at work", || server.calls_of("get") > 100);
}

#[tokio::test]
async fn an_idle_server_costs_two_round_trips_and_no_waiting() {
    let server = RedisServer::start();
    let mut connection = connect(&server).await;
    server.ask(&["CONFIG", "RESETSTAT"]);
    let report = look(&mut connection, Mode::Warn, &writing(), &[], PATIENCE).await;
    assert_eq!(codes(&report), []);
    assert_eq!(infos(&server), 2, "a third would have come after a wait");
    for question in ["client|id", "client|list", "dbsize", "scan"] {
        assert_eq!(server.all_calls().get(question), Some(&1), "{question}");
    }
}

#[tokio::test]
async fn nobody_is_looked_at_when_nobody_shall_be() {
    let server = RedisServer::start();
    let mut connection = connect(&server).await;
    server.ask(&["SET", "private", "1"]);
    server.ask(&["CONFIG", "RESETSTAT"]);
    let report = look(&mut connection, Mode::Off, &writing(), &[], PATIENCE).await;
    assert_eq!(report, GuardReport { mode: Mode::Off, findings: Vec::new() });
    assert_eq!(server.calls(), calls(""));
}

/// Whoever asks to be refused wants to be sure: others may come and go between two of their commands.
#[tokio::test]
async fn before_refusing_it_watches_for_a_second() {
    let server = RedisServer::start();
    let since = Instant::now();
    let report = look_at(&server, Mode::Refuse, &writing()).await;
    assert!(since.elapsed() >= Duration::from_secs(1));
    assert_eq!(codes(&report), []);
    assert!(!report.refuses());
}

#[tokio::test]
async fn keys_of_others_are_counted_and_not_named() {
    let server = RedisServer::start();
    server.ask(&["MSET", "key:000000000001", "v", "mylist", "v"]);
    assert_eq!(codes(&look_at(&server, Mode::Warn, &writing()).await), []);
    server.ask(&["MSET", "session:alice", "v", "session:bob", "v"]);
    let report = look_at(&server, Mode::Refuse, &writing()).await;
    assert_eq!(codes(&report), [("foreign_keys", Level::Refuse)]);
    assert!(report.refuses());
    let text = &report.findings[0].text;
    assert!(text.starts_with("2 keys of other owners are in the database") && !text.contains("session"), "{text}");
    assert_eq!(codes(&look_at(&server, Mode::Warn, &reading()).await), [("foreign_keys", Level::Note)]);
}

#[tokio::test]
async fn a_client_at_work_is_told_with_its_rate() {
    let server = RedisServer::start();
    busy_client(&server);
    let report = look_at(&server, Mode::Warn, &reading()).await;
    assert_eq!(codes(&report), [("foreign_commands", Level::Refuse), ("foreign_clients", Level::Warn)]);
    let text = &report.findings[0].text;
    let rate: u64 = text.strip_prefix("others send ").and_then(|rest| rest.split(' ').next()).unwrap().parse().unwrap();
    assert!(rate > 100 && text.contains("most of them get"), "{text}");
    assert!(!report.refuses(), "whoever asked for a warning is warned");
}

/// Six pooled connections that have been idle for longer than anybody at work would be.
#[tokio::test]
async fn many_quiet_clients_are_refused_without_waiting() {
    let server = RedisServer::start();
    let quiet: Vec<TcpStream> = (0..6)
        .map(|_| {
            let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
            stream.write_all(b"GET x\r\n").unwrap();
            stream
        })
        .collect();
    let busy = || {
        let list = server.ask(&["CLIENT", "LIST"]).text();
        list.lines()
            .filter(|line| line.contains("cmd=get") && !line.contains("idle=0") && !line.contains("idle=1 "))
            .count()
    };
    wait_until("all are idle", || busy() == 6 && !server.ask(&["CLIENT", "LIST"]).text().contains("idle=2 "));
    server.ask(&["CONFIG", "RESETSTAT"]);
    let report = look_at(&server, Mode::Warn, &reading()).await;
    assert_eq!(codes(&report), [("foreign_clients", Level::Refuse)]);
    assert_eq!(infos(&server), 2);
    drop(quiet);
}

#[tokio::test]
async fn limits_of_the_server_are_held_against_the_run() {
    for (arguments, found) in [
        (["--maxmemory", "10mb", "--maxmemory-policy", "noeviction"], "memory"),
        (["--maxmemory", "1gb", "--maxmemory-policy", "allkeys-lru"], "eviction"),
        (["--maxmemory", "1gb", "--maxclients", "40"], "maxclients"),
    ] {
        let server = RedisServer::with(&arguments);
        assert_eq!(codes(&look_at(&server, Mode::Warn, &writing()).await), [(found, Level::Refuse)], "{arguments:?}");
        let few = Intent { clients: 1, ..reading() };
        assert_eq!(codes(&look_at(&server, Mode::Warn, &few).await), [], "{arguments:?}");
    }
}

#[tokio::test]
async fn a_replica_is_for_reading_and_only_while_it_has_its_master() {
    let master = RedisServer::with(&["--repl-diskless-sync-delay", "0"]);
    let replica = RedisServer::start();
    let expecting = Intent { replica_expected: true, ..reading() };
    let link = |status: &str| {
        let info = replica.ask(&["INFO", "replication"]).text();
        info.contains(&format!("master_link_status:{status}"))
    };
    replica.ask(&["REPLICAOF", "127.0.0.1", &master.port.to_string()]);
    // The child that wrote the snapshot for the replica may outlive the transfer, and is a finding of its own.
    wait_until("the replica is up to date", || link("up") && master.fact("rdb_bgsave_in_progress") == 0);
    assert_eq!(codes(&look_at(&replica, Mode::Warn, &writing()).await), [("replica", Level::Refuse)]);
    assert_eq!(codes(&look_at(&replica, Mode::Warn, &reading()).await), [("replica", Level::Note)]);
    assert_eq!(codes(&look_at(&replica, Mode::Warn, &expecting).await), []);
    assert_eq!(codes(&look_at(&master, Mode::Warn, &writing()).await), [("replicas", Level::Note)]);
    drop(master);
    wait_until("the replica has lost its master", || link("down"));
    assert_eq!(codes(&look_at(&replica, Mode::Warn, &expecting).await), [("link_down", Level::Refuse)]);
}

#[tokio::test]
async fn what_the_server_will_not_tell_is_no_pass() {
    let renamed: Vec<&str> =
        ["CLIENT", "DBSIZE", "SCAN"].into_iter().flat_map(|name| ["--rename-command", name, ""]).collect();
    let server = RedisServer::with(&renamed);
    let report = look_at(&server, Mode::Refuse, &writing()).await;
    assert_eq!(codes(&report), [("not_checked", Level::Warn); 3]);
    for (finding, words) in report.findings.iter().zip(["CLIENT LIST: ERR unknown command", "DBSIZE: ", "SCAN: "]) {
        assert!(finding.text.contains(words), "{}", finding.text);
    }
}

#[tokio::test]
async fn a_user_with_few_rights_is_told_what_was_not_seen() {
    let server = RedisServer::start();
    server.ask(&["ACL", "SETUSER", "guest", "on", ">pw-of-guest", "~*", "+@all", "-@dangerous"]);
    server.ask(&["PING"]);
    let mut connection = connect_to(&format!("guest:pw-of-guest@127.0.0.1:{}", server.port)).await;
    let report = look(&mut connection, Mode::Refuse, &writing(), &[], PATIENCE).await;
    assert!(report.findings.iter().all(|finding| finding.code == "not_checked" && finding.text.contains("NOPERM")));
    let text: String = report.findings.iter().map(|finding| finding.text.as_str()).collect();
    assert!(["INFO", "CLIENT LIST", "INFO commandstats"].iter().all(|command| text.contains(command)), "{text}");
}

#[tokio::test]
async fn a_stalled_server_costs_no_more_than_the_deadline() {
    let server = RedisServer::start();
    let mut connection = connect(&server).await;
    server.signal(Signal::STOP);
    let since = Instant::now();
    let report = look(&mut connection, Mode::Refuse, &writing(), &[], Duration::from_millis(300)).await;
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    assert_eq!(codes(&report), [("not_checked", Level::Warn)]);
    assert!(report.findings[0].text.contains("no reply in time"), "{:?}", report.findings);
}

/// What was seen before the time was over is told all the same.
#[tokio::test]
async fn a_deadline_too_near_to_watch_anybody_is_told() {
    let server = RedisServer::start();
    server.ask(&["SET", "private", "1"]);
    server.ask(&["PING"]);
    let mut connection = connect(&server).await;
    let report = look(&mut connection, Mode::Refuse, &writing(), &[], Duration::from_millis(900)).await;
    assert_eq!(codes(&report), [("foreign_keys", Level::Refuse), ("not_checked", Level::Warn)]);
}

fn request(line: &str) -> Vec<Vec<u8>> {
    line.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}

#[tokio::test]
async fn the_server_knows_which_arguments_are_keys() {
    let server = RedisServer::start();
    let mut connection = connect(&server).await;
    let known = [
        ("SET a v", vec![1], true),
        ("get a", vec![1], false),
        ("MSET a 1 b 2", vec![1, 3], true),
        ("ZUNIONSTORE d 2 a b", vec![1, 3, 4], true),
        ("XADD s * f v", vec![1], true),
        ("XGROUP CREATE s g $", vec![2], true),
        ("EVAL script 1 k v", vec![3], true),
        ("EVAL script 0 v", vec![], true),
        ("PING", vec![], false),
        ("PING hello", vec![], false),
        ("FLUSHALL", vec![], true),
        ("SET a v", vec![1], true),
    ];
    let requests: Vec<_> = known.iter().map(|(line, ..)| request(line)).collect();
    let facts = key_arguments(&mut connection, &requests, PATIENCE).await;
    for ((line, places, writes), facts) in known.iter().zip(facts) {
        let facts = facts.unwrap_or_else(|reason| panic!("{line}: {reason}"));
        assert_eq!((&facts.places, facts.writes), (places, *writes), "{line}");
    }
    let unknown = key_arguments(&mut connection, &[request("nosuch a"), request("SET a")], PATIENCE).await;
    let words: Vec<String> = unknown.into_iter().map(Result::unwrap_err).collect();
    assert!(words[0].contains("'nosuch'") && words[0].contains("knows no such command"), "{words:?}");
    assert!(words[1].contains("'SET'") && words[1].contains("Invalid number of arguments"), "{words:?}");
}

#[tokio::test]
async fn a_server_that_does_not_tell_which_arguments_are_keys_says_so() {
    let server = RedisServer::with(&["--rename-command", "COMMAND", ""]);
    let mut connection = connect(&server).await;
    let facts = key_arguments(&mut connection, &[request("SET a v")], PATIENCE).await;
    let reason = facts[0].as_ref().unwrap_err();
    assert!(reason.contains("does not say which arguments of 'SET' are keys: ERR unknown command"), "{reason}");
}

/// The program writes, and what it wrote is worked out anew from the same seed: no key more, none less.
#[tokio::test]
async fn a_cleanup_removes_what_the_run_wrote_and_nothing_else() {
    let server = RedisServer::start();
    let (requests, key_count, seed) = (3000, 1_000_000, Seed(7));
    let line = format!("-t set,get,incr,lpush,hset,mset -n {requests} -r {key_count} --seed {} -q", seed.0);
    // So few of a million keys are there that the reads find next to nothing.
    rbench(&server.arguments(&line)).failed(0, &["GET", "--prefill"]);
    let wrote = server.keys();
    let others = ["key:000000000007:x", "key:", "counter", "mylist2", "session:1"];
    others.iter().for_each(|key| drop(server.ask(&["SET", key, "v"])));

    let values = Values::new(&ValueSize::default(), &ValueData::default(), seed);
    let fillings = Fillings::of(Some(key_count), values);
    let spelling = Spelling { numbers: true, ..Spelling::default() };
    let tests = suite::select("set,get,incr,lpush,hset,mset").unwrap();
    let tests: Vec<Test> = tests.into_iter().map(|test| Test::of_suite(test, 3, &spelling)).collect();
    let mut connection = connect(&server).await;
    let asked: Vec<_> = tests.iter().flat_map(Test::templates).map(written::told_apart).collect();
    let facts = key_arguments(&mut connection, &asked, PATIENCE).await;
    let mut keys = Vec::new();
    for (index, (test, facts)) in tests.iter().zip(facts).enumerate() {
        let facts = facts.unwrap();
        let places = [if facts.writes { facts.places } else { Vec::new() }];
        let seed = seed.child(0).child(index as u64);
        keys.extend(written::keys(test, &places, &fillings, requests, seed));
    }
    assert_eq!(keys.iter().map(|key| String::from_utf8(key.clone()).unwrap()).collect::<BTreeSet<_>>(), wrote);
    let removed = unlink(&mut connection, keys.into_iter(), PATIENCE).await.unwrap();
    assert_eq!(removed, wrote.len() as u64);
    assert_eq!(server.keys(), others.iter().map(|key| (*key).to_owned()).collect());
}

#[tokio::test]
async fn keys_that_match_are_looked_for_one_by_one() {
    let server = RedisServer::start();
    let mut connection = connect(&server).await;
    for number in 0..3000 {
        server.ask(&["SET", &format!("key:{number:012}"), "v"]);
    }
    server.ask(&["MSET", "key:session:0001", "v", "other", "v"]);
    server.ask(&["CONFIG", "RESETSTAT"]);
    let key = b"key:__rand_int__";
    let (glob, is_ours) =
        (written::glob(key, Some(2500), false), |found: &[u8]| written::could_be(key, Some(2500), false, found));
    let removed = unlink_matching(&mut connection, &glob, is_ours, PATIENCE).await.unwrap();
    assert_eq!((removed, server.keys().len()), (2500, 502));
    assert_eq!(server.calls_of("unlink"), 2500, "one key in each command: a cluster takes no more");
}

#[tokio::test]
async fn a_cleanup_that_is_refused_or_gets_no_reply_says_how_far_it_came() {
    let server = RedisServer::start();
    let mut connection = connect(&server).await;
    let keys = || ["a", "b"].iter().map(|key| key.as_bytes().to_vec());
    assert_eq!(unlink(&mut connection, std::iter::empty(), PATIENCE).await, Ok(0));
    server.ask(&["SET", "a", "v"]);
    server.ask(&["REPLICAOF", "127.0.0.1", "1"]);
    let error = unlink(&mut connection, keys(), PATIENCE).await.unwrap_err();
    assert_eq!(error.removed, 0);
    assert!(
        error.to_string().contains("(0 are removed): READONLY You can't write against a read only replica;"),
        "{error}"
    );
    server.signal(Signal::STOP);
    let since = Instant::now();
    let error = unlink(&mut connection, keys(), Duration::from_millis(200)).await.unwrap_err();
    assert!(error.reason.contains("no reply within 0.2 s"), "{error}");
    let error = unlink_matching(&mut connection, b"*", |_| true, Duration::from_millis(200)).await.unwrap_err();
    assert!(error.reason.contains("no reply within 0.2 s"), "{error}");
    let facts = key_arguments(&mut connection, &[request("get a")], Duration::from_millis(200)).await;
    assert!(facts[0].as_ref().unwrap_err().contains("no reply within 0.2 s"));
    assert!(since.elapsed() < Duration::from_secs(10));
}

/// What a run only reads is not its own: it must be there when the run has been cleaned up.
#[tokio::test]
async fn keys_that_are_written_are_told_from_keys_that_are_read() {
    let server = RedisServer::start();
    let mut connection = connect(&server).await;
    for (line, written) in [
        ("zunionstore d 2 a b", &[1][..]),
        ("bitop and d a b", &[2]),
        ("sort a store b", &[3]),
        ("copy a b", &[2]),
        ("pfcount a", &[]),
        ("mset a 1 b 2", &[1, 3]),
        ("eval script 2 a b", &[3, 4]),
        ("eval_ro script 2 a b", &[]),
        ("get a", &[]),
    ] {
        let facts = key_arguments(&mut connection, &[request(line)], PATIENCE).await;
        assert_eq!(facts[0].as_ref().unwrap().written.as_deref(), Some(written), "{line}");
    }
}

/// A value with the same placeholder as the key is not removed for a key.
#[tokio::test]
async fn a_value_is_not_taken_for_the_key_that_it_looks_like() {
    let server = RedisServer::start();
    let mut connection = connect(&server).await;
    let template = Template::new(&["MSET", "__rand_int__", "__rand_int__", "__rand_int__", "__rand_int__"]);
    let facts = key_arguments(&mut connection, &[written::told_apart(&template)], PATIENCE).await;
    assert_eq!(facts[0].as_ref().unwrap().places, [1, 3]);
}

/// `rbench serve` knows all that the guard and the cleanup ask.
#[tokio::test]
async fn the_embedded_server_is_looked_at_and_cleaned_up_like_any_other() {
    let server = rbench::embedded::Server::start(([127, 0, 0, 1], 0).into()).unwrap();
    let mut connection = connect_to(&server.address().to_string()).await;
    let report = look(&mut connection, Mode::Refuse, &writing(), &[], PATIENCE).await;
    assert_eq!(codes(&report), []);
    let facts = key_arguments(&mut connection, &[request("mset a 1 b 2"), request("ping")], PATIENCE).await;
    let facts: Vec<_> = facts.into_iter().map(|facts| facts.map(|facts| (facts.places, facts.writes))).collect();
    assert_eq!(facts, [Ok((vec![1, 3], true)), Ok((vec![], false))]);
    redis::cmd("MSET").arg(&["a", "1", "b", "2", "c", "3"]).exec_async(&mut connection).await.unwrap();
    let report = look(&mut connection, Mode::Warn, &writing(), &[], PATIENCE).await;
    assert_eq!(codes(&report), [("foreign_keys", Level::Refuse)]);
    let keys = ["a", "c", "d"].iter().map(|key| key.as_bytes().to_vec());
    assert_eq!(unlink(&mut connection, keys, PATIENCE).await, Ok(2));
}
