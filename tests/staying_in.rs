//! Errors as data: what is counted, what goes on, and what ends.

mod support;

use rustix::process::Signal;
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};
use support::link::Link;
use support::measured::Measuring;
use support::{Measured, RedisServer, SLOW, Scratch, Value, measure_on, sockets, wait_until, words};

/// Starts a load of `requests` that keep the server busy for two milliseconds each.
fn slow(server: &RedisServer, requests: u32, line: &str) -> Measuring {
    let mut going = Measuring::start(&server.arguments(&format!("-n {requests} -c 5 {line} {SLOW}")));
    going.until("the load is on its way", || server.calls_of("debug") > 100);
    going
}

/// Starts a load that does not end by itself.
fn endless(server: &RedisServer, line: &str) -> Measuring {
    let mut going = Measuring::start(&server.arguments(&format!("-n 1000000000 -c 5 {line}")));
    going.until("the load is on its way", || server.calls_of("get") > 100);
    going
}

/// Takes `count` connections at the port of a dead server, and hangs up on each: whoever made them tries again.
fn hang_up_on(server: &RedisServer, count: usize) {
    let listener = TcpListener::bind((server.address.as_str(), server.port)).expect("the server is gone");
    listener.incoming().take(count).for_each(drop);
}

/// Errors in all intervals of the first result.
fn errors_over_time(measured: &Measured) -> u64 {
    let intervals = measured.result()["timeline"]["intervals"].as_array().expect("intervals");
    intervals.iter().map(|interval| interval["errors"].as_u64().expect("a number")).sum()
}

#[test]
fn a_server_that_comes_back_is_found_again() {
    for shape in ["", "-P 4", "-k 0", "--threads 2"] {
        let mut server = RedisServer::start();
        let going = slow(&server, 1000, &format!("--on-error reconnect {shape}"));
        server.kill();
        hang_up_on(&server, 3);
        server.start_again();
        let measured = going.end().went_on();
        assert!(server.calls_of("debug") > 100, "{shape}");
        let lost = ["eof", "reset", "connect_refused"].map(|kind| measured.errors(kind)).iter().sum::<u64>();
        assert!(lost >= 3, "{shape}: {:#}", measured.result());
        // What was in flight when the server died, with -P as deep as the batch.
        assert!(measured.number("unknown") >= 1, "{shape}: {:#}", measured.result());
        assert!(errors_over_time(&measured) >= 1, "{shape}: {:#}", measured.result());
        assert!(measured.number("connections") >= 5, "{shape}: {:#}", measured.result());
    }
}

#[test]
fn the_first_lost_connection_ends_a_run_by_default() {
    for policy in ["", "--on-error abort"] {
        let mut server = RedisServer::start();
        let going = slow(&server, 1000, policy);
        server.kill();
        let measured = going.end().ended(1);
        assert!(measured.number("unknown") >= 1, "{:#}", measured.result());
        assert!(measured.result()["end"]["failed"].is_object());
        assert_eq!(measured.document["config"]["on_error"], "abort");
    }
}

#[test]
fn a_server_that_stays_away_is_given_up() {
    for shape in ["-c 5", "-c 1", "-c 5 --threads 2", "-c 5 -k 0"] {
        let mut server = RedisServer::start();
        let going = slow(&server, 1_000_000, &format!("--on-error reconnect --give-up 1s {shape}"));
        let since = Instant::now();
        server.kill();
        let measured = going.end().ended(1);
        let waited = since.elapsed();
        // Counted from when somebody was last answered, which may be a while before the server is gone.
        assert!(waited > Duration::from_millis(400) && waited < Duration::from_secs(30), "{shape}: {waited:?}");
        assert!(measured.result()["end"]["failed"].is_object(), "{shape}");
        // Tried again, but not as fast as the machine can: a server that is coming back has better things to do.
        let refused = measured.errors("connect_refused");
        assert!((2..=500).contains(&refused), "{shape}: refused {refused} times");
    }
}

