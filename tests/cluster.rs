//! A cluster: every key at its node, while slots move and nodes die.

mod support;

use support::cluster::Cluster;
use support::measured::Measuring;
use support::{Measured, RedisServer, Scratch, measure, rbench};

fn slot_of(cluster: &Cluster, key: &str) -> u16 {
    cluster.nodes[0].ask(&["CLUSTER", "KEYSLOT", key]).number() as u16
}

/// How often a node has sent clients away with `code`.
fn sent_away(node: &RedisServer, code: &str) -> u64 {
    let counted = node.info(&format!("errorstat_{code}"));
    counted.map_or(0, |count| count.trim_start_matches("count=").parse().unwrap())
}

#[track_caller]
fn no_errors(measured: &Measured) {
    assert_eq!(measured.errors_in_all(), 0, "{:#}", measured.result());
}

#[test]
fn keys_are_spread_over_the_slots_of_each_node() {
    let cluster = Cluster::start();
    no_errors(&measure(&cluster.arguments("-n 3000 -r 1000000 -c 6 -t set")).ended(0));
    assert_eq!(cluster.calls_of("set").iter().sum::<u64>(), 3000);
    for index in 0..3 {
        // Even with a slot for each batch, a node sees hundreds.
        let slots = cluster.keys_by_slot(index).len();
        assert!(slots > 100, "node {index} has keys in {slots} slots");
    }
}

#[test]
fn the_number_of_requests_is_exact_over_all_nodes() {
    let cluster = Cluster::start();
    for shape in ["-c 3", "-c 7 -P 16", "-c 7 --threads 2", "-c 5 -k 0", "-c 3 -3 -P 5", "-c 50 --threads 4 -P 16"] {
        cluster.nodes.iter().for_each(|node| drop(node.ask(&["CONFIG", "RESETSTAT"])));
        no_errors(&measure(&cluster.arguments(&format!("-n 1003 {shape} -r 1000 -t set,get"))).ended(0));
        for name in ["set", "get"] {
            let calls = cluster.calls_of(name);
            assert_eq!(calls.iter().sum::<u64>(), 1003, "{shape}: {calls:?}");
            assert!(calls.iter().all(|&calls| calls > 0), "{shape}: {calls:?}");
        }
    }
}

#[test]
fn the_whole_suite_finds_its_nodes() {
    let cluster = Cluster::start();
    rbench(&cluster.arguments("-n 60 -c 6 -P 3 -r 1000 -q")).ended(0);
    for index in 0..3 {
        assert_eq!(sent_away(&cluster.nodes[index], "MOVED"), 0);
        assert_eq!(sent_away(&cluster.nodes[index], "CROSSSLOT"), 0);
    }
}

#[test]
fn a_command_goes_where_its_key_is() {
    let cluster = Cluster::start();
    for key in ["fixed", "other{tagged}key"] {
        cluster.nodes.iter().for_each(|node| drop(node.ask(&["CONFIG", "RESETSTAT"])));
        no_errors(&measure(&cluster.arguments(&format!("-n 500 -c 6 set {key} v"))).ended(0));
        let mut expected = vec![0; 3];
        expected[cluster.master_of(slot_of(&cluster, key), 0)] = 500;
        assert_eq!(cluster.calls_of("set"), expected, "{key}");
    }
}

#[test]
fn a_command_whose_key_is_drawn_goes_where_its_key_is() {
    let cluster = Cluster::start();
    for pipeline in [1, 16] {
        cluster.nodes.iter().for_each(|node| drop(node.ask(&["CONFIG", "RESETSTAT"])));
        let line = format!("-n 1000 -c 6 -P {pipeline} -r 1000000 set drawn:__rand_int__ v");
        no_errors(&measure(&cluster.arguments(&line)).ended(0));
        let calls = cluster.calls_of("set");
        assert_eq!(calls.iter().sum::<u64>(), 1000, "{calls:?}");
        // Every client sends a batch before any is answered, and each node has two of them. Whose turn comes how often
        // after that is up to the machine.
        assert!(calls.iter().all(|&calls| calls >= 2 * pipeline), "{calls:?}");
    }
}

