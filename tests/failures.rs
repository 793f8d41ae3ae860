//! What goes wrong outside: each ends in one line, in time, with an exit code, and without the password.

mod support;

use rustix::process::Signal;
use std::io::{Read, Write};
use std::process::Stdio;
use std::time::Duration;
use support::fake::{dead_port, fake_server, stay_mute};
use support::{Ran, RedisServer, Scratch, Value, document, program, rbench, start, wait_until, words};

#[test]
fn a_dead_port_is_told_at_once() {
    let (_socket, port) = dead_port();
    let ran = rbench(&["-p", &port.to_string()]).failed(3, &["cannot reach", &port.to_string(), "connection refused"]);
    assert_eq!(ran.stdout, "");
    rbench(&["-p", &port.to_string(), "-I"]).failed(3, &["connection refused"]);
}

#[test]
fn a_name_that_nobody_has_is_told() {
    rbench(&["-h", "no-such-host.invalid"]).failed(3, &["cannot find no-such-host.invalid"]);
}

#[test]
fn a_socket_that_is_not_there_is_told() {
    let scratch = Scratch::new();
    let path = scratch.path("redis.sock");
    rbench(&["-s", path.to_str().unwrap()]).failed(3, &["cannot reach", path.to_str().unwrap()]);
}

#[test]
fn a_mute_server_is_told_within_the_connect_timeout() {
    let port = fake_server(stay_mute).to_string();
    let ran = rbench(&["-p", &port, "--connect-timeout", "300ms"]).failed(3, &[&port, "0.3 s"]);
    // Far from the default, and from what a loaded machine adds.
    assert!(ran.elapsed < Duration::from_secs(4), "{ran:?}");
    rbench(&["-p", &port, "--connect-timeout", "300ms", "-a", "hunter2-secret"]).failed(3, &["0.3 s"]);
}

/// Five seconds, as promised, without any flag.
#[test]
fn a_mute_server_is_given_five_seconds() {
    let port = fake_server(stay_mute).to_string();
    let ran = rbench(&["-p", &port]).failed(3, &["5 s"]);
    assert!(ran.elapsed >= Duration::from_secs(5), "{ran:?}");
}

#[test]
fn a_server_of_another_kind_is_told_for_what_it_is() {
    let port = fake_server(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        stay_mute(stream);
    });
    let ran = rbench(&["-p", &port.to_string()]);
    // As unreachable, or as failed: it depends on whether the introduction or the load is the first to read the answer.
    assert!(matches!(ran.code, Some(1 | 3)), "{ran:?}");
    let code = ran.code.unwrap();
    ran.failed(code, &["does not speak the Redis protocol"]);
}

#[test]
fn a_server_that_hangs_up_is_told() {
    let port = fake_server(drop);
    let ran = rbench(&["-p", &port.to_string(), "--connect-timeout", "2s", "-n", "10", "-t", "set"]);
    assert!(matches!(ran.code, Some(1 | 3)), "{ran:?}");
    let code = ran.code.unwrap();
    ran.failed(code, &["connection"]);
}

/// Every way to be turned away at the door.
#[test]
fn a_password_that_is_missing_or_wrong_is_told_in_the_words_of_the_server() {
    let server = RedisServer::with(&["--requirepass", "right"]);
    rbench(&server.arguments("-n 10")).failed(3, &["NOAUTH", "-a", "REDISCLI_AUTH"]);
    rbench(&server.arguments("-n 10 -a wr0ng-secret")).failed(3, &["WRONGPASS"]);
    rbench(&server.arguments("-n 10 --user alice -a right")).failed(3, &["WRONGPASS"]);
    let uri = format!("redis://:wr0ng-secret@127.0.0.1:{}", server.port);
    rbench(&["-n", "10", "-u", &uri]).failed(3, &["WRONGPASS"]);
    let mut command = program::command(&server.arguments("-n 10"));
    command.env("REDISCLI_AUTH", "wr0ng-secret");
    program::spawn(command, b"").end().failed(3, &["WRONGPASS"]);
    assert_eq!(server.calls_of("set"), 0);
    let open = RedisServer::start();
    rbench(&open.arguments("-n 10 -a needless")).failed(3, &["without any password configured"]);
}

