//! The verdict on a run and its warnings, from the document that keeps them to the lines that tell them.

mod support;

use rbench::recording::{Latencies, Reads};
use rbench::report::verdict;
use rbench::result::judge::facts as facts_of;
use rbench::result::{Document, TestResult};
use rbench::stats::bottleneck::{ProxyFacts, ServerFacts, Slip, ThreadFacts};
use rbench::stats::{Conditions, Facts, Limit, bottleneck, warnings};
use rbench::units::{Nanos, Rate};
use serde_json::{Value as Json, json};
use support::{Scratch, document, rbench, words};

/// Facts without a gap.
fn facts() -> Facts {
    Facts {
        elapsed: Nanos::from_secs(10),
        achieved: Rate(150_000.0),
        clients: 50,
        pipeline: 1,
        latency_mean: Some(Nanos(330_000)),
        latency_min: Some(Nanos(30_000)),
        threads: vec![ThreadFacts { busy: Some(0.97), run_queue_wait: Some(0.01), involuntary_switches: Some(3.0) }],
        cores: Some(4),
        ceiling: Some(Rate(200_000.0)),
        steal: Some(0.0),
        throttled: Some(0.0),
        segments: Some((1_000_000, 2)),
        bytes_sent_per_second: Some(6e6),
        bytes_received_per_second: Some(1e6),
        slip: Some(Slip::default()),
        servers: vec![ServerFacts {
            name: "10.0.0.1:6379".to_owned(),
            main_thread_busy: Some(0.61),
            process_busy: Some(0.62),
            io_threads: Some(1),
            commands_per_second: Some(150_000.0),
            usec_per_call: Some(0.4),
            run_queue_wait: Some(0.01),
            is_local: false,
        }],
        proxies: vec![ProxyFacts {
            name: "10.0.0.2".to_owned(),
            busy: Some(0.3),
            threads: Some(2),
            run_queue_wait: None,
        }],
        ..Facts::default()
    }
}

/// One of each.
fn all_warnings() -> Json {
    let mut latencies = Latencies::default();
    latencies.record(Nanos(1000), 120);
    let bad = Conditions {
        latencies: Some(&latencies),
        percentile: Some(99.0),
        samples_needed: 10,
        throttled: Some(0.5),
        steal: Some(0.5),
        clocksource: Some("hpet"),
        clock_read: Some(Nanos(1200)),
        governor: Some("powersave"),
        reads: &[("GET", Reads { hits: 0, misses: 120 })],
        keys_drawn: Some(120),
        key_count: Some(1_000_000),
        saving: Some(0.5),
        loop_lag_p99: Some(Nanos::from_secs(1)),
        evicted_keys: Some(7),
        swapped_bytes: Some(7),
    };
    let dear = Conditions { clock_read: Some(Nanos(1200)), ..Conditions::default() };
    serde_json::to_value([warnings(&bad), warnings(&dear)].concat()).unwrap()
}

/// A document of a run with these arguments, with a verdict and warnings in its last result.
fn judged(scratch: &Scratch, arguments: &str) -> (Json, String) {
    let path = scratch.path("result.json").to_str().unwrap().to_owned();
    rbench(&words(&format!("--embedded -q --json {path} {arguments}"))).succeeded();
    let mut document = document(path.as_ref());
    let result = document["results"].as_array_mut().unwrap().last_mut().unwrap();
    result["verdict"] = serde_json::to_value(bottleneck(&facts())).unwrap();
    result["warnings"] = all_warnings();
    std::fs::write(&path, document.to_string()).unwrap();
    (document, path)
}

const LIMIT: &str = "limit: client (load-0 97 % of a core; server 61 %; proxy 30 % of 2 threads): add --threads 2";

#[test]
fn the_table_tells_the_verdict_and_every_warning_under_its_row() {
    let scratch = Scratch::new();
    let (_, path) = judged(&scratch, "-n 50 -t set");
    let report = rbench(&words(&format!("report {path} --format table"))).succeeded();
    let lines: Vec<&str> = report.stdout.lines().collect();
    let at = lines.iter().position(|line| line.starts_with("SET ")).expect("a row");
    assert_eq!(lines[at + 1].trim(), LIMIT);
    let warned = lines[at + 2..].iter().filter(|line| line.starts_with("  warning: ")).count();
    // All but the one of reads without hits, which stderr tells.
    assert_eq!(warned, 11, "{lines:#?}");
    assert!(!report.stdout.contains("missing keys"));
}