/// A slot that has moved is no failure of the server, and the original goes on, too.
fn a_slot_that_moves_is_followed(policy: &str) {
    let cluster = Cluster::start();
    let slot = slot_of(&cluster, "fixed");
    let from = cluster.master_of(slot, 0);
    let to = (from + 1) % 3;
    let line = format!("-n 1000000000 -c 6 --on-error {policy} set fixed v");
    let mut going = Measuring::start(&cluster.arguments(&line));
    going.until("the load is on its way", || cluster.calls_of("set")[from] > 100);
    cluster.move_slot(slot, to);
    going.until("the load is at the new node", || cluster.calls_of("set")[to] > 1000);
    let told = sent_away(&cluster.nodes[from], "MOVED");
    going.until("more of it", || cluster.calls_of("set")[to] > 3000);
    let measured = going.interrupt().ended(130);
    let counted = measured.replies("MOVED");
    // A node that had to wait for a processor may have read what was on its way to it only after the first look.
    let late = sent_away(&cluster.nodes[from], "MOVED") - told;
    assert!(late <= 6, "once it is told, the program knows; {late} more were sent away");
    let told = told + late;
    // What was in flight when a client left is unknown, though the node may have sent it away.
    assert!(counted >= 1 && (counted..=counted + measured.number("unknown")).contains(&told), "{told} {counted}");
    assert!(measured.number("completed") > 3000);
}

#[test]
fn a_slot_that_moves_is_followed_by_default() {
    a_slot_that_moves_is_followed("abort");
}

#[test]
fn a_slot_that_moves_is_followed_by_whoever_goes_on() {
    a_slot_that_moves_is_followed("continue");
}

#[test]
fn a_slot_that_moves_is_followed_by_whoever_reconnects() {
    a_slot_that_moves_is_followed("reconnect");
}

/// Keys of tests are spread over all slots: the program must not go on to use those that a node has given away.
#[test]
fn a_run_of_the_suite_completes_while_slots_move() {
    let cluster = Cluster::start();
    let mut going = Measuring::start(&cluster.arguments("-n 3000 -c 6 --think-time 5ms --on-error reconnect -t set"));
    going.until("the load is on its way", || cluster.calls_of("set")[0] > 100);
    for slot in 0..300 {
        cluster.move_slot(slot, 1);
    }
    let measured = going.end();
    assert!(matches!(measured.ran.code, Some(0 | 4)), "{:?}", measured.ran);
    assert_eq!(measured.number("completed") + measured.errors("reply"), 3000, "{:#}", measured.result());
}

#[test]
fn a_dead_node_ends_a_run_when_nothing_else_was_asked_for() {
    let mut cluster = Cluster::start();
    let mut going = Measuring::start(&cluster.arguments("-n 1000000000 -c 6 -t set"));
    going.until("the load is on its way", || cluster.calls_of("set").iter().all(|&calls| calls > 100));
    cluster.nodes[1].kill();
    let measured = going.end().ended(1);
    assert!(measured.ran.stderr.contains(&cluster.nodes[1].name()), "{}", measured.ran.stderr);
}

#[test]
fn a_dead_node_is_replaced_by_its_replica_and_the_run_goes_on() {
    let mut cluster = Cluster::start();
    cluster.fail_over_soon();
    let line = "-n 1000000000 -c 12 --think-time 10ms --on-error reconnect -t set";
    let mut going = Measuring::start(&cluster.arguments(line));
    going.until("the load is on its way", || cluster.calls_of("set").iter().all(|&calls| calls > 20));
    cluster.nodes[1].kill();
    going.until("the replica has its role", || cluster.nodes[4].info("role").as_deref() == Some("master"));
    cluster.nodes[4].ask(&["CONFIG", "RESETSTAT"]);
    going.until("the load is where the slots are", || cluster.nodes[4].calls_of("set") > 20);
    let measured = going.interrupt().ended(130);
    assert!(measured.errors("connect_refused") + measured.errors("eof") + measured.errors("reset") >= 1);
}

#[test]
fn nodes_without_a_client_are_named() {
    let cluster = Cluster::start();
    let ran = rbench(&cluster.arguments("-n 100 -c 2 -t set")).ended(0);
    let named = cluster.nodes[..3].iter().filter(|node| ran.stderr.contains(&node.name())).count();
    assert_eq!((ran.stderr.lines().count(), named), (1, 1), "{}", ran.stderr);
    assert_eq!(cluster.calls_of("set").iter().filter(|&&calls| calls == 0).count(), 1);
}

/// All requests of one key go to one node: nobody is left out who should have had some.
#[test]
fn one_key_needs_one_client() {
    let cluster = Cluster::start();
    rbench(&cluster.arguments("-n 100 -c 1 -q set fixed v")).succeeded();
    assert_eq!(cluster.calls_of("set").iter().sum::<u64>(), 100);
}

