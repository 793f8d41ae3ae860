//! Connections: how many, how long, how fast, and from where.

mod support;

use rustix::process::{Resource, getrlimit};
use std::process::Command;
use std::time::Duration;
use support::measured::Measuring;
use support::{Measured, RedisServer, measure_on, program, rbench, sockets, start, wait_until};

/// A run, and how many connections it made, those to find the server left out.
fn connections(server: &RedisServer, line: &str) -> (Measured, u64) {
    let count = |line: &str| {
        let before = server.fact("total_connections_received");
        let measured = measure_on(server, line).ended(0);
        (measured, server.fact("total_connections_received") - before)
    };
    let control = count("-n 10 -c 1 -t set").1 - 1;
    let (measured, all) = count(line);
    (measured, all - control)
}

#[test]
fn a_connection_serves_as_many_requests_as_asked_for() {
    let server = RedisServer::start();
    for (line, expected) in [
        ("-n 1000 -c 1 --reconnect-every 10", 100),
        ("-n 1001 -c 1 --reconnect-every 10", 101),
        ("-n 1000 -c 1 -P 5 --reconnect-every 10", 100),
        ("-n 100 -c 1 --reconnect-every 1", 100),
        ("-n 100 -c 1 --reconnect-every 1000", 1),
    ] {
        let (measured, made) = connections(&server, &format!("{line} -t set"));
        assert_eq!(made, expected, "{line}");
        assert_eq!(
            measured.count("connect_time"),
            if expected > 1 { expected } else { measured.count("connect_time") }
        );
    }
}

/// Each of five clients has a share that is not known before, and its last connection need not be used up.
#[test]
fn several_clients_make_hardly_more_connections_than_one() {
    let server = RedisServer::start();
    for shape in ["-c 5", "-c 5 --threads 2"] {
        server.reset();
        let (measured, made) = connections(&server, &format!("-n 1000 {shape} --reconnect-every 10 -t get"));
        assert!((100..=105).contains(&made), "{shape}: {made}");
        assert!((95..=105).contains(&measured.count("connect_time")), "{shape}");
        assert_eq!(server.calls_of("get"), 1000, "{shape}");
    }
}

#[test]
fn there_are_as_many_connections_as_clients() {
    let server = RedisServer::start();
    for (clients, shape) in [(1, ""), (50, ""), (33, "--threads 4"), (20, "-P 16")] {
        let mut going = Measuring::start(&server.arguments(&format!("-n 1000000000 -c {clients} {shape} -t get")));
        going.until("all clients", || server.clients(&["cmd=get"]).len() == clients);
        going.interrupt().ended(130);
        wait_until("all are gone", || server.clients(&["cmd=get"]).is_empty());
    }
}

#[test]
fn connections_come_from_the_address_that_was_asked_for() {
    let server = RedisServer::start();
    for shape in ["", "-k 0", "--threads 2"] {
        let mut going =
            Measuring::start(&server.arguments(&format!("--bind 127.0.0.9 -n 1000000000 -c 5 {shape} -t get")));
        going.until("clients of that address", || !server.clients(&["cmd=get", " addr=127.0.0.9:"]).is_empty());
        assert!(server.clients(&["cmd=get"]).iter().all(|line| line.contains(" addr=127.0.0.9:")), "{shape}");
        going.interrupt().ended(130);
    }
}

#[test]
fn an_address_that_is_not_ours_is_told() {
    let server = RedisServer::start();
    let ran = rbench(&server.arguments("--bind 192.0.2.1 -n 10"));
    assert!(matches!(ran.code, Some(1..=3)), "{ran:?}");
    let code = ran.code.unwrap();
    ran.failed(code, &["192.0.2.1"]);
    rbench(&server.arguments("--bind nonsense")).failed(2, &["--bind"]);
}

#[test]
fn a_storm_of_connections_is_slowed_down() {
    let server = RedisServer::start();
    // 100 connections at 200 a second take half a second; the first is made at once.
    for line in ["-n 100 -c 100 --connect-rate 200 -t set", "-k 0 -n 100 -c 10 --connect-rate 200 -t set"] {
        let measured = measure_on(&server, line).ended(0);
        assert!(measured.ran.elapsed > Duration::from_millis(450), "{line}: {:?}", measured.ran.elapsed);
    }
}

