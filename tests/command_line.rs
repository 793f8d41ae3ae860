//! The command line from outside: what is refused at once, and what help and version say.

mod support;

use support::{RedisServer, Scratch, program, rbench, words};

/// A usage error is one line, at once, and nothing is measured.
#[test]
fn what_makes_no_sense_is_refused_in_one_line() {
    let server = RedisServer::start();
    for (line, says) in [
        ("-n 0", "-n"),
        ("-n abc", "-n"),
        ("-n 1e3", "-n"),
        ("-n -5", "-n"),
        ("-n 99999999999999999999", "-n"),
        ("-n", "-n"),
        ("-c 0", "-c"),
        ("-c -1", "-c"),
        ("-c abc", "-c"),
        ("-P 0", "-P"),
        ("-P -1", "-P"),
        ("-d 0", "-d"),
        ("-d 1073741825", "-d"),
        ("-r abc", "-r"),
        ("-r -1", "-r"),
        ("-r 1000000000001", "-r"),
        ("-r -x", "-r"),
        ("-k 2", "-k"),
        ("-k -1", "-k"),
        ("-p 65536", "-p"),
        ("-p abc", "-p"),
        ("-p -1", "-p"),
        ("--dbnum -1", "--dbnum"),
        ("--threads 501", "--threads"),
        ("--threads -1", "--threads"),
        ("--threads x", "--threads"),
        ("--seed x", "--seed"),
        ("--precision x", "--precision"),
        ("--precision -1", "--precision"),
        ("--timeout 0", "--timeout"),
        ("--timeout -1", "--timeout"),
        ("--timeout -5s", "--timeout"),
        ("--duration -1m", "--duration"),
        ("--connect-timeout 5parsecs", "--connect-timeout"),
        ("--connect-timeout nan", "--connect-timeout"),
        ("--format yaml", "redis-7, redis-6, redis-5"),
        ("-t nosuch", "'nosuch'"),
        ("-t set,gett", "ping_inline"),
        ("-t ,", "ping_inline"),
        ("-x", "-x"),
        ("--user alice", "-a"),
        ("-u http://127.0.0.1", "http"),
        ("-u redis://127.0.0.1/x", "database"),
        ("-u 127.0.0.1", "-u"),
        ("--nosuch", "--nosuch"),
        ("-z", "-z"),
        ("set a b ;", "empty"),
        ("; set a b", "empty"),
        ("4x get a", "4x"),
        ("--embedded -h 127.0.0.1", "--embedded"),
        ("--embedded -s /tmp/x", "--embedded"),
    ] {
        // The port comes first, so that a flag without its value is the last argument.
        let ran = rbench(&server.arguments(line)).failed(2, &[says]);
        assert_eq!(ran.stdout, "", "{line}");
    }
    assert_eq!(server.calls().len(), 0);
    assert_eq!(server.fact("total_connections_received"), 0, "nobody came to the door");
}

#[test]
fn an_unknown_test_is_answered_with_the_names_of_all() {
    let ran = rbench(&["-t", "nosuch"]);
    for name in words(
        "ping_inline ping_mbulk set get incr lpush rpush lpop rpop sadd hset spop zadd zpopmin lrange_100 lrange_300 \
         lrange_500 lrange_600 mset mget xadd",
    ) {
        assert!(ran.stderr.contains(name), "{name}: {}", ran.stderr);
    }
}

#[test]
fn names_of_tests_may_be_written_in_any_case_order_and_number() {
    let server = RedisServer::start();
    let ran = rbench(&[&server.arguments("-n 3 -q -t")[..], &["GET, set,get,Ping".to_owned()]].concat()).succeeded();
    let titles: Vec<&str> = ran.stdout.lines().filter_map(|line| Some(line.split_once(':')?.0)).collect();
    assert_eq!(titles, ["PING_INLINE", "PING_MBULK", "SET", "GET"]);
}

