//! Names with several addresses, and what is found at the other end of a path.

mod support;

use support::haproxy::Proxy;
use support::measured::Measuring;
use support::place::{Network, free_port};
use support::server::Place;
use support::{Measured, RedisServer, SLOW, measure, measure_on, rbench};

const NAME: &str = "redis.test";

/// Servers at two addresses and the same port, as a headless service has them. The second can be told what to do.
struct Pods {
    redis: [RedisServer; 2],
}

impl Pods {
    fn start() -> Pods {
        Pods::with(|_| Vec::new())
    }

    fn of_two_roles() -> Pods {
        let pods = Pods::with(|master| vec!["--replicaof".into(), master.address.clone(), master.port.to_string()]);
        let replica = &pods.redis[1];
        support::wait_until("a replica", || replica.info("master_link_status").as_deref() == Some("up"));
        pods
    }

    fn with(of_second: fn(&Place) -> Vec<String>) -> Pods {
        let try_start = || {
            let network = Network::any();
            let port = free_port(&network.address(1));
            let [first, second] = [1, 2].map(|host| Place { address: network.address(host), port, tls: false });
            let arguments = of_second(&first);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            Some(Pods { redis: [RedisServer::try_start(first, &[])?, RedisServer::try_start(second, &arguments)?] })
        };
        (0..10).find_map(|_| try_start()).expect("one of ten networks is free")
    }

    /// What leads to the name of the pods, and `line` behind it.
    fn arguments(&self, line: &str) -> Vec<String> {
        let [first, second] = &self.redis;
        let name = format!("-h {NAME} -p {} --resolve {NAME}={},{}", first.port, first.address, second.address);
        format!("{name} {line}").split_whitespace().map(str::to_owned).collect()
    }

    fn calls_of(&self, name: &str) -> [u64; 2] {
        [0, 1].map(|index| self.redis[index].calls_of(name))
    }
}

/// The addresses and ports of the targets in a document.
fn endpoints(measured: &Measured) -> Vec<&str> {
    let targets = measured.document["targets"].as_array().expect("targets");
    targets.iter().map(|target| target["endpoint"]["tcp"].as_str().expect("TCP")).collect()
}

#[test]
fn the_first_address_is_taken_without_a_word_when_all_are_alike() {
    let pods = Pods::start();
    rbench(&pods.arguments("-n 100 -t set")).succeeded();
    assert_eq!(pods.calls_of("set"), [100, 0]);
}

#[test]
fn other_addresses_with_other_roles_are_warned_of() {
    let pods = Pods::of_two_roles();
    let ran = rbench(&pods.arguments("-n 100 -t get")).ended(0);
    assert_eq!(pods.calls_of("get"), [100, 0]);
    let told: Vec<&str> = ran.stderr.lines().filter(|line| line.contains(NAME)).collect();
    assert!(told.len() == 1 && told[0].contains("--addresses"), "{}", ran.stderr);
}

#[test]
fn clients_spread_over_all_addresses() {
    let pods = Pods::start();
    let measured = measure(&pods.arguments("--addresses all -n 1000 -c 4 -t set")).ended(0);
    let calls = pods.calls_of("set");
    assert_eq!(calls[0] + calls[1], 1000);
    assert!(calls[0] > 0 && calls[1] > 0, "{calls:?}");
    assert_eq!(endpoints(&measured), pods.redis.each_ref().map(RedisServer::name));
    assert_eq!(measured.document["results"].as_array().unwrap().len(), 1);
    assert!(measured.result()["target"].is_null());
}

#[test]
fn each_address_has_a_run_of_its_own() {
    let pods = Pods::start();
    let measured = measure(&pods.arguments("--addresses each -n 100 -t set,get")).ended(0);
    assert_eq!((pods.calls_of("set"), pods.calls_of("get")), ([100, 100], [100, 100]));
    assert_eq!(endpoints(&measured), pods.redis.each_ref().map(RedisServer::name));
    let results = measured.document["results"].as_array().unwrap();
    let text = |title: &serde_json::Value| title.as_str().expect("a title").to_owned();
    let mut runs: Vec<_> = results.iter().map(|result| (result["target"].as_u64(), text(&result["title"]))).collect();
    runs.sort();
    let expected = [(0, "GET"), (0, "SET"), (1, "GET"), (1, "SET")];
    assert_eq!(runs.len(), 4);
    // A title may say more than the test.
    let is = |(run, other): (&(Option<u64>, String), (u64, &str))| run.0 == Some(other.0) && run.1.starts_with(other.1);
    assert!(runs.iter().zip(expected).all(is), "{runs:?}");
    // Side by side: whoever reads the report sees both.
    for pod in &pods.redis {
        assert!(measured.ran.stdout.contains(&pod.address), "{}", measured.ran.stdout);
    }
}

