//! The sets of servers that other tests stand on: each is up, and does what it is for.

mod support;

use rustix::process::Signal;
use std::io::{Read, Write};
use std::net::TcpStream;
use support::cluster::{Cluster, SLOTS};
use support::haproxy::Proxy;
use support::link::Link;
use support::sentinel::{Passwords, Sentinels};
use support::tls::TlsServer;
use support::{RedisServer, Value, fake, wait_until};

#[test]
fn a_server_comes_back_where_it_was() {
    let mut server = RedisServer::start();
    server.tell(&["SET", "a", "1"]);
    let before = server.run_id();
    server.start_again();
    assert_ne!(server.run_id(), before);
    assert_eq!(server.ask(&["DBSIZE"]), Value::Number(0));
    Link::tcp(&server.address, server.port).unwrap();
}

#[test]
fn a_server_with_tls_does_not_take_plain_words() {
    let server = TlsServer::start();
    let mut plain = TcpStream::connect((server.redis.address.as_str(), server.redis.port)).unwrap();
    plain.write_all(b"PING\r\n").unwrap();
    let mut bytes = Vec::new();
    let _ = plain.read_to_end(&mut bytes);
    assert!(!bytes.starts_with(b"+PONG"));
}

#[test]
fn a_cluster_moves_a_slot_and_survives_a_master() {
    let mut cluster = Cluster::start();
    let key = "somekey";
    let slot = cluster.nodes[0].ask(&["CLUSTER", "KEYSLOT", key]).number() as u16;
    let from = cluster.master_of(slot, 0);
    cluster.nodes[from].tell(&["SET", key, "1"]);
    let to = (from + 1) % 3;
    cluster.move_slot(slot, to);
    assert_eq!(cluster.nodes[to].ask(&["GET", key]).text(), "1");
    assert!(matches!(cluster.nodes[from].ask(&["GET", key]), Value::Error(line) if line.starts_with("MOVED ")));
    // The slot must be known to the replicas before they can take it over.
    let witness = (from + 2) % 3;
    wait_until("all know of the move", || (0..6).all(|node| cluster.master_of(slot, node) == to));
    cluster.fail_over_soon();
    cluster.nodes[to].kill();
    wait_until("the replica takes over", || cluster.master_of(slot, witness) == to + 3);
    wait_until("and serves", || matches!(cluster.nodes[to + 3].ask(&["SET", key, "2"]), Value::Text(_)));
}

#[test]
fn a_cluster_of_one_has_all_slots() {
    let cluster = Cluster::single();
    assert_eq!((cluster.master_of(0, 0), cluster.master_of(SLOTS - 1, 0)), (0, 0));
}

#[test]
fn a_killed_master_is_replaced() {
    let mut set = Sentinels::start();
    set.fail_over_soon();
    set.redis[0].kill();
    let new = set.wait_for_another_than(0);
    wait_until("writes", || set.redis[new].ask(&["SET", "a", "1"]).is_ok());
}

#[test]
fn a_frozen_master_is_replaced() {
    let set = Sentinels::start();
    set.fail_over_soon();
    set.redis[0].signal(Signal::STOP);
    assert_ne!(set.wait_for_another_than(0), 0);
}

#[test]
fn a_living_master_hands_its_role_over() {
    let set = Sentinels::with(Passwords { redis: Some("data-secret"), sentinel: Some("watch-secret") });
    let new = set.fail_over();
    wait_until("the old master follows", || {
        set.redis[0].info("master_host").as_deref() == Some(set.redis[new].address.as_str())
    });
    let stranger = &set.sentinels[0];
    let reply = Link::tcp(&stranger.address, stranger.port).unwrap().ask(&["SENTINEL", "MASTERS"]).unwrap();
    assert!(matches!(reply, Value::Error(line) if line.starts_with("NOAUTH")));
}

#[test]
fn a_proxy_shows_its_own_address_and_takes_turns() {
    let servers = [RedisServer::start(), RedisServer::start()];
    let proxy = Proxy::before(&[&servers[0], &servers[1]]);
    // One more than there are servers: what asked whether the proxy listens may take its turn in between.
    let mut links = [(); 3].map(|()| Link::tcp(&proxy.address, proxy.port).unwrap());
    for link in &mut links {
        let client = link.ask(&["CLIENT", "INFO"]).unwrap().text();
        assert!(client.contains(&format!(" addr={}:", proxy.address)), "{client}");
    }
    for server in &servers {
        wait_until("a connection at each server", || !server.clients(&[&proxy.address]).is_empty());
    }
}

#[test]
fn a_server_that_plays_a_part_is_sound_until_the_load_begins() {
    let port = fake::play(|mut stream| drop(stream.write_all(b"-MINE now\r\n")));
    let mut link = Link::tcp("127.0.0.1", port).unwrap();
    assert!(link.ask(&["INFO", "everything"]).unwrap().text().contains("run_id:"));
    assert_eq!(link.ask(&["PING"]).unwrap(), Value::Text(b"PONG".into()));
    assert_eq!(link.ask(&["GET", "a"]).unwrap(), Value::Error("MINE now".into()));
}
