//! What is sent: commands in a mix, keys, values, and what is known of the replies.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use support::{Measured, RedisServer, Value, measure, measure_on, rbench, words};

fn strings(line: &str) -> Vec<String> {
    words(line).into_iter().map(str::to_owned).collect()
}

/// All keys of the first database, with their values.
fn stored(server: &RedisServer) -> BTreeMap<String, Vec<u8>> {
    server.keys().into_iter().map(|key| (key.clone(), server.ask(&["GET", &key]).bytes())).collect()
}

fn command<'a>(measured: &'a Measured, title: &str) -> &'a serde_json::Value {
    let commands = measured.result()["commands"].as_array().expect("commands");
    commands.iter().find(|command| command["title"] == title).unwrap_or_else(|| panic!("no {title}: {commands:#?}"))
}

#[test]
fn a_mix_is_sent_by_weight_and_told_by_command() {
    let server = RedisServer::start();
    for shape in ["-P 16", "-P 1 --threads 2", "-P 8 --pipeline-mode window", "--rate 40000 -P 4"] {
        server.reset();
        let measured =
            measure_on(&server, &format!("--mix get:80,set:15,mset:5 -r 1000 -n 20000 -c 10 {shape}")).ended(0);
        let counted = [("GET", "get", 0.80f64), ("SET", "set", 0.15), ("MSET (10 keys)", "mset", 0.05)].map(
            |(title, name, share)| {
                let calls = server.calls_of(name);
                let deviation = (20_000.0 * share * (1.0 - share)).sqrt();
                assert!((calls as f64 - 20_000.0 * share).abs() < 5.0 * deviation, "{shape} {name}: {calls}");
                let command = command(&measured, title);
                assert_eq!(command["completed"], calls, "{shape} {name}");
                assert_eq!(command["service_time"]["count"], calls, "{shape} {name}");
                calls
            },
        );
        assert_eq!(counted.iter().sum::<u64>(), 20_000, "{shape}");
        // Each has a line of its own, and all together have the last.
        let titles: Vec<&str> = measured
            .ran
            .stdout
            .lines()
            .filter(|line| line.starts_with("======"))
            .map(|line| line.trim_matches(['=', ' ']))
            .collect();
        assert_eq!(titles, ["GET", "SET", "MSET (10 keys)", "MIX get:80,set:15,mset:5"], "{shape}");
    }
}

#[test]
fn commands_of_ones_own_join_a_mix_and_several_in_one_count_as_one() {
    let server = RedisServer::start();
    let mut arguments = server.arguments("-n 5000 -r 100 -c 5 -P 4 --mix get:1 --on-error continue");
    for (text, weight) in [
        ("ZADD board __rand_int__ user:__key__", "2"),
        ("MULTI ; SET 'two words' __data__ ; EXEC", "1"),
        ("EVAL \"return redis.error_reply('ERR on purpose')\" 0", "1"),
    ] {
        arguments.extend(["--command".to_owned(), text.to_owned(), "--weight".to_owned(), weight.to_owned()]);
    }
    let measured = measure(&arguments).ended(4);
    let board = command(&measured, "ZADD board __rand_int__ user:__key__");
    let multi = command(&measured, "MULTI ; SET 'two words' __data__ ; EXEC");
    let script = command(&measured, "EVAL \"return redis.error_reply('ERR on purpose')\" 0");
    assert_eq!(board["completed"], server.calls_of("zadd"));
    assert_eq!(multi["completed"], server.calls_of("exec"));
    assert_eq!((script["completed"].as_u64(), script["refused"].as_u64()), (Some(0), Some(measured.errors("reply"))));
    assert!(measured.errors("reply") > 0);
    let members = server.ask(&["ZCARD", "board"]);
    assert!(matches!(members, Value::Number(91..=100)), "of 2000 draws from 100: {members:?}");
    assert_eq!(server.ask(&["EXISTS", "two words"]), Value::Number(1));
}

#[test]
fn keys_come_from_the_distribution() {
    let server = RedisServer::start();
    for (keys, expected) in [("sequential", 1000..=1000), ("hotspot:1:0.1", 95..=100), ("zipf:3", 2..=100)] {
        server.reset();
        server.ask(&["FLUSHALL"]);
        measure_on(&server, &format!("-t set -n 1000 -r 1000 -P 7 --threads 2 --keys {keys}")).ended(0);
        let keys_written = stored(&server).len();
        assert!(expected.contains(&keys_written), "{keys}: {keys_written}");
    }
}

