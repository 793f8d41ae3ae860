//! Ways to a server beside each other.

mod support;

use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use support::haproxy::Proxy;
use support::{Ran, RedisServer, Scratch, document, rbench, start, wait_until, words};

/// As short as a comparison can be.
const SHORT: &str = "--rounds 6 --slice 100ms --settle 20ms -c 5";

/// A comparison, and its document.
#[track_caller]
fn compare(line: &str) -> (Ran, Value) {
    let scratch = Scratch::new();
    let json = scratch.path("compare.json");
    let ran = rbench(&words(&format!("compare {SHORT} --json {} {line}", json.display())));
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    (ran, document(&json))
}

/// The line of a metric in the first comparison.
#[track_caller]
fn metric<'a>(document: &'a Value, name: &str) -> &'a Value {
    let metrics = document["compare"]["comparisons"][0]["metrics"].as_array().expect("metrics");
    metrics.iter().find(|metric| metric["metric"] == name).unwrap_or_else(|| panic!("no {name}: {metrics:#?}"))
}

fn ratio(document: &Value, name: &str) -> [f64; 3] {
    let ratio = &metric(document, name)["comparison"]["ratio"];
    ["value", "low", "high"].map(|end| ratio[end].as_f64().expect("a number"))
}

/// Replies that are held back for 100 ms come 100 ms later. That is long beside what a busy machine does to the middle of a
/// slice, which must not happen in one of six: as few have an interval as wide as they scatter.
#[test]
fn a_difference_that_is_there_is_found() {
    let line = "--path quick=embedded --path late=embedded:delay:100ms --different-servers -t set --rate 1000 -c 200";
    let (ran, document) = compare(&format!("{line} --primary p50 --margin 50% --slice 300ms"));
    assert_eq!(metric(&document, "p50")["comparison"]["verdict"], "slower");
    let by = metric(&document, "p50")["comparison"]["difference"]["value"].as_f64().unwrap() / 1e6;
    assert!((70.0..400.0).contains(&by), "later by {by} ms");
    assert_eq!(metric(&document, "throughput")["comparison"]["verdict"], "no_difference");
    let shift = document["compare"]["comparisons"][0]["shift"].as_array().unwrap();
    let later = |point: &&Value| point["difference_ns"]["value"].as_f64().unwrap() > 4e7;
    assert!(shift.iter().filter(later).count() * 2 > shift.len(), "{shift:#?}");
    for told in ["p50 (ms)*", "slower", "late beside quick", "1000 requests/s offered", "(reference)"] {
        assert!(ran.stdout.contains(told), "no {told:?} in {}", ran.stdout);
    }
    assert!(!ran.stdout.contains("closed loop"), "{}", ran.stdout);
}

#[test]
fn turns_are_balanced_and_the_same_for_all() {
    let (ran, document) =
        compare("--path a=embedded --path b=embedded --path c=embedded --different-servers -t set,get");
    let results = document["results"].as_array().unwrap();
    let turns: BTreeSet<(String, u64, u64)> = results
        .iter()
        .map(|it| {
            (it["title"].as_str().unwrap().to_owned(), it["round"].as_u64().unwrap(), it["path"].as_u64().unwrap())
        })
        .collect();
    assert_eq!((results.len(), turns.len()), (2 * 6 * 3, 2 * 6 * 3), "two tests, six rounds, three paths, each once");
    assert!(turns.iter().all(|(_, round, _)| (1..=6).contains(round)), "the first round counts in nothing");
    assert_eq!(document["compare"]["comparisons"].as_array().unwrap().len(), 4, "each test, each but the reference");
    assert!(ran.stdout.contains("the slower path was offered less"), "{}", ran.stdout);
}

/// Of a hundred thousand keys, two paths would draw hardly one in common by chance.
#[test]
fn all_paths_get_the_same_requests() {
    let servers = [RedisServer::start(), RedisServer::start()];
    let [one, other] = servers.each_ref().map(RedisServer::name);
    compare(&format!("--path a={one} --path b={other} --different-servers -t set -r 100000 --rate 500"));
    let [one, other] = servers.map(|server| server.keys());
    let common = one.intersection(&other).count();
    assert!(common > 50 && 2 * common > one.len().max(other.len()), "{common} of {} and {}", one.len(), other.len());
}