#[test]
fn the_others_take_over_from_a_client_that_lost_its_connection() {
    let server = RedisServer::start();
    let mut going = slow(&server, 1000, "--on-error continue");
    let list = server.clients(&["cmd=debug"]);
    let id = list[0].strip_prefix("id=").and_then(|rest| rest.split(' ').next()).unwrap();
    assert_eq!(server.ask(&["CLIENT", "KILL", "ID", id]), Value::Number(1));
    going.until("four are left", || server.clients(&["cmd=debug"]).len() == 4);
    let measured = going.end().went_on();
    assert_eq!(measured.errors("eof") + measured.errors("reset"), 1, "{:#}", measured.result());
    assert_eq!(measured.document["config"]["on_error"], "continue");
}

/// A refused connection is no reply to a request: what was sent still adds up.
#[test]
fn a_login_that_is_refused_later_is_no_reply_to_a_request() {
    let server = RedisServer::start();
    let set_user = |words: &[&str]| server.tell(&[&["ACL", "SETUSER", "tester"], words].concat());
    set_user(&["on", ">tester-secret", "~*", "+@all"]);
    let line = "--user tester -a tester-secret --on-error reconnect --give-up 1s --think-time 1ms get x";
    let going = endless(&server, line);
    set_user(&["off"]);
    server.ask(&["CLIENT", "KILL", "USER", "tester"]);
    let measured = going.end().ended(1);
    let refused = measured.replies("WRONGPASS");
    assert!(refused >= 5 && measured.errors("connect_failed") == refused, "{:#}", measured.result());
    assert!(measured.ran.stderr.contains(&format!("(WRONGPASS {refused})")), "{}", measured.ran.stderr);
}

/// More clients than a server takes: each that is sent away has its reply, or a connection that was refused.
#[test]
fn clients_that_a_server_has_no_room_for_are_counted_once() {
    let server = RedisServer::with(&["--maxclients", "40"]);
    for shape in ["", "-3", "-P 5", "-k 0"] {
        let measured =
            measure_on(&server, &format!("--guard off -n 1000 -c 50 --on-error continue {shape} set a v")).ended(4);
        assert!(measured.replies("ERR") > 0, "{shape}: {:#}", measured.result());
    }
}

/// One client in each thread: what the thread of the lost one had drawn must not be lost with it.
#[test]
fn other_threads_take_over_from_one_that_lost_all_its_clients() {
    let server = RedisServer::start();
    let going = slow(&server, 1000, "--on-error continue --threads 5");
    let list = server.clients(&["cmd=debug"]);
    let id = list[0].strip_prefix("id=").and_then(|rest| rest.split(' ').next()).unwrap();
    assert_eq!(server.ask(&["CLIENT", "KILL", "ID", id]), Value::Number(1));
    let measured = going.end().went_on();
    assert_eq!(measured.errors("eof") + measured.errors("reset"), 1, "{:#}", measured.result());
}

#[test]
fn a_run_that_has_lost_all_its_clients_ends() {
    let mut server = RedisServer::start();
    let going = slow(&server, 1_000_000, "--on-error continue");
    server.kill();
    let measured = going.end().ended(1);
    assert_eq!(measured.errors("eof") + measured.errors("reset"), 5, "{:#}", measured.result());
}

#[test]
fn all_clients_come_back_when_they_were_thrown_out() {
    let server = RedisServer::start();
    let mut going = slow(&server, 1500, "--on-error reconnect");
    for line in server.clients(&["cmd=debug"]) {
        let id = line.strip_prefix("id=").and_then(|rest| rest.split(' ').next()).unwrap();
        server.ask(&["CLIENT", "KILL", "ID", id]);
    }
    going.until("five are there", || server.clients(&["cmd=debug"]).len() == 5);
    let measured = going.end().went_on();
    assert_eq!(measured.errors("eof") + measured.errors("reset"), 5, "{:#}", measured.result());
    assert_eq!(measured.document["config"]["on_error"], "reconnect");
}