#[test]
fn the_verdict_on_a_mix_is_told_once() {
    let scratch = Scratch::new();
    let (_, path) = judged(&scratch, "-n 300 -r 100 --mix get:8,set:2");
    let report = rbench(&words(&format!("report {path} --format table"))).succeeded();
    assert_eq!(report.stdout.matches("limit: client").count(), 1, "{}", report.stdout);
    assert!(report.stdout.trim_end().lines().next_back().unwrap().starts_with("  warning: "), "{}", report.stdout);
}

/// What other programs parse stays as it is.
#[test]
fn the_formats_of_redis_benchmark_do_not_tell_it_on_stdout() {
    let scratch = Scratch::new();
    let (_, path) = judged(&scratch, "-n 50 -t set");
    for format in ["redis-7", "redis-6", "redis-5", "quiet", "csv"] {
        let report = rbench(&words(&format!("report {path} --format {format}"))).succeeded();
        assert!(!report.stdout.is_empty() && !report.stdout.contains("limit:"), "{format}: {}", report.stdout);
    }
}

#[test]
fn beside_a_report_each_line_names_its_test() {
    let scratch = Scratch::new();
    let (json, _) = judged(&scratch, "-n 50 -t set");
    let document: Document = serde_json::from_value(json).unwrap();
    let lines = verdict::lines("SET", &document.results[0]);
    assert_eq!(lines[0], format!("SET: {LIMIT}"));
    assert_eq!(lines[1], "SET: warning: p99 rests on 1 sample; run at least 9 times longer, or read p90");
    assert_eq!(lines.len(), 12);
}

/// What a document holds is what is judged: counts and times, as far as the run itself knows them.
#[test]
fn the_facts_of_a_run_are_read_from_its_document() {
    let scratch = Scratch::new();
    let of = |it: &Document, result: &TestResult| facts_of(&it.config, &it.client, &it.targets, result);
    let read = |arguments: &str| -> Document { serde_json::from_value(judged(&scratch, arguments).0).unwrap() };
    let document = read("-t ping --rate 2000 --duration 200ms -c 7 --spin");
    let result = &document.results[0];
    let told = of(&document, result);
    assert_eq!(told.offered, Some(Rate::of(result.sent + result.unsent, result.elapsed_ns)));
    assert_eq!((told.achieved, told.unsent), (result.summary.requests_per_second, result.unsent));
    assert_eq!((told.clients, told.pipeline, told.threads.len()), (7, 1, 1));
    assert_eq!(told.slip.as_ref().map(|slip| slip.p99), result.slip.as_ref().and_then(|slip| slip.at(99.0)));
    assert!(told.threads[0].busy.is_some_and(|busy| busy > 0.0 && busy < 0.9), "{:?}: it spins", told.threads);
    assert_eq!(bottleneck(&told).limit, Limit::Unknown, "too short to say");

    let document = read("-n 60 -c 3 -P 2 --threads 2 --think-time 1ms set a b ; get a");
    let told = of(&document, &document.results[0]);
    assert_eq!((told.offered, told.slip.is_none()), (None, true), "a closed loop");
    assert_eq!((told.clients, told.pipeline, told.threads.len()), (3, 4, 2), "two sequences of two requests");
    assert_eq!(told.think_time, Nanos::from_millis(1));
    assert!(told.latency_mean > Some(Nanos::ZERO) && told.bytes_sent_per_second > Some(0.0) && told.cores >= Some(1));
}

/// The schema knows all that can be in them, and the document is read back as it was written.
#[test]
fn a_judged_document_keeps_to_the_schema_and_is_read_back() {
    let scratch = Scratch::new();
    let schema = serde_json::from_str(include_str!("../docs/result.schema.json")).expect("the schema is JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("the schema is a schema");
    let (good, _) = judged(&scratch, "-n 50 -t set");
    let errors: Vec<String> = validator.iter_errors(&good).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let read: Document = serde_json::from_value(good.clone()).unwrap();
    let result = serde_json::to_value(&read.results[0]).unwrap();
    assert_eq!(
        (&result["verdict"], &result["warnings"]),
        (&good["results"][0]["verdict"], &good["results"][0]["warnings"])
    );
    for limit in ["client", "server", "proxy", "path", "rate", "unknown"] {
        let mut document = good.clone();
        document["results"][0]["verdict"]["limit"] = json!(limit);
        assert!(validator.is_valid(&document), "{limit}");
        assert!(serde_json::from_value::<Document>(document).is_ok(), "{limit}");
    }
    for (pointer, wrong) in [("verdict/limit", "moon"), ("verdict/evidence/0/unit", "stone"), ("warnings/0/code", "x")]
    {
        let mut document = good.clone();
        *document.pointer_mut(&format!("/results/0/{pointer}")).expect("it is there") = json!(wrong);
        assert!(!validator.is_valid(&document), "{pointer}");
    }
}