/// Connections are made once, whatever the number of turns.
#[test]
fn connections_stand_through_all_turns() {
    let server = RedisServer::start();
    let path = |name: &str| format!("--path {name}={}", server.name());
    server.reset();
    let before = server.fact("total_connections_received");
    compare(&format!("{} {} -t set", path("a"), path("b")));
    let made = server.fact("total_connections_received") - before;
    // Two times five, a connection for questions on each path, and those of this test.
    assert!((10..=20).contains(&made), "{made} connections were made");
    assert!(server.calls_of("set") > 100);
}

#[test]
fn a_proxy_is_seen_and_its_price_is_told() {
    let server = RedisServer::start();
    let proxy = Proxy::before(&[&server]);
    let paths = format!("--path direct={} --path haproxy={}:{}", server.name(), proxy.address, proxy.port);
    let (ran, document) = compare(&format!("{paths} -t get --primary throughput --slice 200ms"));
    // How high it is, a busy machine decides.
    let [value, low, high] = ratio(&document, "throughput");
    assert!(0.0 < low && low <= value && value <= high, "{}", ran.stdout);
    let at = format!(" at {}", server.name());
    for told in ["direct to redis", "through a proxy to redis", "PING", "master", &at, "haproxy beside direct"] {
        assert!(ran.stdout.contains(told), "no {told:?} in {}", ran.stdout);
    }
    let ends = document["targets"].as_array().unwrap();
    assert_eq!(ends.len(), 2);
    assert_eq!(ends[0]["server"]["run_id"], ends[1]["server"]["run_id"]);
    assert!(document["compare"]["paths"].as_array().unwrap().iter().all(|path| path["afterwards"] == "same"));
    assert!(document["compare"]["paths"][1]["round_trip_ns"].as_u64().unwrap() > 0);
}

#[test]
fn what_differs_in_more_than_the_way_is_not_compared() {
    let (one, other) = (RedisServer::start(), RedisServer::start());
    let paths = format!("compare {SHORT} --path one={} --path other={}", one.name(), other.name());
    rbench(&words(&format!("{paths} -t get"))).failed(2, &["different servers", "one", "other", "--different-servers"]);
    rbench(&words(&format!("{paths} -t set --different-servers"))).ended(0);
    // A proxy in front of both ends at two servers.
    let proxy = Proxy::before(&[&one, &other]);
    let line = format!("compare {SHORT} --path one={} --path both={}:{}", one.name(), proxy.address, proxy.port);
    rbench(&words(&line)).failed(2, &["different servers", "both"]);
    // Writes at a replica.
    let (host, port) = one.name().rsplit_once(':').map(|(host, port)| (host.to_owned(), port.to_owned())).unwrap();
    other.tell(&["REPLICAOF", &host, &port]);
    wait_until("it is a replica", || other.info("master_link_status").as_deref() == Some("up"));
    let name = other.name();
    let line = |test: &str| format!("compare {SHORT} --path a={name} --path b={name} -t {test}");
    rbench(&words(&line("set"))).failed(2, &["replica", "--different-servers"]);
    rbench(&words(&line("set --guard off"))).failed(2, &["replica", "--different-servers"]);
    rbench(&words(&line("get"))).ended(0);
}

#[test]
fn a_path_beside_itself_shows_the_noise() {
    let server = RedisServer::start();
    let (ran, document) = compare(&format!("--path direct={} --aa -t get --rate 2000 --slice 200ms", server.name()));
    let names: Vec<&Value> =
        document["compare"]["paths"].as_array().unwrap().iter().map(|path| &path["name"]).collect();
    assert_eq!(names, ["direct", "direct-again"]);
    // One interval of equals in thirty leaves out 1, by a little.
    let [value, low, high] = ratio(&document, "throughput");
    assert!(low < 1.1 && high > 0.9 && (0.8..1.25).contains(&value), "{}", ran.stdout);
    let (_, of_ours) = compare("--path a=embedded --aa -t get --rate 2000");
    assert_eq!(of_ours["targets"][0]["server"]["run_id"], of_ours["targets"][1]["server"]["run_id"]);
}