#[test]
fn a_server_that_stops_answering_is_left_for_a_while() {
    let server = RedisServer::start();
    let mut going = slow(&server, 1000, "--on-error reconnect --timeout 300ms --connect-timeout 300ms");
    let ports = || sockets::to_port(server.port).iter().map(|socket| socket.local_port).collect::<BTreeSet<_>>();
    let before = ports();
    server.signal(Signal::STOP);
    // The system takes connections for a server that is stopped.
    going.until("connections are made anew", || ports().is_disjoint(&before));
    server.signal(Signal::CONT);
    let measured = going.end().went_on();
    assert!(measured.errors("reply_timeout") >= 1, "{:#}", measured.result());
    assert!(measured.number("unknown") >= 1, "{:#}", measured.result());
}

/// A load of 500 requests that are all refused, under each policy that goes on.
fn all_are_refused(server: &RedisServer, load: &str, code: &str) {
    for policy in ["continue", "reconnect"] {
        let before = server.fact("total_connections_received");
        let measured = measure_on(server, &format!("-n 500 -c 5 -P 2 --on-error {policy} {load}")).went_on();
        assert_eq!((measured.replies(code), measured.errors("reply")), (500, 500), "{:#}", measured.result());
        assert_eq!(measured.number("completed"), 0);
        assert_eq!(errors_over_time(&measured), 500);
        // An error reply is no reason to part: there is one connection for each client, and those that look around.
        assert!(server.fact("total_connections_received") - before < 20);
    }
}

#[test]
fn writes_to_a_replica_are_counted() {
    let master = RedisServer::start();
    let replica = RedisServer::with(&["--replicaof", "127.0.0.1", &master.port.to_string()]);
    wait_until("a replica", || replica.info("master_link_status").as_deref() == Some("up"));
    all_are_refused(&replica, "-t set", "READONLY");
}

#[test]
fn reads_from_a_replica_without_its_master_are_counted() {
    let stale = ["--replicaof", "127.0.0.1", "1", "--replica-serve-stale-data", "no"];
    all_are_refused(&RedisServer::with(&stale), "-t get", "MASTERDOWN");
}

#[test]
fn writes_without_enough_replicas_are_counted() {
    all_are_refused(&RedisServer::with(&["--min-replicas-to-write", "1"]), "-t set", "NOREPLICAS");
}

#[test]
fn requests_to_a_cluster_without_slots_are_counted() {
    all_are_refused(&RedisServer::with(&["--cluster-enabled", "yes"]), "-t set", "CLUSTERDOWN");
}

#[test]
fn writes_that_cannot_be_saved_are_counted() {
    let scratch = Scratch::new();
    let directory = scratch.path("gone");
    std::fs::create_dir(&directory).unwrap();
    let server = RedisServer::with(&["--dir", directory.to_str().unwrap(), "--save", "3600 1"]);
    std::fs::remove_dir(&directory).unwrap();
    wait_until("saving fails", || {
        server.ask(&["BGSAVE"]);
        server.info("rdb_last_bgsave_status").as_deref() == Some("err")
    });
    all_are_refused(&server, "-t set", "MISCONF");
}

#[test]
fn writes_beyond_the_memory_of_a_server_are_counted() {
    let server = RedisServer::with(&["--maxmemory", "4mb"]);
    let measured = measure_on(&server, "-n 2000 -c 5 -d 10000 -r 1000000000 -t set --on-error continue").went_on();
    assert!(measured.replies("OOM") > 1000 && measured.number("completed") > 10, "{:#}", measured.result());
    assert_eq!(server.ask(&["DBSIZE"]).number() as u64, measured.number("completed"));
}

#[test]
fn a_permission_that_is_taken_away_is_counted_from_then_on() {
    let server = RedisServer::start();
    server.tell(&["ACL", "SETUSER", "alice", "on", ">secret", "~*", "+@all"]);
    let going = endless(&server, "--user alice -a secret --on-error continue -t get");
    server.tell(&["ACL", "SETUSER", "alice", "-get"]);
    wait_until("refusals", || server.info("errorstat_NOPERM").is_some());
    let measured = going.interrupt().ended(130);
    assert!(measured.replies("NOPERM") >= 1 && measured.number("completed") > 100, "{:#}", measured.result());
}