/// A replica sends every write away: redirections are followed, but a run of nothing else is no success.
#[test]
fn a_run_that_was_only_sent_away_has_failed() {
    let cluster = Cluster::start();
    let ran = rbench(&cluster.arguments("--rfr yes -n 100 -c 6 -q -t set")).ended(1);
    assert!(ran.stderr.contains("MOVED 100") && ran.stderr.contains("none of 100 requests"), "{}", ran.stderr);
}

#[test]
fn whoever_forgets_that_it_is_a_cluster_is_told() {
    let cluster = Cluster::start();
    let node = &cluster.nodes[(cluster.master_of(slot_of(&cluster, "fixed"), 0) + 1) % 3];
    rbench(&node.arguments("-n 100 set fixed v")).failed(1, &["MOVED", "--cluster"]);
    rbench(&cluster.arguments("-n 100 mset a v b v")).failed(1, &["CROSSSLOT", "{tag}"]);
}

#[test]
fn a_cluster_of_one_node_is_a_cluster() {
    let cluster = Cluster::single();
    no_errors(&measure(&cluster.arguments("-n 1000 -r 1000 -c 5 -t set,get")).ended(0));
    assert_eq!(cluster.nodes[0].calls_of("set"), 1000);
    assert!(cluster.keys_by_slot(0).len() > 100);
}

#[test]
fn a_server_that_is_no_cluster_is_told_in_one_line() {
    let server = RedisServer::start();
    rbench(&server.arguments("--cluster -n 10")).failed(3, &[&server.name(), "cluster"]);
}

#[test]
fn a_cluster_that_does_not_serve_all_slots_is_told() {
    let server = RedisServer::with(&["--cluster-enabled", "yes"]);
    let ran = rbench(&server.arguments("--cluster -n 10"));
    assert!(matches!(ran.code, Some(1 | 3)), "{ran:?}");
    let code = ran.code.unwrap();
    ran.failed(code, &["slot"]);
}

#[test]
fn replicas_are_read_when_asked_for() {
    let cluster = Cluster::start();
    for (rfr, at_masters, at_replicas) in [("no", true, false), ("yes", false, true), ("all", true, true)] {
        cluster.nodes.iter().for_each(|node| drop(node.ask(&["CONFIG", "RESETSTAT"])));
        no_errors(&measure(&cluster.arguments(&format!("--rfr {rfr} -n 1200 -c 12 -t get"))).ended(0));
        let calls: Vec<u64> = cluster.nodes.iter().map(|node| node.calls_of("get")).collect();
        assert_eq!(calls.iter().sum::<u64>(), 1200, "{rfr}: {calls:?}");
        assert!(calls[..3].iter().all(|&calls| (calls > 0) == at_masters), "{rfr}: {calls:?}");
        assert!(calls[3..].iter().all(|&calls| (calls > 0) == at_replicas), "{rfr}: {calls:?}");
    }
    rbench(&cluster.arguments("--rfr maybe")).failed(2, &["--rfr", "no", "yes", "all"]);
}

#[test]
fn a_cluster_with_a_password_lets_us_in_everywhere() {
    let cluster = Cluster::with(&["--requirepass", "secret", "--masterauth", "secret"]);
    no_errors(&measure(&cluster.arguments("-a secret -n 300 -c 6 -t set")).ended(0));
    assert_eq!(cluster.calls_of("set").iter().sum::<u64>(), 300);
    rbench(&cluster.arguments("-n 10")).failed(3, &["NOAUTH"]);
}

#[test]
fn each_node_of_a_cluster_is_a_target() {
    let cluster = Cluster::start();
    let scratch = Scratch::new();
    let json = scratch.path("result.json");
    rbench(&cluster.arguments(&format!("-n 100 -c 6 -t set --json {}", json.display()))).ended(0);
    let document = support::document(&json);
    let mut found: Vec<_> =
        document["targets"].as_array().unwrap().iter().map(|target| &target["server"]["run_id"]).collect();
    let mut expected: Vec<_> = cluster.nodes[..3].iter().map(|node| serde_json::Value::from(node.run_id())).collect();
    found.sort_by_key(|id| id.to_string());
    expected.sort_by_key(|id| id.to_string());
    assert_eq!(found, expected.iter().collect::<Vec<_>>());
}