/// A server that is started again is another one, with other data, whoever was measured of the two.
#[test]
fn a_server_that_was_started_again_voids_the_comparison() {
    let (mut server, scratch) = (RedisServer::start(), Scratch::new());
    let json = scratch.path("compare.json");
    let line = format!(
        "compare --path a={} --aa -t set --rounds 6 --slice 500ms --settle 20ms -c 2 --on-error reconnect --json {}",
        server.name(),
        json.display()
    );
    let running = start(&words(&format!("{line} --fail-if throughput<-99%")));
    wait_until("a turn is under way", || server.calls_of("set") > 100);
    server.kill();
    server.start_again();
    let ran = running.end().ended(1);
    for told in ["the path 'a' ended at", "a failover or a restart", "the comparison is void"] {
        assert!(ran.stderr.contains(told), "no {told:?} in {}", ran.stderr);
    }
    let is_judged =
        |told: &str| told.contains("unclear") || told.contains("no difference of") || told.contains("no_difference");
    assert!(
        ran.stdout.contains("void: the figures are not of one server") && !is_judged(&ran.stdout),
        "{}",
        ran.stdout
    );
    let document = document(&json);
    let afterwards = &document["compare"]["paths"][1]["afterwards"]["moved"];
    assert_ne!(afterwards["from"], afterwards["to"]);
    let path = json.to_str().expect("UTF-8");
    let csv = rbench(&words(&format!("report {path} --format csv"))).succeeded().stdout;
    assert!(!is_judged(&csv), "{csv}");
}

/// Documents of runs that were repeated; each reply of the second server comes four milliseconds later, so that its runs
/// take many times as long as those of the first.
fn saved(scratch: &Scratch, repeats: u32) -> [String; 2] {
    [("before", ""), ("after", "=delay:4ms")].map(|(name, behaviour)| {
        let path = scratch.path(&format!("{name}.json")).to_str().expect("UTF-8").to_owned();
        let line = format!("--embedded{behaviour} -t set,get -c 5 -n 300 -q --repeat {repeats} --json {path}");
        rbench(&words(&line)).ended(0);
        path
    })
}

#[test]
fn documents_are_compared_and_judged() {
    let scratch = Scratch::new();
    let [before, after] = saved(&scratch, 6);
    let from = format!("compare --from {before} --from {after} --primary p50");
    let ran = rbench(&words(&from)).succeeded();
    for told in ["after beside before", "NOT interleaved", "p50 (ms)*", "slower"] {
        assert!(ran.stdout.contains(told), "no {told:?} in {}", ran.stdout);
    }
    rbench(&words(&format!("{from} --fail-if p50>+10%"))).ended(5);
    let gate = rbench(&words(&format!("{from} --fail-if throughput<-5%,p50>+100000%"))).ended(5);
    assert!(gate.stderr.contains("throughput<-5%") && !gate.stderr.contains("100000"), "{}", gate.stderr);
    rbench(&words(&format!("compare --from {after} --from {before} --fail-if p50>+10%"))).ended(0);
    rbench(&words(&format!("{from} --reference after --fail-if p50>+10%"))).ended(0);
    rbench(&words(&format!("{from} --reference nobody"))).failed(2, &["nobody", "before, after"]);
    rbench(&words(&format!("compare --from {before}"))).failed(2, &["--from"]);
    // A percentile of 300 requests is none, also when the comparison is for it.
    let ran = rbench(&words(&format!("compare --from {before} --from {after}"))).succeeded();
    assert!(ran.stdout.contains("p99 (ms)*") && ran.stdout.contains("has too few samples"), "{}", ran.stdout);
    rbench(&words(&format!("{from} --fail-if p99>+10%"))).ended(1);
}