#[test]
fn a_database_that_is_not_there_is_told() {
    let server = RedisServer::start();
    rbench(&server.arguments("-n 10 --dbnum 99")).failed(3, &["99", "DB index is out of range"]);
}

#[test]
fn a_server_that_does_not_tell_its_configuration_is_measured_all_the_same() {
    let server = RedisServer::with(&["--rename-command", "CONFIG", "", "--rename-command", "INFO", "HIDDEN"]);
    let ran = rbench(&server.arguments("-n 10 -t set -r 1000000000 --seed 1")).succeeded();
    assert!(!ran.stdout.contains("host configuration"), "{}", ran.stdout);
    assert_eq!(server.ask(&["DBSIZE"]), Value::Number(10));
}

#[test]
fn an_error_reply_ends_the_run_and_is_told() {
    let (server, scratch) = (RedisServer::start(), Scratch::new());
    let json = scratch.path("result.json");
    server.ask(&["LPUSH", "list", "x"]);
    for shape in ["", "-P 16", "--threads 3", "-k 0", "-3"] {
        let line = format!("-n 1000 -c 5 {shape} --json {} get list", json.display());
        rbench(&server.arguments(&line)).failed(1, &["get list", "of 1000 requests", "WRONGTYPE"]);
        let result = &document(&json)["results"][0];
        assert!(result["errors"]["by_reply_code"]["WRONGTYPE"].as_u64() >= Some(1), "{result:#}");
        assert_eq!(result["completed"], 0, "an error is no success");
    }
    rbench(&server.arguments("-n 10 nosuchcommand")).failed(1, &["unknown command"]);
    rbench(&server.arguments("-n 10 set onlykey")).failed(1, &["wrong number of arguments"]);
}

#[test]
fn a_server_that_is_full_is_told() {
    let server = RedisServer::with(&["--maxclients", "10"]);
    for shape in ["-c 50", "-c 50 --threads 4", "-c 50 -3"] {
        rbench(&server.arguments(&format!("{shape} -n 1000 -t set"))).failed(1, &["max number of clients"]);
    }
    rbench(&server.arguments("-c 50 -I")).failed(1, &["max number of clients"]);
}

/// Starts a load that does not end by itself, and waits until it is on its way.
fn endless(server: &RedisServer, line: &str) -> program::Running {
    let running = start(&server.arguments(&format!("-n 1000000000 -t set {line}")));
    wait_until("the load is on its way", || server.calls_of("set") > 100);
    running
}

