//! `--cleanup`: what a run wrote is gone when it ends, whichever way it ends, and nothing else is.

mod support;

use rustix::process::Signal;
use std::collections::BTreeSet;
use support::cluster::Cluster;
use support::{RedisServer, rbench, start, wait_until, words};

/// The keys of somebody else.
const OTHERS: &str =
    "mset mylist theirs key: theirs key:1 theirs counter theirs key:000000000099:x theirs other theirs";

fn others() -> BTreeSet<String> {
    words(OTHERS)[1..].chunks(2).map(|pair| pair[0].to_owned()).collect()
}

fn server_of_others() -> RedisServer {
    let server = RedisServer::start();
    server.tell(&words(OTHERS));
    server.ask(&["CONFIG", "RESETSTAT"]);
    server
}

#[test]
fn a_run_leaves_nothing_behind_and_takes_nothing_away() {
    let server = server_of_others();
    for line in [
        "-t set,incr,mset -r 1000000",
        "-t set,incr,hset -r 10 --key-prefix app:",
        "--dbnum 3 -t set,lpush",
        "-t set -r 100 --threads 2 -c 4 -P 7 -k 0",
        "set a:__rand_1st__ v ; rename a:__rand_1st__ b:__rand_1st__",
    ] {
        rbench(&server.arguments(&format!("--guard off -q -n 1000 --cleanup {line}"))).succeeded();
        assert_eq!(server.keys(), others(), "{line}");
        assert!(server.info("db3").is_none(), "{line}");
    }
}

#[test]
fn what_a_script_was_given_as_keys_is_removed() {
    let server = server_of_others();
    let mut arguments = server.arguments("--guard off -q -n 1000 -r 100 --cleanup eval");
    arguments.extend(["redis.call('set',KEYS[1],1)", "1", "key:__rand_int__"].map(str::to_owned));
    rbench(&arguments).succeeded();
    assert_eq!(server.calls_of("set"), 1000);
    assert_eq!(server.keys(), others());
}

/// Keys that a command only reads are not its own, though they stand in its requests.
#[test]
fn keys_that_were_only_read_stay() {
    let server = server_of_others();
    for line in ["copy other mine", "bitop and mine other counter", "get other", "pfcount nothing"] {
        rbench(&server.arguments(&format!("--guard off -q -n 10 --cleanup {line}"))).succeeded();
        assert_eq!(server.keys(), others(), "{line}");
    }
}

/// The first test was on its way: the second had not touched its list, which is somebody else's.
#[test]
fn after_an_interrupt_only_what_was_begun_is_cleaned_up() {
    let server = server_of_others();
    let line = "--guard off -q -n 1000000000 -r 1000000000000 --cleanup -t set,lpush";
    let running = start(&server.arguments(line));
    wait_until("the load is on its way", || server.calls_of("set") > 1000);
    running.signal(Signal::INT);
    running.end().ended(130);
    assert_eq!(server.keys(), others());
    // And not a thousand million keys that would have been written.
    assert!(server.calls_of("unlink") < 1000, "{}", server.calls_of("unlink"));
}

#[test]
fn every_round_of_an_endless_run_is_cleaned_up() {
    let server = server_of_others();
    let running = start(&server.arguments("--guard off -q -n 300 -r 1000000000000 --cleanup -t set,incr -l"));
    wait_until("some rounds are over", || server.calls_of("incr") > 1000);
    running.signal(Signal::INT);
    running.end().ended(130);
    assert_eq!(server.keys(), others());
}

#[test]
fn every_address_of_a_name_is_cleaned_up() {
    let master = RedisServer::at("127.91.7.1", &[]);
    let port = master.port.to_string();
    let place = |host: &str| support::server::Place { address: host.to_owned(), port: master.port, tls: false };
    let other = RedisServer::try_start(place("127.91.7.2"), &[]).expect("the port is free there, too");
    let replica = ["--replicaof", "127.91.7.1", &port, "--repl-diskless-sync-delay", "0"];
    let replica = RedisServer::try_start(place("127.91.7.3"), &replica).expect("the port is free there, too");
    wait_until("the replica has its master", || replica.info("master_link_status").as_deref() == Some("up"));
    for addresses in ["all", "each"] {
        let line = format!(
            "-h pods.test -p {port} --resolve pods.test=127.91.7.1,127.91.7.2,127.91.7.3 --addresses {addresses} \
             --guard off -q -n 1000 -r 1000 --cleanup --on-error continue -t set"
        );
        // The replica takes no writes, and has nothing to be removed.
        rbench(&words(&line)).ended(4);
        assert!(other.calls_of("set") > 0 && master.calls_of("set") > 0);
        assert_eq!((master.keys(), other.keys()), (BTreeSet::new(), BTreeSet::new()), "{addresses}");
    }
}

#[test]
fn a_cluster_is_cleaned_up_node_by_node_and_key_by_key() {
    let cluster = Cluster::start();
    // `{000}` leads to a slot that `{tag}` is never drawn to by that word.
    let others = ["key:{000}:000000000001", "key:{tag}:1", "mylist", "mylist:{000}", "key:000000000001"];
    for key in others {
        let slot = cluster.nodes[0].ask(&["CLUSTER", "KEYSLOT", key]).number() as u16;
        cluster.nodes[cluster.master_of(slot, 0)].tell(&["SET", key, "theirs"]);
    }
    for line in ["-t set,incr,lpush,mset -r 1000", "-t set -r 1000 --key-prefix app:", "set own:__rand_int__ v"] {
        rbench(&cluster.arguments(&format!("--guard off -q -n 600 -c 6 --cleanup {line}"))).succeeded();
        let left: BTreeSet<String> = cluster.nodes[..3].iter().flat_map(RedisServer::keys).collect();
        assert_eq!(left, others.map(str::to_owned).into(), "{line}");
    }
    let refused = |node: &RedisServer| node.info("errorstat_CROSSSLOT").or(node.info("errorstat_MOVED"));
    assert!(cluster.nodes[..3].iter().all(|node| node.calls_of("unlink") > 100 && refused(node).is_none()));
}

/// The run ends for its own reason, and the keys that stay behind are told of all the same.
#[test]
fn keys_that_could_not_be_removed_are_told_of_whatever_ended_the_run() {
    let server = RedisServer::start();
    let line = "--guard off -q -n 1000000000 --cleanup --timeout 500ms --connect-timeout 500ms -t set";
    let running = start(&server.arguments(line));
    wait_until("the load is on its way", || server.calls_of("set") > 100);
    server.signal(Signal::STOP);
    let ran = running.end().ended(1);
    server.signal(Signal::CONT);
    for words in ["did not reply within", "keys may be left"] {
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
}

/// A value that is drawn is known to nobody afterwards; one that is the same in each request is.
#[test]
fn values_in_keys_are_removed_when_they_are_known() {
    let server = server_of_others();
    let line = |flags: &str| server.arguments(&format!("--guard off -q -n 100 --cleanup {flags} set k:__data__ v"));
    rbench(&line("-d 5")).succeeded();
    assert_eq!(server.keys(), others());
    for drawn in ["--value-data random", "--value-size 5-50"] {
        rbench(&line(drawn)).failed(2, &["--cleanup", "__data__"]);
    }
    assert_eq!(server.calls_of("set"), 100, "nothing was written that could not be removed");
}
