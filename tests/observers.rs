//! What is looked at beside the load, and what that costs the load: nothing.

mod support;

use rustix::process::Signal;
use serde_json::Value;
use support::haproxy::Proxy;
use support::measured::Measuring;
use support::{Measured, RedisServer, Scratch, document, measure, measure_on, rbench};

/// Long enough for two samples.
const LOAD: &str = "-c 5 -t set --duration 2500ms";

/// The first result's observations, as the schema has them.
#[track_caller]
fn observed(measured: &Measured) -> &Value {
    let schema = serde_json::from_str(include_str!("../docs/result.schema.json")).expect("the schema is JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("the schema is a schema");
    let errors: Vec<String> = validator.iter_errors(&measured.document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    &measured.result()["observed"]
}

#[track_caller]
fn notes(measured: &Measured) -> String {
    let notes = observed(measured)["notes"].as_array().expect("notes");
    notes.iter().map(|note| note.as_str().expect("a text")).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn list<'a>(value: &'a Value, name: &str) -> &'a Vec<Value> {
    value[name].as_array().unwrap_or_else(|| panic!("no {name}: {value:#}"))
}

#[track_caller]
fn number(value: &Value, name: &str) -> f64 {
    value[name].as_f64().unwrap_or_else(|| panic!("no {name}: {value:#}"))
}

#[test]
fn a_server_and_its_load_are_seen_at_work() {
    let server = RedisServer::start();
    server.reset();
    let measured = measure_on(&server, &format!("{LOAD} --threads 2")).ended(0);
    let seen = observed(&measured);
    assert_eq!(notes(&measured), "");
    let samples = list(seen, "samples");
    assert!(samples.len() >= 2, "{seen:#}");
    for (index, sample) in samples.iter().enumerate() {
        let (start, length) = (number(sample, "start_ns") / 1e9, number(sample, "length_ns") / 1e9);
        let before = index.checked_sub(1).map(|index| &samples[index]);
        let expected = before.map_or(start, |it| (number(it, "start_ns") + number(it, "length_ns")) / 1e9);
        assert!((start - expected).abs() < 1e-6 && length > 0.0, "{samples:#?}");
        let [load, other] = &list(&sample["client"], "threads")[..] else { panic!("{sample:#}") };
        assert_eq!((&load["name"], &other["name"]), (&"load-0".into(), &"load-1".into()));
        assert!(number(load, "busy") > 0.0 && number(load, "run_queue_wait") >= 0.0);
        assert!(number(load, "voluntary_switches") + number(load, "involuntary_switches") > 0.0);
        assert!(number(&sample["client"], "loop_lag_max_ns") > 0.0, "{sample:#}");
        let [at_work] = &list(sample, "servers")[..] else { panic!("{sample:#}") };
        assert_eq!(at_work["name"], server.name());
        for busy in ["main_thread_busy", "process_busy"] {
            assert!((0.001..1.5).contains(&number(at_work, busy)), "{at_work:#}");
        }
        assert!(number(at_work, "commands_per_second") > 100.0);
        assert!(number(at_work, "connected_clients") >= 7.0, "five, we, and the link of this test: {at_work:#}");
        assert_eq!(at_work["replica_lag_bytes"], Value::Null, "it has no replica");
    }
    let [whole] = &list(seen, "servers")[..] else { panic!("{seen:#}") };
    assert_eq!(whole["run_id"], Value::from(server.run_id()));
    assert_eq!((&whole["role"], whole["version"].is_string()), (&"master".into(), true));
    let set = &whole["commands"]["set"];
    assert_eq!((set["calls"].as_u64(), set["failed"].as_u64()), (Some(server.calls_of("set")), Some(0)));
    // What falls due in the very last turn is sent, and begins after the end.
    assert!(
        (measured.number("sent")..measured.number("sent") + 100).contains(&set["calls"].as_u64().unwrap()),
        "{set:#}"
    );
    assert!(number(set, "usec_per_call") > 0.0 && number(&whole["latencies"]["set"], "p99_us") > 0.0);
    // Of all the server did in that time.
    assert!(number(whole, "commands_per_second") * number(whole, "length_ns") / 1e9 >= number(set, "calls"));
    let client = &seen["client"];
    assert!(number(client, "process_busy") > 0.0 && number(client, "loop_lag_p99_ns") > 0.0, "{client:#}");
    assert!(number(client, "tcp_segments") >= number(set, "calls") && client["tcp_retransmits"].is_u64(), "{client:#}");
    assert!(number(client, "loop_lag_p99_ns") <= 1.02 * number(client, "loop_lag_max_ns"), "{client:#}");
}

/// The load ends when the sample is due, and whichever comes first: its threads are in it.
#[test]
fn a_sample_that_is_due_at_the_end_has_the_load_in_it() {
    let server = RedisServer::start();
    for _ in 0..3 {
        let measured = measure_on(&server, "-c 50 -t set --duration 1s").ended(0);
        for sample in list(observed(&measured), "samples") {
            assert!(number(&list(&sample["client"], "threads")[0], "busy") > 0.0, "{sample:#}");
        }
    }
}

/// A day of samples is as long as a day's timeline, and a timeline in tenths of a second asks nobody ten times as often.
#[test]
fn samples_are_as_long_as_the_intervals_of_the_timeline_and_a_second_at_the_least() {
    let server = RedisServer::start();
    for (interval, least) in [("2s", 1.5), ("100ms", 0.7)] {
        let line = format!("-c 2 -t set --rate 100 --duration 4500ms --interval {interval}");
        let measured = measure_on(&server, &line).ended(0);
        let lengths: Vec<f64> =
            list(observed(&measured), "samples").iter().map(|it| number(it, "length_ns") / 1e9).collect();
        assert!(!lengths.is_empty() && lengths.len() <= (4.5 / least) as usize + 1, "{interval}: {lengths:?}");
        // Whoever was late for a look is early for the next: they are due at whole seconds.
        let mean = lengths.iter().sum::<f64>() / lengths.len() as f64;
        assert!(mean >= least, "{interval}: {lengths:?}");
    }
}

#[test]
fn short_runs_and_each_test_have_a_summary() {
    let server = RedisServer::start();
    server.reset();
    let before = server.fact("total_connections_received");
    let measured = measure_on(&server, "-n 100 -c 3 -t set,get").ended(0);
    for result in list(&measured.document, "results") {
        let [whole] = &list(&result["observed"], "servers")[..] else { panic!("{result:#}") };
        let name = result["title"].as_str().unwrap().to_lowercase();
        let other = if name == "set" { "get" } else { "set" };
        assert_eq!((&whole["commands"][&name]["calls"], &whole["commands"][other]), (&100.into(), &Value::Null));
        assert!(number(&list(&result["observed"]["client"], "threads")[0], "busy") > 0.0);
    }
    // Two times three, one to find the server, and one that observes both tests.
    assert_eq!(server.fact("total_connections_received") - before, 8);
}

/// A main thread with others beside it is not all that there is of a server.
#[test]
fn threads_that_read_and_write_are_known() {
    for (flags, threads) in [(&["--io-threads", "2"][..], 2), (&[], 1)] {
        let server = RedisServer::with(flags);
        let measured = measure_on(&server, "-c 5 -t set --duration 600ms").ended(0);
        assert_eq!(measured.document["targets"][0]["server"]["config_io_threads"], threads);
        let evidence = list(&measured.result()["verdict"], "evidence");
        let told =
            evidence.iter().find(|it| it["name"].as_str().unwrap().ends_with("io threads")).expect("it was asked");
        assert_eq!(told["value"].as_f64(), Some(f64::from(threads)));
    }
}

#[test]
fn evictions_and_error_replies_are_the_servers() {
    let server = RedisServer::with(&["--maxmemory", "8mb", "--maxmemory-policy", "allkeys-lru"]);
    server.reset();
    let measured = measure_on(&server, "-c 5 -t set -n 30000 -r 100000 -d 1000").ended(0);
    let whole = observed(&measured)["servers"][0].clone();
    assert!(whole["evicted_keys"].as_u64() > Some(100), "{whole:#}");
    assert_eq!(whole["evicted_keys"].as_u64(), Some(server.fact("evicted_keys")));
    assert_eq!(whole["maxmemory_bytes"], 8 << 20);
    server.tell(&["SET", "text", "x"]);
    let measured = measure_on(&server, "-n 50 -c 5 --on-error continue lpush text v").ended(4);
    let whole = &observed(&measured)["servers"][0];
    assert_eq!((&whole["errors"]["WRONGTYPE"], &whole["commands"]["lpush"]["failed"]), (&50.into(), &50.into()));
}

#[test]
fn a_user_who_may_not_ask_is_told_in_the_document() {
    let server = RedisServer::start();
    server.tell(&["ACL", "SETUSER", "bob", "on", ">builders-tea", "~*", "+@all", "-info"]);
    let measured = measure_on(&server, "--user bob -a builders-tea -n 1000 -c 5 -t set").ended(0);
    assert_eq!(measured.ran.stderr, "", "it is no failure");
    assert!(notes(&measured).contains(&server.name()) && notes(&measured).contains("NOPERM"), "{}", notes(&measured));
    assert_eq!(observed(&measured)["servers"], Value::Array(Vec::new()));
    assert!(!measured.document.to_string().contains("builders-tea"));
}

#[test]
fn a_server_that_stops_in_mid_run_holds_nobody_up() {
    let server = RedisServer::start();
    let line = "-c 5 -t set --duration 4s --on-error reconnect --timeout 300ms --connect-timeout 300ms";
    let mut going = Measuring::start(&server.arguments(line));
    going.until("the load is on its way", || server.calls_of("set") > 100);
    server.signal(Signal::STOP);
    let measured = going.end().ended(4);
    assert!(measured.ran.elapsed.as_secs() < 20, "{:?}", measured.ran.elapsed);
    assert!(notes(&measured).contains("no answer in time"), "{}", notes(&measured));
    let samples = list(observed(&measured), "samples");
    assert!(samples.len() >= 3, "we go on to look at ourselves");
    assert_eq!(samples.last().unwrap()["servers"], Value::Array(Vec::new()));
    assert!(measured.errors("reply_timeout") >= 1);
}

#[test]
fn a_server_that_was_gone_is_seen_again() {
    let mut server = RedisServer::start();
    let line = "-c 5 -t set --duration 6s --on-error reconnect";
    let mut going = Measuring::start(&server.arguments(line));
    going.until("the load is on its way", || server.calls_of("set") > 100);
    server.start_again();
    let measured = going.end().ended(4);
    let seen = observed(&measured);
    assert!(!list(list(seen, "samples").last().unwrap(), "servers").is_empty(), "{seen:#}");
    assert_eq!(seen["servers"], Value::Array(Vec::new()), "its counts began anew");
    assert!(notes(&measured).contains("another server"), "{}", notes(&measured));
}

#[test]
fn nobody_is_asked_when_nobody_shall_be() {
    let server = RedisServer::start();
    for (flag, asked) in [("--no-observe", false), ("", true)] {
        let mut going = Measuring::start(&server.arguments(&format!("{LOAD} {flag}")));
        server.reset();
        going.until("the load is on its way", || server.calls_of("set") > 100);
        // Each question of ours counts, too, behind its own answer.
        let before = server.calls_of("info");
        let measured = going.end().ended(0);
        let made = server.calls_of("info") - before - 1;
        assert_eq!(made > 6, asked, "{made}");
        assert_eq!(made == 0, !asked, "{made}");
        let seen = observed(&measured);
        assert_eq!(list(seen, "servers").is_empty(), !asked);
        assert!(number(&seen["client"], "process_busy") > 0.0, "of ourselves there is always something to say");
    }
    rbench(&server.arguments("--no-observe --observe h -n 1")).failed(2, &["--no-observe", "--observe"]);
}

#[test]
fn a_proxy_and_the_server_behind_it_are_seen() {
    let server = RedisServer::start();
    let proxy = Proxy::before(&[&server]);
    for stats in &proxy.stats {
        let line = format!("{LOAD} --haproxy-stats {stats} --observe {}", server.name());
        let measured = measure(&proxy.arguments(&line)).ended(0);
        let seen = observed(&measured);
        let [whole] = &list(seen, "servers")[..] else { panic!("two ways to one server: {seen:#}") };
        assert_eq!(whole["name"], server.name(), "the direct way");
        let sample = list(seen, "samples").last().expect("samples");
        let [at_work] = &list(sample, "proxies")[..] else { panic!("{sample:#}") };
        assert_eq!((&at_work["sessions"], &at_work["queue"]), (&5.into(), &0.into()), "{at_work:#}");
        assert_eq!((&at_work["rate"], &at_work["errors"]), (&0.0.into(), &0.into()), "nobody came or went");
        assert!(number(at_work, "busy") > 0.0, "its process is here, whoever tells of it: {at_work:#}");
        assert!(!measured.document.to_string().contains("open-sesame"));
    }
    let measured = measure(&proxy.arguments(LOAD)).ended(0);
    let [whole] = &list(observed(&measured), "servers")[..] else { panic!("{:#}", measured.result()) };
    assert_eq!(whole["run_id"], Value::from(server.run_id()), "through the proxy");
}

#[test]
fn a_proxy_before_several_servers_shows_one_and_says_so() {
    let (one, other) = (RedisServer::start(), RedisServer::start());
    let proxy = Proxy::before(&[&one, &other]);
    let line = format!("-n 1000 -c 4 -t set --observe {} --observe {}", one.name(), other.name());
    let measured = measure(&proxy.arguments(&line)).ended(0);
    let names: Vec<&Value> = list(observed(&measured), "servers").iter().map(|it| &it["name"]).collect();
    assert_eq!(names, [&Value::from(one.name()), &Value::from(other.name())]);
    let sent: u64 = [one, other].iter().map(|server| server.calls_of("set")).sum();
    assert_eq!(sent, 1000);
}

/// Where there is but one place beside the load it is taken, and where there is none it is left.
#[test]
fn the_load_goes_first_when_places_are_few() {
    let server = RedisServer::with(&["--maxclients", "10"]);
    for (clients, is_full) in [(7, false), (9, true)] {
        // The link of this test has one.
        let measured = measure_on(&server, &format!("-c {clients} -n 2000 -t set")).ended(0);
        assert_eq!(notes(&measured).contains("maxclients"), is_full, "{clients}: {}", notes(&measured));
        assert_eq!(observed(&measured)["servers"][0]["commands"]["set"]["calls"], 2000, "{clients}");
    }
    assert_eq!(server.fact("rejected_connections"), 0);
}

#[test]
fn passwords_of_observed_servers_are_nowhere() {
    let server = RedisServer::with(&["--requirepass", "first-secret"]);
    let other = RedisServer::with(&["--requirepass", "second-secret"]);
    let observe = format!("--observe redis://:second-secret@{}", other.name());
    let scratch = Scratch::new();
    for observe in [observe.clone(), observe.replace(' ', "=")] {
        let json = scratch.path("result.json");
        let line = format!("-a first-secret -n 1000 -c 5 -t set --json {} {observe}", json.display());
        let ran = rbench(&server.arguments(&line)).ended(0);
        let document = document(&json);
        let servers = list(&document["results"][0]["observed"], "servers");
        assert_eq!(servers.len(), 2, "{:#}", document["results"][0]["observed"]);
        for secret in ["first-secret", "second-secret"] {
            assert!(![document.to_string(), ran.stdout.clone(), ran.stderr.clone()].concat().contains(secret));
        }
    }
    // Neither when the server does not like it, nor when it is no address at all.
    let wrong = format!("-a first-secret -n 10 -c 1 -t set --observe redis://:wrong-secret@{}", other.name());
    let measured = measure_on(&server, &wrong).ended(0);
    assert!(notes(&measured).contains("WRONGPASS"), "{}", notes(&measured));
    assert!(!measured.document.to_string().contains("wrong-secret"));
    for bad in ["redis://:odd-secret@h/x/y", "odd-secret@h:1", "h:0", "embedded"] {
        let failed = rbench(&["--observe", bad, "-n", "1"]).failed(2, &["--observe"]);
        assert!(!failed.stderr.contains("odd-secret"), "{}", failed.stderr);
    }
}

/// The processor time of the server is part of what a way costs.
#[test]
fn turns_of_a_comparison_have_a_summary_each() {
    let (server, scratch) = (RedisServer::start(), Scratch::new());
    let json = scratch.path("compare.json");
    let path = |name: &str| format!("--path {name}={}", server.name());
    let line = "-t set -c 3 --rounds 6 --slice 100ms --settle 20ms";
    let line = format!("compare {line} {} {} --json {}", path("a"), path("b"), json.display());
    rbench(&line.split(' ').collect::<Vec<_>>()).ended(0);
    let document = document(&json);
    for result in list(&document, "results") {
        let [whole] = &list(&result["observed"], "servers")[..] else { panic!("{result:#}") };
        assert!(whole["commands"]["set"]["calls"].as_u64() >= result["completed"].as_u64(), "{whole:#}");
        assert!(number(whole, "main_thread_busy") > 0.0);
    }
}

#[test]
fn an_observed_server_that_is_not_there_is_no_failure() {
    let server = RedisServer::start();
    let (_bound, port) = support::fake::dead_port();
    let line = format!("-n 1000 -c 5 -t set --observe 127.0.0.1:{port} --observe no-such-host.invalid:1");
    let measured = measure_on(&server, &line).ended(0);
    for name in [format!("127.0.0.1:{port}"), "no-such-host.invalid:1".to_owned()] {
        assert!(notes(&measured).contains(&name), "{name}: {}", notes(&measured));
    }
    assert_eq!(list(observed(&measured), "servers").len(), 1);
}