/// What was measured differently differs for more reasons than one.
#[test]
fn documents_of_another_load_are_told_apart() {
    let scratch = Scratch::new();
    let kept = ["five", "seven", "rate"].map(|name| scratch.path(&format!("{name}.json")).display().to_string());
    let [five, seven, rate] = &kept;
    for (flags, path) in [("-c 5", five), ("-c 7 -P 2", seven), ("-c 5 --rate 20000", rate)] {
        rbench(&words(&format!("--embedded -t set -n 200 -q --repeat 6 {flags} --json {path}"))).succeeded();
    }
    let whole = scratch.path("compare.json");
    let from = format!("compare --from {five} --from {seven}");
    let ran = rbench(&words(&format!("{from} --primary p50 --json {}", whole.display()))).succeeded();
    assert!(ran.stdout.contains("they differ in clients (5, 7), pipeline (1, 2)"), "{}", ran.stdout);
    let document = document(&whole);
    assert_eq!(document["command_line"][1], "compare", "whoever compared, not whoever measured");
    rbench(&words(&format!("compare --from {five} --from {five}"))).succeeded();
    rbench(&words(&format!("compare --from {five} --from {rate}"))).failed(1, &["--rate", "closed loop"]);
    for flag in ["-c 5", "-t set", "--rounds 20", "--different-servers", "--haproxy-stats unix:/none"] {
        let named = flag.split(' ').next().unwrap().replace("-c", "--clients").replace("-t", "--tests");
        let ran = rbench(&words(&format!("{from} {flag}"))).failed(2, &["--from"]);
        assert!(ran.stderr.contains(&named), "{named} is not in {}", ran.stderr);
    }
}

/// Every server that is loaded is looked at first, not only the one that the first path leads to.
#[test]
fn the_guard_looks_behind_every_path() {
    let (empty, used) = (RedisServer::start(), RedisServer::start());
    used.tell(&["SET", "someone", "else"]);
    let paths = format!("--path empty={} --path used={}", empty.name(), used.name());
    let line = format!("compare {SHORT} {paths} --different-servers -t set --guard");
    let search = format!("capacity --promise p50<10s {paths} -t set --guard refuse");
    for line in [format!("{line} refuse"), search] {
        let ran = rbench(&words(&line)).ended(6);
        assert!(ran.stderr.contains("1 key of another owner"), "{}", ran.stderr);
    }
    assert_eq!([empty.calls_of("set"), used.calls_of("set")], [0, 1]);
    let (_, document) = compare(&format!("{paths} --different-servers -t set --guard warn"));
    assert!(document["guard"]["findings"].to_string().contains("another owner"), "{:#}", document["guard"]);
}

#[test]
fn too_few_repeats_are_no_gate() {
    let scratch = Scratch::new();
    let [before, after] = saved(&scratch, 3);
    let from = format!("compare --from {before} --from {after}");
    let ran = rbench(&words(&from)).succeeded();
    assert!(ran.stdout.contains("too few rounds"), "{}", ran.stdout);
    let gate = rbench(&words(&format!("{from} --fail-if p50>+10%"))).ended(1);
    assert!(gate.stderr.contains("6 at least"), "{}", gate.stderr);
}

#[test]
fn every_format_tells_the_same() {
    let line = "--path a=embedded --path b=embedded --different-servers -t set --primary throughput --slice 200ms";
    let csv = compare(&format!("{line} --format csv")).0.stdout;
    let mut rows = csv.lines();
    assert!(rows.next().unwrap().starts_with("\"test\",\"reference\",\"path\",\"metric\""), "{csv}");
    let fields = |row: &str| row[1..row.len() - 1].split("\",\"").map(str::to_owned).collect::<Vec<_>>();
    let row = rows.map(fields).find(|row| row[3] == "throughput").expect("a row of the rate");
    assert_eq!((row.len(), row[4].as_str(), row[5].as_str()), (16, "true", "6"), "{row:?}");
    let markdown = compare(&format!("{line} --format markdown")).0.stdout;
    assert!(
        markdown.contains("| **throughput** |")
            && markdown.starts_with("- a: ")
            && markdown.contains("\n### SET: b beside a"),
        "{markdown}"
    );
    let json: Value = serde_json::from_str(&compare(&format!("{line} --format json")).0.stdout).expect("JSON");
    assert_eq!(json["kind"], "compare");
}

