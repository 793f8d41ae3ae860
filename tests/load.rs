//! What reaches a server, in the server's own words: calls, keys, values, connections.

mod support;

use rustix::process::Signal;
use std::collections::BTreeSet;
use support::server::calls;
use support::{RedisServer, Scratch, Value, document, program, rbench, start, wait_until, words};

/// Runs the program against `server`, cleanly.
#[track_caller]
fn run(server: &RedisServer, line: &str) -> support::Ran {
    rbench(&server.arguments(line)).succeeded()
}

/// A run whose reads find nothing, and which says so.
#[track_caller]
fn finds_nothing(server: &RedisServer, line: &str) {
    rbench(&server.arguments(line)).failed(0, &["(0.00%)", "--prefill"]);
}

/// The same three tests over shapes of load.
fn every_shape_is_exact(keep_alive: u8) {
    let server = RedisServer::start();
    for requests in [1, 7, 1003] {
        for clients in [1, 7, 50] {
            for pipeline in [1, 16, 64] {
                for threads in [0, 1, 2, 4] {
                    server.reset();
                    let shape = format!("-n {requests} -c {clients} -P {pipeline} --threads {threads} -k {keep_alive}");
                    run(&server, &format!("{shape} -t ping_mbulk,set,get -q"));
                    let expected = calls(&format!("ping {requests} set {requests} get {requests}"));
                    assert_eq!(server.calls(), expected, "{shape}");
                }
            }
        }
    }
}

#[test]
fn the_number_of_requests_is_exact_on_kept_connections() {
    every_shape_is_exact(1);
}

#[test]
fn the_number_of_requests_is_exact_on_a_connection_for_each_batch() {
    every_shape_is_exact(0);
}

/// Many portions of the common budget for each thread, the last one cut short.
#[test]
fn a_long_run_on_many_threads_is_exact() {
    let server = RedisServer::start();
    run(&server, "-n 100003 -c 50 -P 16 --threads 4 -r 1000 -t set");
    assert_eq!(server.calls_of("set"), 100_003);
}

#[test]
fn flags_that_change_requests_do_not_change_their_number() {
    let server = RedisServer::start();
    for flags in ["-r 100", "-d 1000", "--dbnum 5", "-3", "--enable-tracking", "-r 10 -d 100000 -3 --dbnum 1 -P 3"] {
        server.reset();
        run(&server, &format!("-n 101 -c 3 {flags} -t set,get,mset,lpush,lrange_100"));
        for (name, expected) in [("set", 101), ("get", 101), ("mset", 101), ("lpush", 202), ("lrange", 101)] {
            assert_eq!(server.calls_of(name), expected, "{name}, {flags}");
        }
    }
}

#[test]
fn each_test_of_the_suite_sends_its_command() {
    let server = RedisServer::start();
    run(&server, "-n 10 -c 3");
    let expected = calls(
        "ping 20 set 10 get 10 incr 10 lpush 20 rpush 10 lpop 10 rpop 10 sadd 10 hset 10 spop 10 zadd 10 zpopmin 10 \
         lrange 40 mset 10 xadd 10",
    );
    assert_eq!(server.calls(), expected);
}

/// The tests feed each other; what they leave behind tells whether they did.
#[test]
fn the_tests_of_the_suite_work_on_what_the_others_left() {
    let server = RedisServer::start();
    run(&server, "-n 700 -c 5");
    assert_eq!(server.ask(&["LLEN", "mylist"]), Value::Number(700), "only the last LPUSH is not popped");
    assert_eq!(server.ask(&["GET", "counter:__rand_int__"]), Value::Text(b"700".into()));
    assert_eq!(server.ask(&["HGETALL", "myhash"]).texts(), ["element:__rand_int__", "VXK"]);
    assert_eq!(server.ask(&["XLEN", "mystream"]), Value::Number(700));
    assert_eq!(server.ask(&["EXISTS", "myset", "myzset"]), Value::Number(0), "SPOP and ZPOPMIN took the only member");
    // GET, all but the first SADD and ZADD, HSET, pushes and pops: only SPOP and ZPOPMIN run dry.
    server.reset();
    run(&server, "-n 300 -t set,get,mget");
    assert_eq!(server.fact("keyspace_misses"), 0);
    assert_eq!(server.fact("keyspace_hits"), 300 + 300 * 10);
}