#[test]
fn clients_think_between_requests() {
    let server = RedisServer::start();
    let measured = measure_on(&server, "-n 20 -c 1 --think-time 30ms -t set").ended(0);
    assert!(measured.ran.elapsed > Duration::from_millis(19 * 30), "{:?}", measured.ran.elapsed);
    // The time to think is no part of what a request takes.
    let median = measured.result()["service_time"]["percentiles"]["50"].as_u64().unwrap();
    assert!(median < 30_000_000, "{median}");
}

#[test]
fn clients_think_at_the_same_time() {
    let server = RedisServer::start();
    let measured = measure_on(&server, "-n 500 -c 50 --think-time 100ms -t set").ended(0);
    // One after the other, it would be 50 seconds.
    assert!(measured.ran.elapsed < Duration::from_secs(10), "{:?}", measured.ran.elapsed);
}

#[test]
fn the_system_asks_after_the_other_side_when_told_to() {
    let server = RedisServer::start();
    for (flags, asks) in [("", false), ("--tcp-keepalive 10", true), ("--tcp-keepalive 10,5,3", true)] {
        let mut idle = start(&server.arguments(&format!("-I -c 5 {flags}")));
        wait_until("five idle connections", || {
            assert!(idle.is_running(), "{flags}");
            let sockets = sockets::to_port(server.port);
            sockets.len() == 5 && sockets.iter().all(|socket| socket.keep_alive == asks)
        });
        drop(idle);
        wait_until("they are gone", || sockets::to_port(server.port).is_empty());
    }
    rbench(&server.arguments("--tcp-keepalive often")).failed(2, &["--tcp-keepalive"]);
}

#[test]
fn small_packets_may_wait_without_harm() {
    let server = RedisServer::start();
    measure_on(&server, "--no-nodelay -n 100 -c 5 -P 3 -t set").ended(0);
    assert_eq!(server.calls_of("set"), 100);
}

/// Where the system does not allow as many files, the program says so.
#[test]
fn ten_thousand_connections_work_on_one_thread() {
    let server = RedisServer::with(&["--maxclients", "10500", "--tcp-backlog", "4096"]);
    let line = "-c 10000 -n 20000 -t set -q";
    if getrlimit(Resource::Nofile).maximum.is_some_and(|maximum| maximum < 11_000) {
        rbench(&server.arguments(line)).failed(1, &["10000 connections", "ulimit"]);
        return;
    }
    let measured = measure_on(&server, line).ended(0);
    assert_eq!(server.calls_of("set"), 20_000);
    assert!(server.fact("total_connections_received") >= 10_000);
    assert_eq!(measured.result()["load_threads"][0]["clients"], 10_000);
}

#[test]
fn more_connections_than_the_system_allows_are_refused() {
    let server = RedisServer::start();
    let line = format!("ulimit -n 300; exec \"$0\" -p {} -c 1000 -t set", server.port);
    let mut shell = Command::new("sh");
    shell.args(["-c", &line, env!("CARGO_BIN_EXE_rbench")]);
    program::spawn(shell, b"").end().failed(1, &["1000 connections", "ulimit"]);
    assert_eq!(server.calls_of("set"), 0);
}

/// In a network of its own, which has twenty ports to connect from, and the server in the program itself.
#[test]
fn ports_that_are_used_up_are_called_so() {
    let line = "ip link set lo up && echo 40000 40019 >/proc/sys/net/ipv4/ip_local_port_range && exec \"$0\" --embedded -c 100 -n 1000 -t set";
    let mut command = Command::new("unshare");
    command.args(["-rn", "sh", "-c", line, env!("CARGO_BIN_EXE_rbench")]);
    if !Command::new("unshare").args(["-rn", "ip", "link"]).output().is_ok_and(|output| output.status.success()) {
        // This machine does not let us have a network.
        return;
    }
    program::spawn(command, b"").end().failed(1, &["no local port is free", "ip_local_port_range"]);
}