/// Rounds go on until the answer is as narrow as it was wanted, or there are enough of them.
#[test]
fn precision_is_what_ends_it() {
    // What a request costs the client is what a busy machine changes least.
    let line = "--path a=embedded --aa -t set --primary cpu --slice 200ms";
    let rounds = |flags: &str| compare(&format!("{line} {flags}")).1["compare"]["comparisons"][0]["rounds"].as_u64();
    let few = rounds("--precision-target 99% --max-rounds 50").unwrap();
    assert!((6..50).contains(&few), "{few}");
    assert_eq!(rounds("--precision-target 0.0001% --max-rounds 8"), Some(8));
}

#[test]
fn an_interrupted_comparison_keeps_its_rounds() {
    let (server, scratch) = (RedisServer::start(), Scratch::new());
    let json = scratch.path("compare.json");
    let line = format!(
        "compare --path a={} --aa -t set,get --rounds 1000 --slice 30ms --settle 1ms -c 2 --rate 1000 --json {}",
        server.name(),
        json.display()
    );
    let running = start(&words(&line));
    // A turn has thirty of them, and is tried three times at the most.
    wait_until("there are rounds", || server.calls_of("set") > 1000);
    running.signal(Signal::INT);
    let ran = running.end().ended(130);
    assert!(ran.stdout.contains("a-again beside a"), "{}", ran.stdout);
    let document = document(Path::new(&json));
    assert!(document["compare"]["comparisons"][0]["rounds"].as_u64().unwrap() > 1);
}

#[test]
fn what_is_not_for_a_comparison_is_told() {
    for (line, told) in [
        ("--path a=embedded --aa -n 5", "--slice"),
        ("--path a=embedded --aa --duration 5s", "--slice"),
        ("--path a=embedded --aa --warmup 5s", "--settle"),
        ("--path a=embedded --aa --repeat 5", "--rounds"),
        ("--path a=embedded --aa --rounds 5", "6"),
        ("--path a=embedded --aa --max-rounds 9", "--precision-target"),
        ("--path a=embedded --path b=embedded --aa", "one --path"),
        ("--path a=embedded --aa --margin 5", "5%"),
        ("--path a=embedded --aa --slice -5s", "--slice"),
        ("--path a=embedded --aa --primary p98", "p99.9"),
        ("--path a=embedded --aa --fail-if p99", "p99>+10%"),
        ("--path a=embedded", "--aa"),
        ("--path a=embedded --path a=embedded", "two paths are called 'a'"),
        ("--path a=embedded --path b=embedded --reference c", "--reference"),
        ("--path nonsense", "NAME=WAY"),
        ("", "--path"),
    ] {
        let line = format!("compare {line}");
        rbench(&words(line.trim())).failed(2, &[told]);
    }
    rbench(&words("--path a=embedded --path b=embedded -t set")).failed(2, &["rbench compare"]);
}

#[test]
fn a_run_may_name_its_path() {
    let server = RedisServer::start();
    let scratch = Scratch::new();
    let json = scratch.path("result.json");
    for way in [server.name(), format!("redis://{}", server.name()), server.socket()] {
        server.reset();
        rbench(&words(&format!("--path mine={way} -t set -n 10 -q --json {}", json.display()))).succeeded();
        assert_eq!(server.calls_of("set"), 10, "{way}");
        assert_eq!(document(&json)["config"]["path"], "mine");
    }
}