#[test]
fn a_password_that_is_asked_for_later_is_counted_from_then_on() {
    let server = RedisServer::start();
    let going = endless(&server, "-k 0 --on-error reconnect -t get");
    server.tell(&["CONFIG", "SET", "requirepass", "secret"]);
    wait_until("refusals", || server.info("errorstat_NOAUTH").is_some());
    let measured = going.interrupt().ended(130);
    assert!(measured.replies("NOAUTH") >= 1 && measured.number("completed") > 100, "{:#}", measured.result());
}

/// Loading takes a second and a half, in steps between which the server answers.
#[test]
fn a_server_that_loads_is_waited_for() {
    let server = RedisServer::with(&["--loading-process-events-interval-bytes", "1024", "--key-load-delay", "300"]);
    server.tell(&["DEBUG", "POPULATE", "5000"]);
    let mut going = endless(&server, "--on-error continue -t get");
    let socket = server.socket();
    let reload = thread::spawn(move || Link::unix(Path::new(&socket)).unwrap().ask(&["DEBUG", "RELOAD"]));
    assert!(reload.join().unwrap().unwrap().is_ok());
    let calls = server.calls_of("get");
    going.until("the load goes on", || server.calls_of("get") > calls + 100);
    let measured = going.interrupt().ended(130);
    assert!(measured.replies("LOADING") >= 1, "{:#}", measured.result());
    assert_eq!(measured.number("unknown"), 0, "{:#}", measured.result());
}

#[test]
fn a_server_that_is_busy_with_a_script_is_waited_for() {
    let server = RedisServer::with(&["--busy-reply-threshold", "10"]);
    let mut going = endless(&server, "--on-error continue -t get");
    let socket = server.socket();
    let script = thread::spawn(move || {
        let mut link = Link::unix(Path::new(&socket)).unwrap();
        link.ask(&["EVAL", "while true do end", "0"])
    });
    let mut busy = 0;
    wait_until("the server is busy, and stays so for a while", || {
        busy += u32::from(matches!(server.ask(&["PING"]), Value::Error(line) if line.starts_with("BUSY")));
        busy == 20
    });
    server.tell(&["SCRIPT", "KILL"]);
    assert!(matches!(script.join().unwrap().unwrap(), Value::Error(_)));
    let calls = server.calls_of("get");
    going.until("the load goes on", || server.calls_of("get") > calls + 100);
    let measured = going.interrupt().ended(130);
    assert!(measured.replies("BUSY") >= 1, "{:#}", measured.result());
}

#[test]
fn a_run_without_errors_ends_well_under_every_policy() {
    let server = RedisServer::start();
    for policy in ["abort", "continue", "reconnect"] {
        let measured = measure_on(&server, &format!("-n 100 -c 5 -t set --on-error {policy}")).ended(0);
        assert_eq!((measured.errors_in_all(), measured.number("unknown")), (0, 0));
        assert_eq!(measured.ran.stderr, "", "{policy}");
        assert_eq!(measured.document["config"]["on_error"], policy);
    }
}

#[test]
fn every_kind_of_client_ends_with_every_request_accounted_for() {
    let server = RedisServer::with(&["--min-replicas-to-write", "1"]);
    for shape in ["-c 1", "-c 50 -P 16", "-c 7 --threads 3", "-c 5 -k 0", "-c 5 -3 -P 3", "-c 5 --reconnect-every 3"] {
        let mut arguments = server.arguments(&format!("-n 1003 {shape} --on-error reconnect"));
        // Every second request is refused.
        arguments.extend(words("set a v ; get a").into_iter().map(str::to_owned));
        let measured = support::measure(&arguments).went_on();
        assert_eq!((measured.replies("NOREPLICAS"), measured.number("completed")), (502, 501), "{shape}");
    }
}

#[test]
fn a_policy_that_there_is_not_is_a_mistake() {
    support::rbench(&["--on-error", "ignore"]).failed(2, &["--on-error", "abort", "continue", "reconnect"]);
}
