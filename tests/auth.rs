//! Who comes in: passwords, users, and the ways to write them down.

mod support;

use std::net::TcpListener;
use std::process::Command;
use support::{RedisServer, Value, measure, measure_on, program, rbench};

const LOAD: [&str; 4] = ["-n", "20", "-t", "set"];

/// Runs the load against the server that `uri` names. Returns how many keys it has left there.
fn keys_after(server: &RedisServer, uri: &str, database: &str) -> i64 {
    server.reset();
    rbench(&[&["-u", uri][..], &LOAD].concat()).succeeded();
    server.tell(&["SELECT", database]);
    let keys = server.ask(&["DBSIZE"]).number();
    server.tell(&["SELECT", "0"]);
    keys
}

#[test]
fn a_uri_leads_to_a_server_whatever_its_form() {
    let server = RedisServer::with(&["--requirepass", "pa/ss@word"]);
    server.tell(&["ACL", "SETUSER", "al:ice", "on", ">w%nder", "~*", "+@all"]);
    let (port, socket) = (server.port, server.socket());
    for (uri, database) in [
        (format!("redis://:pa%2Fss%40word@127.0.0.1:{port}/3"), "3"),
        (format!("redis://pa%2Fss%40word@localhost:{port}"), "0"),
        (format!("valkey://al%3Aice:w%25nder@127.0.0.1:{port}/1"), "1"),
        (format!("redis-socket://:pa%2Fss%40word@{socket}?db=2"), "2"),
        (format!("redis-socket://al%3Aice:w%25nder@{socket}"), "0"),
        (format!("unix://:pa%2Fss%40word@{socket}?db=5"), "5"),
    ] {
        assert_eq!(keys_after(&server, &uri, database), 1, "{uri}");
    }
}

#[test]
fn a_uri_names_a_socket_by_three_strokes() {
    let server = RedisServer::start();
    for scheme in ["redis-socket", "unix"] {
        assert_eq!(keys_after(&server, &format!("{scheme}://{}?db=3", server.socket()), "3"), 1, "{scheme}");
    }
}

#[test]
fn an_address_of_version_6_is_in_brackets() {
    if TcpListener::bind("[::1]:0").is_err() {
        // This machine has no IPv6.
        return;
    }
    let server = RedisServer::with(&["--bind", "127.0.0.1", "::1", "--requirepass", "secret"]);
    assert_eq!(keys_after(&server, &format!("redis://:secret@[::1]:{}", server.port), "0"), 1);
}

/// The server has no port, so that whatever reaches it comes through the socket.
#[test]
fn a_socket_is_enough_for_all_that_is_said() {
    let server = RedisServer::with(&["--port", "0"]);
    let arguments = [&["-s".to_owned(), server.socket()][..], &LOAD.map(str::to_owned)].concat();
    let measured = measure(&arguments).ended(0);
    assert_eq!(server.calls_of("set"), 20);
    let target = &measured.document["targets"][0];
    assert_eq!(target["server"]["run_id"].as_str(), Some(server.run_id().as_str()));
    assert_eq!(target["path"]["kind"], "socket", "{target:#}");
}

#[test]
fn a_password_can_be_typed() {
    let server = RedisServer::with(&["--requirepass", "typed-secret"]);
    // `script` is a terminal for the program, and types what we give it.
    let line = format!("{} -p {} --askpass -n 20 -t set", env!("CARGO_BIN_EXE_rbench"), server.port);
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).env_remove("REDISCLI_AUTH");
    program::spawn(script, b"typed-secret\n").end().ended(0);
    assert_eq!(server.calls_of("set"), 20);
}

fn with_reader() -> RedisServer {
    let server = RedisServer::start();
    server.tell(&["ACL", "SETUSER", "reader", "on", ">secret", "~*", "+@all", "-set"]);
    server
}

#[test]
fn a_user_who_may_not_is_told_so_in_the_words_of_the_server() {
    rbench(&with_reader().arguments("--user reader -a secret -n 20 -t set")).failed(1, &["NOPERM"]);
}

#[test]
fn a_user_who_may_not_is_counted_when_the_run_goes_on() {
    let server = with_reader();
    for protocol in ["", "-3"] {
        let line = format!("--user reader -a secret -n 20 -t set --on-error continue {protocol}");
        let measured = measure_on(&server, &line).went_on();
        assert_eq!(measured.replies("NOPERM"), 20);
    }
}

/// It may neither ask who the server is, nor who else is there.
#[test]
fn a_user_who_may_do_nothing_else_may_send_the_load() {
    let server = RedisServer::start();
    server.tell(&["ACL", "SETUSER", "writer", "on", ">secret", "~*", "-@all", "+set"]);
    let measured = measure_on(&server, "--user writer -a secret -n 20 -t set").ended(0);
    assert_eq!(server.calls_of("set"), 20);
    let target = &measured.document["targets"][0];
    assert!(target["server"]["reason"].as_str().is_some_and(|reason| reason.contains("NOPERM")), "{target:#}");
    assert_eq!(target["path"]["kind"], "unknown", "{target:#}");
    assert_eq!(server.ask(&["DBSIZE"]), Value::Number(1));
}