/// A profile is for a comparison what it is for a run; how long that goes on is for the comparison to say.
#[test]
fn a_profile_is_compared() {
    let (_, document) = compare("--path a=embedded --aa --profile ycsb-b -r 100 -d 20");
    assert_eq!(document["config"]["profile"], "ycsb-b");
    assert_eq!(document["results"][0]["title"], "MIX get:95,set:5");
    assert_eq!(document["prefill"]["requests"], 100, "once, since both paths end at one server");
}

#[test]
fn a_comparison_is_reported_byte_for_byte_as_it_was_told() {
    let scratch = Scratch::new();
    let json = scratch.path("compare.json");
    let path = json.to_str().expect("UTF-8");
    for format in ["text", "markdown", "csv", "json"] {
        let line = format!("compare {SHORT} --path a=embedded --aa -t set --format {format} --json {path}");
        let told = rbench(&words(&line)).ended(0).stdout;
        assert_eq!(rbench(&words(&format!("report {path} --format {format}"))).succeeded().stdout, told, "{format}");
    }
    assert!(rbench(&words(&format!("report {path}"))).succeeded().stdout.contains("a-again beside a"));
    rbench(&words(&format!("report {path} --format redis-6"))).failed(2, &["comparison", "markdown"]);
    rbench(&words(&format!("--embedded -t set -n 10 -q --json {path}"))).succeeded();
    rbench(&words(&format!("report {path} --format markdown"))).failed(2, &["run"]);
    rbench(&words(&format!("report {path} --format nonsense"))).failed(2, &["redis-7", "markdown"]);
}

/// The proxy's own word of what happened, from its socket and from its page.
#[test]
fn a_proxy_tells_how_it_fares() {
    let server = RedisServer::start();
    let proxy = Proxy::before(&[&server]);
    let [socket, page] = &proxy.stats;
    let paths = format!("--path direct={} --path haproxy={}:{}", server.name(), proxy.address, proxy.port);
    let (ran, document) = compare(&format!("{paths} -t get --haproxy-stats {socket} --haproxy-stats {page}"));
    let of_path = |path: u64| {
        let results = document["results"].as_array().unwrap().iter();
        results.filter(move |result| result["path"] == path).map(|result| &result["proxies"]).collect::<Vec<_>>()
    };
    for proxies in of_path(1) {
        for told in proxies.as_array().unwrap() {
            let servers = told["servers"].as_array().unwrap();
            let r0 = servers.iter().find(|it| it["name"] == "r0").unwrap_or_else(|| panic!("{told:#}"));
            assert!(r0["sessions"].as_u64().unwrap() >= 5, "{told:#}");
        }
        for told in proxies.as_array().unwrap() {
            let busy = told["busy"].as_f64().expect("its process is here, whoever tells of it");
            assert!(busy > 0.0 && told["version"].is_string() && told["threads"].is_u64(), "{told:#}");
        }
    }
    let busy = |path| of_path(path).iter().map(|proxies| proxies[0]["busy"].as_f64().unwrap()).sum::<f64>();
    assert!(busy(1) > busy(0), "it is busy in its own turns");
    assert!(ran.stdout.contains("busy\n    redis/r0"), "{}", ran.stdout);
    let kept = document.to_string();
    assert!(!kept.contains("open-sesame") && !ran.stdout.contains("open-sesame"), "a password is nobody's business");

    let line =
        |address: &str| format!("-h {} -p {} -t set -n 100 --haproxy-stats {address}", proxy.address, proxy.port);
    let table = rbench(&words(&format!("{} --format table", line(socket)))).succeeded();
    assert!(table.stdout.contains("redis/r0"), "{}", table.stdout);
    rbench(&words(&line("unix:/no/such.sock"))).failed(1, &["--haproxy-stats", "/no/such.sock"]);
    let closed = page.replace("me:open-sesame@", "");
    rbench(&words(&line(&closed))).failed(1, &["--haproxy-stats", "login"]);
    rbench(&words(&line(&page.replace("/stats", "/other")))).failed(1, &["--haproxy-stats"]);
    rbench(&words(&line("nonsense"))).failed(2, &["--haproxy-stats", "unix:/path"]);
}