#[test]
fn without_a_key_space_there_is_one_key() {
    let server = RedisServer::start();
    run(&server, "-n 50 -t set,mset");
    assert_eq!(server.keys(), BTreeSet::from(["key:__rand_int__".to_owned()]));
    assert_eq!(server.ask(&["GET", "key:__rand_int__"]), Value::Text(b"VXK".into()));
}

#[test]
fn values_are_those_of_the_original() {
    let server = RedisServer::start();
    run(&server, "-n 1 -d 60 -t set,lpush,xadd,hset");
    let value = "VXKeHogKgJ=[5V9_X^b?48OKF2jGA<f:iR@50o7dS3JV4Q6L68lC[GTA]0Da";
    assert_eq!(server.ask(&["GET", "key:__rand_int__"]).text(), value);
    assert_eq!(server.ask(&["LRANGE", "mylist", "0", "-1"]).texts(), [value]);
    assert_eq!(server.ask(&["HGET", "myhash", "element:__rand_int__"]).text(), value);
    let entries = server.ask(&["XRANGE", "mystream", "-", "+"]).array();
    assert_eq!(entries[0].clone().array()[1].clone().texts(), ["myfield", value]);
}

/// The number behind `prefix`, which must be 12 digits.
fn number(key: &str, prefix: &str) -> u64 {
    let digits = key.strip_prefix(prefix).unwrap_or_else(|| panic!("{key} does not begin with {prefix}"));
    assert!(digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{key}");
    digits.parse().unwrap()
}

#[test]
fn a_key_space_is_filled_and_not_left() {
    let server = RedisServer::start();
    // A key is missed with a probability of 10^-16.
    for (test, prefix) in [("set", "key:"), ("incr", "counter:"), ("mset", "key:")] {
        server.reset();
        run(&server, &format!("-n 2000 -r 50 -P 8 --seed 3 -t {test}"));
        let numbers: BTreeSet<u64> = server.keys().iter().map(|key| number(key, prefix)).collect();
        assert_eq!(numbers, (0..50).collect(), "{test}");
    }
    server.reset();
    run(&server, "-n 2000 -r 50 -t sadd,hset,zadd --seed 3");
    let members = |command: &[&str]| -> BTreeSet<u64> {
        server.ask(command).texts().iter().map(|member| number(member, "element:")).collect()
    };
    for command in [&["SMEMBERS", "myset"][..], &["HKEYS", "myhash"], &["ZRANGE", "myzset", "0", "-1"]] {
        assert_eq!(members(command), (0..50).collect(), "{command:?}");
    }
    let scores = server.ask(&["ZRANGE", "myzset", "0", "-1", "WITHSCORES"]).texts();
    let scores: BTreeSet<u64> = scores.chunks(2).map(|pair| pair[1].parse().unwrap()).collect();
    assert!(scores.len() > 10 && scores.iter().all(|&score| score < 50), "{scores:?}");
}

#[test]
fn each_request_of_mset_draws_ten_keys() {
    let server = RedisServer::start();
    run(&server, "-n 20 -r 1000000000000 --seed 1 -t mset");
    let keys = server.keys();
    assert_eq!(keys.len(), 200);
    assert!(keys.iter().any(|key| number(key, "key:") > u64::from(u32::MAX)), "12 digits are used");
}

#[test]
fn a_key_space_of_one_or_none_is_key_zero() {
    let server = RedisServer::start();
    for size in [0, 1] {
        server.reset();
        run(&server, &format!("-n 5 -r {size} -t set"));
        assert_eq!(server.keys(), BTreeSet::from(["key:000000000000".to_owned()]));
    }
}

#[test]
fn keys_land_in_the_database_that_was_asked_for() {
    let server = RedisServer::start();
    for line in ["--dbnum 3 -n 50 -r 1000 -t set", "--dbnum 3 -k 0 -n 50 -r 1000 -t set"] {
        server.reset();
        run(&server, line);
        assert_eq!(server.ask(&["DBSIZE"]), Value::Number(0), "{line}");
        server.ask(&["SELECT", "3"]);
        assert_ne!(server.ask(&["DBSIZE"]), Value::Number(0), "{line}");
        server.ask(&["SELECT", "0"]);
    }
    server.reset();
    rbench(&words(&format!("-u redis://127.0.0.1:{}/4 -n 50 -t set", server.port))).succeeded();
    server.ask(&["SELECT", "4"]);
    assert_eq!(server.ask(&["DBSIZE"]), Value::Number(1));
}

#[test]
fn a_socket_in_the_file_system_is_a_server_too() {
    let server = RedisServer::start();
    rbench(&["-s", &server.socket(), "-p", "1", "-n", "77", "-c", "5", "-t", "set"]).succeeded();
    assert_eq!(server.calls_of("set"), 77);
}

/// Connections that a run makes, those to find the server among them.
fn connections(server: &RedisServer, line: &str) -> u64 {
    let before = server.fact("total_connections_received");
    run(server, line);
    server.fact("total_connections_received") - before
}

#[test]
fn each_client_is_one_connection_and_each_test_has_its_own() {
    let server = RedisServer::start();
    let control = connections(&server, "-n 10 -c 1 -t set") - 1;
    assert_eq!(connections(&server, "-n 1000 -c 40 -t set"), control + 40);
    assert_eq!(connections(&server, "-n 1 -c 40 -t set"), control + 40, "clients without a request connect, too");
    assert_eq!(connections(&server, "-n 100 -c 7 --threads 3 -t set,get"), control + 14);
}

#[test]
fn without_keep_alive_each_batch_has_a_connection() {
    let server = RedisServer::start();
    let control = connections(&server, "-n 10 -c 1 -t set") - 1;
    assert_eq!(connections(&server, "-k 0 -n 100 -c 1 -t set"), control + 100);
    assert_eq!(connections(&server, "-k 0 -n 100 -c 1 -P 10 -t set"), control + 10);
    // Several times: a client that finds nothing left after it has connected is a matter of luck.
    for _ in 0..10 {
        assert_eq!(connections(&server, "-k 0 -n 100 -c 5 --threads 2 -t set"), control + 100);
    }
}

#[test]
fn connect_time_is_kept_apart_from_latency() {
    let (server, scratch) = (RedisServer::start(), Scratch::new());
    let json = scratch.path("result.json");
    run(&server, &format!("-k 0 -n 100 -c 1 -t set --json {}", json.display()));
    let result = &document(&json)["results"][0];
    assert_eq!(result["connect_time"]["count"], 100);
    assert_eq!(result["service_time"]["count"], 100);
}

#[test]
fn idle_connections_are_as_many_as_asked_for_and_say_nothing() {
    let server = RedisServer::start();
    server.reset();
    let idle = start(&server.arguments("-I -c 37"));
    // One more is ours.
    wait_until("37 clients", || server.fact("connected_clients") == 38 && server.calls_of("ping") == 0);
    idle.signal(Signal::INT);
    let ran = idle.end().failed(130, &["interrupted", "37"]);
    assert!(ran.stdout.starts_with("Creating 37 idle connections and waiting forever (Ctrl+C when done)\n"));
    assert_eq!(server.calls(), calls(""));
}

#[test]
fn each_connection_asks_for_tracking_and_for_the_protocol() {
    let server = RedisServer::start();
    server.reset();
    run(&server, "-n 20 -c 6 -t set -3 --enable-tracking --dbnum 2");
    let counted = server.calls();
    assert_eq!(counted["client|tracking"], 6);
    assert_eq!(counted["hello"], 6);
    assert_eq!(counted["select"], 7, "once more on the control connection");
    assert_eq!(counted["set"], 20);
}

#[test]
fn the_protocol_is_what_the_server_speaks_to_us() {
    let server = RedisServer::start();
    for (flags, version) in [("", "resp=2"), ("-3", "resp=3")] {
        let mut running = start(&server.arguments(&format!("{flags} -n 1000000000 -c 2 -t get")));
        wait_until(version, || {
            assert!(running.is_running());
            // CLIENT LIST of 7.0 tells the protocol of each client.
            let list = server.ask(&["CLIENT", "LIST"]).text();
            list.lines().filter(|line| line.contains("cmd=get") && line.contains(version)).count() == 2
        });
    }
}

#[test]
fn every_way_to_give_a_password_opens_the_door() {
    let server = RedisServer::with(&["--requirepass", "open:sesame"]);
    server.ask(&["ACL", "SETUSER", "alice", "on", ">wonder@land", "~*", "+@all"]);
    let port = server.port;
    let uri = |login: &str| vec!["-u".to_owned(), format!("redis://{login}@127.0.0.1:{port}")];
    let flags =
        |line: &str| words(line).into_iter().map(str::to_owned).chain(["-p".into(), port.to_string()]).collect();
    let environment = [("REDISCLI_AUTH", "open:sesame")];
    for (arguments, environment, user) in [
        (flags("-a open:sesame"), &[][..], "default"),
        (flags("--user default -a open:sesame"), &[], "default"),
        (flags("--user alice -a wonder@land"), &[], "alice"),
        (flags(""), &environment, "default"),
        (flags("-a open:sesame"), &[("REDISCLI_AUTH", "wrong")], "default"),
        (uri("open%3Asesame"), &[], "default"),
        (uri(":open%3Asesame"), &[], "default"),
        (uri("default:open%3Asesame"), &[], "default"),
        (uri("alice:wonder%40land"), &[], "alice"),
    ] {
        server.ask(&["CONFIG", "RESETSTAT"]);
        let mut command = program::command(&arguments);
        command.args(words("-n 1000000000 -c 4 -t set")).envs(environment.iter().copied());
        let running = program::spawn(command, b"");
        wait_until(&format!("{arguments:?} as {user}"), || {
            let list = server.ask(&["CLIENT", "LIST"]).text();
            let ours = format!("user={user} ");
            list.lines().filter(|line| line.contains("cmd=set") && line.contains(&ours)).count() == 4
        });
        assert_eq!(server.calls_of("auth"), 6, "each connection once, and those that look around before and beside");
        drop(running);
        wait_until("only we are connected", || server.fact("connected_clients") == 1);
    }
}

#[test]
fn a_sequence_is_sent_in_order_and_cut_where_the_requests_end() {
    let server = RedisServer::start();
    for shape in ["-P 1 -c 1", "-P 16 -c 7", "-P 3 -c 50 --threads 2", "-k 0 -c 3"] {
        server.reset();
        let mut arguments = server.arguments(shape);
        arguments.extend(["-n", "1003", "set", "a", "__data__", ";", "4", "get", "a"].map(Into::into));
        rbench(&arguments).succeeded();
        assert_eq!(server.calls(), calls("set 201 get 802"), "{shape}");
        assert_eq!(server.ask(&["GET", "a"]).text(), "VXK");
    }
}

#[test]
fn a_number_is_shared_within_a_sequence_and_drawn_anew_in_the_next() {
    let server = RedisServer::start();
    let sequence = |name: &str| format!("-n 400 -P 4 -c 5 -r 1000000000 --seed 2 set k:{name} v ; get k:{name}");
    server.reset();
    run(&server, &sequence("__rand_1st__"));
    assert_eq!((server.fact("keyspace_hits"), server.fact("keyspace_misses")), (200, 0));
    assert_eq!(server.keys().len(), 200);
    server.reset();
    finds_nothing(&server, &sequence("__rand_int__"));
    assert_eq!((server.fact("keyspace_hits"), server.fact("keyspace_misses")), (0, 200));
    server.reset();
    run(&server, "-n 100 -r 1000000000 --seed 2 mset __rand_1st__ 1 __rand_2nd__ 2 __rand_9th__ 9 __rand_1st__ 4");
    assert_eq!(server.keys().len(), 300);
}

#[test]
fn standard_input_is_the_last_argument_byte_for_byte() {
    let server = RedisServer::start();
    let input = b"a\0b\r\n\xff__rand_int__\n";
    let mut arguments = server.arguments("-x -n 3 -r 10");
    arguments.extend(["set", "k"].map(Into::into));
    program::spawn(program::command(&arguments), input).end().succeeded();
    let kept = server.ask(&["GET", "k"]).bytes();
    assert_eq!(kept.len(), input.len());
    assert_eq!(kept[..6], input[..6]);
}

#[test]
fn what_follows_the_command_belongs_to_it() {
    let server = RedisServer::start();
    for line in ["-n 5 set a -n", "-n 5 -- set a -n"] {
        server.reset();
        run(&server, line);
        assert_eq!(server.calls_of("set"), 5);
        assert_eq!(server.ask(&["GET", "a"]).text(), "-n");
    }
    run(&server, "-n 2 set report serve");
    assert_eq!(server.ask(&["GET", "report"]).text(), "serve");
}

#[test]
fn the_last_value_of_a_flag_counts() {
    let server = RedisServer::start();
    run(&server, "-n 5 -c 3 -t get -n 7 -t set");
    assert_eq!(server.calls_of("set"), 7);
    assert_eq!(server.calls_of("get"), 0);
}

#[test]
fn a_seed_replays_the_same_requests_whatever_sends_them() {
    let server = RedisServer::start();
    let keys_of = |flags: &str| {
        server.reset();
        run(&server, &format!("-n 500 -r 1000000000 -t set {flags}"));
        server.keys()
    };
    let first = keys_of("--seed 7 -c 1");
    assert_eq!(first.len(), 500);
    for flags in ["-c 1", "-c 50", "--threads 1", "--threads 4 -c 9", "-P 64 --threads 2", "-k 0 --threads 3"] {
        assert_eq!(keys_of(&format!("--seed 7 {flags}")), first, "{flags}");
    }
    assert!(keys_of("--seed 8").is_disjoint(&first));
    assert!(keys_of("").is_disjoint(&first), "without a seed there is no replay");
}

#[test]
fn tests_do_not_draw_the_keys_of_the_test_before() {
    let server = RedisServer::start();
    finds_nothing(&server, "-n 300 -r 1000000000 --seed 7 -t set,get,incr");
    assert_eq!(server.fact("keyspace_hits"), 0, "GET draws keys of its own");
    let numbers = |prefix: &str| -> BTreeSet<u64> {
        let keys = server.keys();
        keys.iter().filter(|key| key.starts_with(prefix)).map(|key| number(key, prefix)).collect()
    };
    assert!(numbers("key:").is_disjoint(&numbers("counter:")));
}

#[test]
fn rounds_follow_each_other_until_interrupted() {
    let server = RedisServer::start();
    let running = start(&server.arguments("-l -q -n 10 -c 2 -t set,get"));
    wait_until("three rounds", || server.calls_of("get") >= 30);
    running.signal(Signal::INT);
    let ran = running.end();
    assert!(ran.stdout.matches("SET: ").count() >= 3, "{}", ran.stdout);
    assert_eq!(ran.code, Some(130));
}

#[test]
fn more_connections_than_the_soft_limit_on_files_are_made() {
    let server = RedisServer::start();
    let line = format!("ulimit -Sn 64; exec \"$0\" -p {} -c 200 -n 400 -t set -q", server.port);
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &line, env!("CARGO_BIN_EXE_rbench")]).env_remove("REDISCLI_AUTH");
    program::spawn(shell, b"").end().succeeded();
    assert_eq!(server.calls_of("set"), 400);
    assert!(server.fact("total_connections_received") >= 200);
}