#[test]
fn one_seed_sends_the_same_whatever_the_threads() {
    let server = RedisServer::start();
    let mut seen = BTreeSet::new();
    for shape in ["--threads 1 -P 1", "--threads 3 -P 5", "-P 16 --pipeline-mode window", "--threads 2 --rate 20000"] {
        server.ask(&["FLUSHALL"]);
        let line =
            "-n 2000 -r 100000 --keys gaussian --mix set:3,incr:1 --value-size 1-50 --value-data random --seed 7";
        measure_on(&server, &format!("{line} {shape}")).ended(0);
        seen.insert(stored(&server));
    }
    let stored = seen.first().unwrap();
    assert!(stored.len() > 1500, "{}", stored.len());
    // Of a key that is written twice, the last value stays, and who is last depends on the threads.
    let keys: BTreeSet<Vec<&String>> = seen.iter().map(|stored| stored.keys().collect()).collect();
    assert_eq!(keys.len(), 1);
    let of = |stored: &BTreeMap<String, Vec<u8>>| {
        stored.iter().map(|(key, value)| (key.clone(), value.clone())).collect::<BTreeSet<_>>()
    };
    for other in &seen {
        let different = of(stored).difference(&of(other)).count();
        assert!(different < 100, "{different} of {} values differ", stored.len());
    }
}

#[test]
fn values_have_the_lengths_and_the_bytes_that_were_asked_for() {
    let server = RedisServer::start();
    for (flags, lengths) in [
        ("--value-size 100 --value-data random", 100..=100),
        ("--value-size 10-20 --value-data random", 10..=20),
        ("-d 64 --value-data compressible:4", 64..=64),
        ("--value-size lognormal:100:0.3 --value-data random", 30..=350),
        ("--value-size 8:1,16:1 --value-data random", 8..=16),
    ] {
        server.ask(&["FLUSHALL"]);
        measure_on(&server, &format!("-t set -n 500 -r 500 -P 5 --keys sequential {flags}")).ended(0);
        let stored = stored(&server);
        assert_eq!(stored.len(), 500, "{flags}");
        assert!(stored.values().all(|value| lengths.contains(&value.len())), "{flags}");
        let distinct: BTreeSet<&Vec<u8>> = stored.values().collect();
        assert_eq!(distinct.len(), 500, "{flags}: values repeat");
        let different_lengths: BTreeSet<usize> = stored.values().map(Vec::len).collect();
        assert_eq!(different_lengths.len() > 1, lengths.start() != lengths.end(), "{flags}");
    }
}

#[test]
fn keys_have_the_length_and_requests_the_width_and_the_time_to_live() {
    let server = RedisServer::start();
    measure_on(&server, "-t set -n 50 -r 50 --keys sequential --key-bytes 40 --key-prefix p: --ttl 100-200").ended(0);
    let stored = stored(&server);
    assert_eq!(stored.len(), 50);
    let mut seconds = BTreeSet::new();
    for key in stored.keys() {
        assert!(key.len() == 40 && key.starts_with("p:key:0000"), "{key}");
        let ttl = server.ask(&["TTL", key]).number();
        assert!((90..=200).contains(&ttl), "{ttl}");
        seconds.insert(ttl);
    }
    assert!(seconds.len() > 10, "they are drawn: {seconds:?}");
    let measured = measure_on(&server, "-t mset,mget -n 10 -r 1000 --multi-keys 3").ended(0);
    assert_eq!(measured.result()["title"], "MSET (3 keys)");
    assert_eq!(
        measured.document["results"][1]["reads"]["hits"].as_u64().unwrap()
            + measured.document["results"][1]["reads"]["misses"].as_u64().unwrap(),
        30
    );
}

#[test]
fn prefill_writes_each_key_once_and_reads_find_them() {
    let server = RedisServer::start();
    let measured = measure_on(&server, "-t get,mget -n 1000 -r 20000 --prefill --threads 2 -c 20").ended(0);
    assert_eq!(server.calls_of("set"), 20_000, "each key once");
    assert_eq!(stored(&server).len(), 20_000, "every key");
    assert_eq!(measured.document["prefill"]["requests"], 20_000);
    assert_eq!(measured.result()["reads"]["hits"], 1000);
    assert_eq!(measured.document["results"][1]["reads"]["hits"], 10_000);
    assert!(measured.ran.stdout.contains("hits: 1000, misses: 0 (100.00% found)"), "{}", measured.ran.stdout);
    // The half of it, and each key of another kind.
    server.ask(&["FLUSHALL"]);
    let mut arguments = server.arguments("-n 4000 -r 1000 --prefill 0.5 --format table");
    let fill = "HSET user:__key__ name __data__";
    arguments.extend(["--prefill-command", fill, "--command", "HGET user:__key__ name"].map(str::to_owned));
    let measured = measure(&arguments).ended(0);
    assert_eq!(server.ask(&["DBSIZE"]), Value::Number(500));
    let hits = measured.result()["reads"]["hits"].as_u64().unwrap();
    assert!((1850..=2150).contains(&hits), "{hits} of 4000 at one half");
    let shown = format!("{:.2}%", hits as f64 / 4000.0 * 100.0);
    assert!(measured.ran.stdout.contains(&shown), "{shown}: {}", measured.ran.stdout);
}

#[test]
fn reads_of_nothing_are_warned_of_and_others_are_not() {
    let server = RedisServer::start();
    let missed = measure_on(&server, "-t get -n 500 -r 1000").ended(0);
    assert_eq!(missed.result()["reads"]["misses"], 500);
    assert!(missed.ran.stderr.contains("GET: 0 of 500 reads found anything (0.00%)"), "{}", missed.ran.stderr);
    let found = measure_on(&server, "-t set,get -n 500").ended(0);
    assert_eq!(found.ran.stderr, "");
}