/// What was measured until the end is told: a whole report, and a document that says the same.
fn assert_told(ran: &Ran, json: &std::path::Path) {
    assert!(ran.stdout.starts_with("====== SET ======\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("throughput summary: "), "{}", ran.stdout);
    let result = &document(json)["results"][0];
    let completed = result["completed"].as_u64().unwrap();
    assert!(completed > 0 && completed <= result["sent"].as_u64().unwrap());
    assert!(ran.stdout.contains(&format!("  {completed} requests completed in ")), "{}", ran.stdout);
    assert!(ran.stderr.contains(&format!("stopped after {completed} of 1000000000 requests")), "{}", ran.stderr);
    let again = rbench(&["report", json.to_str().unwrap()]).succeeded();
    assert_eq!(again.stdout, ran.stdout, "a report of what was cut short is the same again");
}

#[test]
fn a_server_that_dies_leaves_a_report_of_what_was_measured() {
    for shape in ["-c 5", "-c 5 --threads 2", "-c 5 -P 16", "-c 5 -k 0"] {
        let (server, scratch) = (RedisServer::start(), Scratch::new());
        let json = scratch.path("result.json");
        let running = endless(&server, &format!("{shape} --json {}", json.display()));
        server.signal(Signal::KILL);
        let ran = running.end().failed(1, &["SET stopped after"]);
        assert_told(&ran, &json);
        assert!(document(&json)["results"][0]["end"]["failed"].is_object());
    }
}

#[test]
fn a_signal_leaves_a_report_of_what_was_measured() {
    let server = RedisServer::start();
    for (signal, code, shape) in
        [(Signal::INT, 130, "-c 5"), (Signal::TERM, 143, "-c 5 --threads 2"), (Signal::INT, 130, "-c 3 -k 0")]
    {
        server.reset();
        let scratch = Scratch::new();
        let json = scratch.path("result.json");
        let running = endless(&server, &format!("{shape} --json {}", json.display()));
        running.signal(signal);
        let ran = running.end().failed(code, &["interrupted"]);
        assert_told(&ran, &json);
        assert_eq!(document(&json)["results"][0]["end"], "interrupted");
    }
}

#[test]
fn an_interrupted_run_keeps_its_rows_in_every_format() {
    let server = RedisServer::start();
    for (flags, begins) in [("--csv", "\"test\",\"rps\""), ("-q", "SET: "), ("--format json", "{")] {
        server.reset();
        let running = endless(&server, &format!("-c 5 {flags}"));
        running.signal(Signal::INT);
        let ran = running.end().failed(130, &["interrupted"]);
        assert!(ran.stdout.starts_with(begins) && ran.stdout.contains("SET"), "{flags}: {}", ran.stdout);
    }
}

#[test]
fn a_signal_ends_the_wait_for_a_mute_server() {
    let port = fake_server(stay_mute).to_string();
    let running = start(&["-p", &port, "--connect-timeout", "1h"]);
    // The program catches signals once it listens for them; before, the default ends it as well.
    wait_until("the signal is caught", || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", running.id())).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(caught.trim(), 16).unwrap() & (1 << (Signal::INT.as_raw() - 1)) != 0
    });
    running.signal(Signal::INT);
    running.end().failed(130, &["interrupted before the first request"]);
}

#[test]
fn a_server_that_stops_answering_is_told_after_the_timeout() {
    let (server, scratch) = (RedisServer::start(), Scratch::new());
    let json = scratch.path("result.json");
    let running = endless(&server, &format!("-c 5 --timeout 500ms --json {}", json.display()));
    server.signal(Signal::STOP);
    let ran = running.end().failed(1, &["did not reply within 0.5 s"]);
    assert_told(&ran, &json);
}

#[test]
fn a_pipe_that_nobody_reads_ends_the_program_quietly() {
    let server = RedisServer::start();
    for flags in ["-q", "--csv", ""] {
        let mut command = program::command(&server.arguments(&format!("-l -n 10 -c 2 -t set {flags}")));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = [0; 4];
        child.stdout.take().unwrap().read_exact(&mut first).unwrap();
        // The pipe is closed by now; -l would go on for ever.
        let mut status = None;
        wait_until("the program ends", || {
            status = child.try_wait().unwrap();
            status.is_some()
        });
        assert_eq!(status.unwrap().code(), Some(141), "{flags}");
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(stderr, "", "{flags}");
    }
}

const SECRET: &str = "hunter2/tr0ub4dor";
const SECRET_ENCODED: &str = "hunter2%2Ftr0ub4dor";

/// Neither output, nor the document, has the secret in it.
fn assert_secret(ran: &Ran, json: &std::path::Path, what: &str) {
    let document = std::fs::read_to_string(json).unwrap_or_default();
    for text in [&ran.stdout, &ran.stderr, &document] {
        for secret in [SECRET, SECRET_ENCODED, "hunter2", "tr0ub4dor"] {
            assert!(!text.contains(secret), "{what}: {text}");
        }
    }
    assert!(ran.code.is_some());
}

/// Every way to give a password, each behind `line`.
fn with_each_login(port: u16, line: &str, mut check: impl FnMut(Ran, &str)) {
    let p = port.to_string();
    for login in [
        &["-p", &p, "-a", SECRET][..],
        &["-p", &p, &format!("-a{SECRET}")],
        &["-p", &p, "--user", "alice", "-a", SECRET],
        &["-p", &p, "-a", "other", "-a", SECRET],
        &["-p", &p, "-qa", SECRET],
        &["-u", &format!("redis://{SECRET_ENCODED}@127.0.0.1:{p}")],
        &["-u", &format!("redis://:{SECRET_ENCODED}@127.0.0.1:{p}")],
        &["-u", &format!("redis://alice:{SECRET_ENCODED}@127.0.0.1:{p}")],
        &[&format!("-uredis://alice:{SECRET_ENCODED}@127.0.0.1:{p}")],
    ] {
        let arguments = [login, &words(line)].concat();
        check(rbench(&arguments), &format!("{arguments:?}"));
    }
    let mut command = program::command(&[&["-p", &p][..], &words(line)].concat());
    command.env("REDISCLI_AUTH", SECRET);
    check(program::spawn(command, b"").end(), &format!("REDISCLI_AUTH {line}"));
}

#[test]
fn a_secret_is_in_no_output_of_a_run() {
    let server = RedisServer::with(&["--requirepass", SECRET]);
    server.ask(&["ACL", "SETUSER", "alice", "on", &format!(">{SECRET}"), "~*", "+@all"]);
    let scratch = Scratch::new();
    let json = scratch.path("result.json");
    for flags in ["", "--csv", "-q", "--format redis-6", "--format redis-5", "--format json"] {
        let line = format!("-n 10 -c 2 -t set {flags} --json {}", json.display());
        with_each_login(server.port, &line, |ran, what| {
            let ran = ran.succeeded();
            assert!(document(&json)["results"][0]["completed"] == 10, "{what}");
            assert_secret(&ran, &json, what);
        });
    }
}

#[test]
fn a_secret_is_in_no_failure() {
    let scratch = Scratch::new();
    let json = scratch.path("result.json");
    let (_socket, dead) = dead_port();
    let mute = fake_server(stay_mute);
    let other = fake_server(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let wrong = RedisServer::with(&["--requirepass", "another"]);
    let open = RedisServer::start();
    let right = RedisServer::with(&["--requirepass", SECRET]);
    right.ask(&["ACL", "SETUSER", "alice", "on", &format!(">{SECRET}"), "~*", "+@all"]);
    for (port, line) in [
        (dead, ""),
        (mute, "--connect-timeout 100ms"),
        (other, ""),
        (wrong.port, ""),
        (open.port, ""),
        (right.port, "--dbnum 99"),
        (right.port, "-n 0"),
        (right.port, "-t nosuch"),
        (right.port, "--nosuch"),
        (right.port, "nosuchcommand"),
        (right.port, "-n"),
    ] {
        with_each_login(port, line, |ran, what| {
            assert_ne!(ran.code, Some(0), "{what}");
            assert_secret(&ran, &json, what);
        });
    }
    for arguments in [
        &["-u", &format!("redis://:{SECRET}@127.0.0.1:{dead}")][..],
        &["-u", &format!("redis://alice:{SECRET_ENCODED}@127.0.0.1:notaport")],
        &["-u", &format!("http://alice:{SECRET_ENCODED}@127.0.0.1")],
        &["-u", &format!("{SECRET_ENCODED}@127.0.0.1")],
        &["-u", &format!("redis://:{SECRET_ENCODED}%zz@127.0.0.1")],
        &["-u", SECRET],
    ] {
        let ran = rbench(arguments);
        assert!(matches!(ran.code, Some(2 | 3)), "{ran:?}");
        assert_secret(&ran, &json, &format!("{arguments:?}"));
    }
}