/// Runs side by side would be no comparison if a lost connection mixed them.
#[test]
fn a_run_of_one_address_comes_back_to_that_address() {
    let pods = Pods::start();
    let line = format!("--addresses each --on-error reconnect -n 800 -c 4 {SLOW}");
    let mut going = Measuring::start(&pods.arguments(&line));
    going.until("the load is on its way", || pods.redis[0].calls_of("debug") > 100);
    pods.redis[0].ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    let measured = going.end().ended(4);
    let sent = |index: usize| measured.document["results"][index]["sent"].as_u64().unwrap();
    assert_eq!((sent(0), sent(1)), (800, 800));
    // What was lost with its connection may have been executed, or not.
    let [first, second] = pods.calls_of("debug");
    assert!(first + measured.number("unknown") >= 800 && second == 800, "{first} {second}");
    assert_eq!(measured.errors("moved_away"), 0);
}

#[test]
fn a_second_way_to_a_server_is_left_alone_also_when_the_name_is_looked_up_again() {
    let network = Network::any();
    let [first, second] = [1, 2].map(|host| network.address(host));
    let server = RedisServer::at(&first, &["--bind", &first, &second]);
    let line = format!(
        "-h {NAME} -p {} --resolve {NAME}={first},{second} --addresses all --on-error reconnect -n 2000 -c 4 {SLOW}",
        server.port
    );
    let mut going = Measuring::start(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    going.until("the load is on its way", || server.calls_of("debug") > 100);
    server.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    let before = server.calls_of("debug");
    going.until("it goes on", || server.calls_of("debug") > before + 500);
    assert_eq!(server.clients(&["cmd=debug", &format!("laddr={second}")]), [""; 0]);
    assert_eq!(going.end().ended(4).errors("moved_away"), 0);
}

#[test]
fn one_server_with_two_addresses_counts_once() {
    let network = Network::any();
    let [first, second] = [1, 2].map(|host| network.address(host));
    let server = RedisServer::at(&first, &["--bind", &first, &second]);
    let name = format!("-h {NAME} -p {} --resolve {NAME}={first},{second}", server.port);
    for policy in ["all", "each"] {
        server.reset();
        let line = format!("{name} --addresses {policy} -n 100 -c 4 -t set");
        let measured = measure(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).ended(0);
        assert_eq!(server.calls_of("set"), 100, "{policy}");
        assert_eq!(endpoints(&measured).len(), 1, "{policy}");
    }
}

#[test]
fn a_list_of_addresses_that_is_none_is_a_mistake() {
    for list in ["redis.test", "redis.test=", "=127.0.0.1", "redis.test=nonsense"] {
        rbench(&["-h", NAME, "--resolve", list]).failed(2, &["--resolve"]);
    }
    rbench(&["-h", NAME, "--addresses", "some"]).failed(2, &["--addresses", "first", "all", "each"]);
}

#[test]
fn a_document_says_who_was_there_and_how_one_gets_there() {
    let server = RedisServer::start();
    let measured = measure_on(&server, "-n 10 -t set").ended(0);
    let target = &measured.document["targets"][0];
    assert_eq!(target["path"]["kind"], "direct", "{target:#}");
    assert_eq!(target["server"]["run_id"].as_str(), Some(server.run_id().as_str()));
    assert_eq!(target["server"]["role"], "master");
    assert_eq!(target["path"]["peer"].as_str(), Some(server.name().as_str()));
}

#[test]
fn a_proxy_is_seen_and_so_are_the_servers_behind_it() {
    let servers = [RedisServer::start(), RedisServer::start()];
    let proxy = Proxy::before(&[&servers[0], &servers[1]]);
    let measured = measure(&proxy.arguments("-n 10 -t set")).ended(0);
    let path = &measured.document["targets"][0]["path"];
    assert_eq!(path["kind"], "proxy", "{path:#}");
    let mut seen: Vec<_> = path["servers_seen"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    let mut expected = servers.each_ref().map(RedisServer::run_id);
    seen.sort_unstable();
    expected.sort_unstable();
    assert_eq!(seen, expected);
}

#[test]
fn a_proxy_before_one_server_shows_one() {
    let server = RedisServer::start();
    let proxy = Proxy::before(&[&server]);
    let measured = measure(&proxy.arguments("-n 10 -t set")).ended(0);
    let path = &measured.document["targets"][0]["path"];
    assert_eq!((&path["kind"], &path["servers_seen"]), (&"proxy".into(), &serde_json::json!([server.run_id()])));
}