#[test]
fn what_is_cleaned_up_is_what_was_filled_and_written() {
    let server = RedisServer::start();
    server.ask(&["SET", "mine", "1"]);
    for line in [
        "--mix get:1,set:1,incr:1,mset:1 -r 100000 -n 3000 -P 3 --threads 2 --prefill 0.01 --keys zipf --cleanup",
        "-t set,get -r 50 -n 3000 --keys sequential --value-size 3-9 --value-data random --cleanup",
    ] {
        measure_on(&server, line).ended(0);
        assert_eq!(stored(&server).keys().collect::<Vec<_>>(), ["mine"], "{line}");
    }
}

#[test]
fn a_wrong_byte_is_an_error_with_its_key() {
    let server = RedisServer::start();
    let flags = "-r 100 --value-size 50-5000 --value-data random --seed 5 --verify";
    measure_on(&server, &format!("-t get,mget -n 2000 {flags} --prefill -P 4")).ended(0);
    // Another byte in the middle of one value, and another length of a second.
    let (one, other) = ("key:000000000042", "key:000000000007");
    let byte = if server.ask(&["GETRANGE", one, "20", "20"]).bytes() == b"A" { "B" } else { "A" };
    server.ask(&["SETRANGE", one, "20", byte]);
    let stopped = rbench(&server.arguments(&format!("-t get -n 2000 {flags} --keys sequential -c 1")));
    assert_eq!(stopped.code, Some(1), "{stopped:?}");
    let told = format!("{one} is not what was written under it: byte 20 of the value differs");
    assert!(stopped.stderr.contains(&told), "{}", stopped.stderr);
    server.ask(&["APPEND", other, "x"]);
    let went_on = measure_on(&server, &format!("-t mget -n 20 {flags} --keys sequential --on-error continue"));
    assert_eq!(went_on.ran.code, Some(4), "{:?}", went_on.ran);
    // Ten keys in each request: two times over, each of the two keys twice.
    assert_eq!(went_on.errors("verify"), 4);
    assert_eq!(went_on.number("completed"), 16);
    let first = went_on.result()["errors"]["first_wrong_value"].as_str().unwrap();
    assert!(first.contains(one) || first.contains(other), "{first}");
    assert!(went_on.ran.stderr.contains("verify 4"), "{}", went_on.ran.stderr);
}

#[test]
fn a_window_keeps_the_pipeline_full_and_sends_no_more_than_was_asked_for() {
    let server = RedisServer::start();
    for shape in
        ["-P 16 -c 7", "-P 3 -c 50 --threads 2", "-P 5 -c 3 -k 0", "-P 4 --reconnect-every 10", "-P 8 --rate 20000"]
    {
        server.reset();
        let measured = measure_on(&server, &format!("-t set -n 1003 --pipeline-mode window {shape}")).ended(0);
        assert_eq!((server.calls_of("set"), measured.number("completed")), (1003, 1003), "{shape}");
    }
    // A sequence is not cut.
    server.reset();
    let sequence = measure_on(&server, "--pipeline-mode window -P 4 -n 400 -c 2 -- set a b ; get a").ended(0);
    assert_eq!((server.calls_of("set"), server.calls_of("get")), (200, 200), "{:?}", sequence.ran);
}

#[test]
fn what_does_not_fit_together_is_refused_in_one_line() {
    for (line, told) in [
        ("--mix get:80,ste:1", "unknown command 'ste'"),
        ("--mix get:0", "'get:0': expected a whole number"),
        ("--mix get:1 -t set", "cannot be used with"),
        ("--mix get:1 get x", "does not go with --mix"),
        ("--weight 3 --command ping", "--weight belongs behind the --command"),
        ("--keys zipf", "-r"),
        ("--keys zip -r 9", "unknown key distribution 'zip'"),
        ("--key-bytes 8", "--key-bytes 8 is too short"),
        ("--value-size 0", "1073741824 bytes"),
        ("--value-size 3 -d 4", "cannot be used with"),
        ("--value-data zeros", "known: constant, random"),
        ("--ttl 9-3", "expected seconds"),
        ("-t get --ttl 9", "--ttl is for SET"),
        ("get user:__key__", "give its size with -r"),
        ("expire k __ttl__", "give it with --ttl"),
        ("--prefill 2", "expected a share"),
        ("--prefill -t lpush", "say how with --prefill-command"),
        ("--pipeline-mode window --think-time 1ms", "--think-time"),
        ("--verify --cluster -t get", "in a cluster"),
    ] {
        // None of them comes as far as a server.
        let ran = rbench(&strings(&format!("-p 1 {line}")));
        assert_eq!(ran.code, Some(2), "{line}: {ran:?}");
        assert!(ran.stderr.contains(told), "{line}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{line}");
    }
}