#[test]
fn help_is_asked_for_by_its_long_name_and_goes_to_stdout() {
    let ran = rbench(&["--help"]).succeeded();
    for flag in words(
        "-h -p -s -a --user -u -c -n -d --dbnum -k -r -P -e -q --csv -l -t -I -x -3 --threads --enable-tracking \
         --precision --seed --version --help --json --format --timeout --connect-timeout --embedded",
    ) {
        let named = |line: &str| line.split([' ', ',']).any(|word| word == flag);
        assert!(ran.stdout.lines().any(named), "{flag} is missing:\n{}", ran.stdout);
    }
    for verb in ["report", "serve", "lab", "doctor", "calibrate"] {
        let ran = rbench(&[verb, "--help"]).succeeded();
        assert!(ran.stdout.contains("--help"), "{verb}");
    }
    // -h is the host, as in the original.
    rbench(&["-h"]).failed(2, &["-h"]);
}

#[test]
fn help_is_there_whatever_else_is_asked() {
    rbench(&words("-n 5 -t set -p 1 --help")).succeeded();
}

#[test]
fn the_first_line_of_the_version_ends_in_three_numbers() {
    for flag in ["--version", "-v"] {
        let ran = rbench(&[flag]).succeeded();
        let version = ran.stdout.lines().next().unwrap().rsplit(' ').next().unwrap();
        let numbers: Vec<u32> = version.split('.').map(|number| number.parse().unwrap()).collect();
        assert_eq!(numbers.len(), 3, "{}", ran.stdout);
    }
}

/// Scripts pass it, and some count the lines of both outputs.
#[test]
fn the_flag_for_showing_errors_is_taken_in_silence() {
    let server = RedisServer::start();
    rbench(&server.arguments("-e -q -n 5 -t set")).succeeded();
    assert_eq!(server.calls_of("set"), 5);
}

#[test]
fn tests_beside_a_command_are_said_to_be_ignored() {
    let server = RedisServer::start();
    let ran = rbench(&server.arguments("-q -n 5 -t set ping x")).failed(0, &["-t", "ignored"]);
    assert!(ran.stdout.starts_with("ping x: "), "{}", ran.stdout);
    assert_eq!(server.calls(), support::server::calls("ping 5"));
}

#[test]
fn reports_of_what_is_no_document_are_refused() {
    let scratch = Scratch::new();
    let file = scratch.path("file");
    let path = file.to_str().unwrap();
    rbench(&["report"]).failed(2, &["FILE"]);
    rbench(&["report", path]).failed(1, &[path, "o such file"]);
    for text in ["", "hello", "{}", "[]", "{\"schema_version\": \"1.0.0\"}"] {
        std::fs::write(&file, text).unwrap();
        rbench(&["report", path]).failed(1, &[path, "not a result document"]);
    }
    std::fs::write(&file, "{\"schema_version\": \"2.0.0\"}").unwrap();
    rbench(&["report", path]).failed(1, &[path, "2.0.0"]);
    rbench(&["report", path, "--format", "yaml"]).failed(2, &["redis-7"]);
}

#[test]
fn a_document_that_could_not_be_written_is_known_before_anything_is_measured() {
    let (server, scratch) = (RedisServer::start(), Scratch::new());
    for path in [scratch.path("no/such/result.json"), scratch.path("")] {
        let path = path.to_str().unwrap();
        let ran = rbench(&server.arguments(&format!("-n 5 -t set --json {path}"))).failed(1, &[path]);
        assert_eq!(ran.stdout, "");
    }
    assert_eq!(server.calls_of("set"), 0);
}

#[test]
fn more_connections_than_the_system_allows_are_refused_by_name() {
    let server = RedisServer::start();
    let line = format!("ulimit -n 100; exec \"$0\" -p {} -c 5000 -n 5000 -t set", server.port);
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &line, env!("CARGO_BIN_EXE_rbench")]).env_remove("REDISCLI_AUTH");
    program::spawn(shell, b"").end().failed(1, &["5000", "-c", "ulimit"]);
    assert_eq!(server.calls_of("set"), 0);
}
