//! How long a run goes on, and which part of it counts.

mod support;

use support::{RedisServer, Scratch, document, rbench};

/// The first result of a run, and the calls of SET that the server has seen.
fn run(server: &RedisServer, line: &str) -> (serde_json::Value, u64) {
    server.reset();
    let scratch = Scratch::new();
    let json = scratch.path("result.json");
    let line = format!("-t set -c 5 {line} --json {}", json.display());
    rbench(&server.arguments(&line)).succeeded();
    (document(&json)["results"][0].clone(), server.calls_of("set"))
}

fn number(result: &serde_json::Value, name: &str) -> u64 {
    result[name].as_u64().unwrap_or_else(|| panic!("{name}: {result:#}"))
}

#[test]
fn a_duration_ends_a_run_and_is_what_rates_are_of() {
    let server = RedisServer::start();
    for shape in ["", "--threads 2", "-P 16", "-k 0"] {
        let (result, calls) = run(&server, &format!("--duration 400ms {shape}"));
        assert_eq!(number(&result, "elapsed_ns"), 400_000_000, "{shape}");
        assert!(result["requested"].is_null());
        let completed = number(&result, "completed");
        assert_eq!(number(&result, "sent"), completed, "{shape}");
        // What goes out in the very last turns begins after the end, and does not count.
        assert!(completed > 0 && calls >= completed && calls - completed <= 5 * 16 * 8, "{shape}: {calls} {completed}");
        let rate = result["requests_per_second"].as_f64().unwrap();
        assert!((rate / (completed as f64 / 0.4) - 1.0).abs() < 1e-9, "{shape}");
    }
}

/// What is sent in the warm-up is sent, and is in no number.
#[test]
fn a_warm_up_counts_in_nothing_but_the_timeline() {
    let server = RedisServer::start();
    for shape in ["-n 1003", "-n 1003 -P 16", "-n 1003 --threads 3", "-n 1003 -k 0"] {
        let (result, calls) = run(&server, &format!("{shape} --warmup 300ms --interval 100ms"));
        assert_eq!((number(&result, "sent"), number(&result, "completed")), (1003, 1003), "{shape}");
        assert_eq!(result["service_time"]["count"], 1003);
        assert!(calls > 1003, "{shape}: {calls}");
        let intervals = result["timeline"]["intervals"].as_array().unwrap();
        let told: u64 = intervals.iter().map(|interval| number(interval, "completed")).sum();
        assert_eq!(told, calls, "{shape}");
        let measured: Vec<bool> = intervals.iter().map(|interval| interval["measured"].as_bool().unwrap()).collect();
        assert!(!measured[0] && *measured.last().unwrap(), "{shape}: {measured:?}");
    }
}

#[test]
fn a_cool_down_is_load_that_does_not_count() {
    let server = RedisServer::start();
    let line = "--warmup 200ms --duration 300ms --cooldown 300ms --interval 100ms";
    let (result, calls) = run(&server, line);
    assert_eq!(number(&result, "elapsed_ns"), 300_000_000);
    let completed = number(&result, "completed");
    assert!(completed > 0 && completed < calls);
    let intervals = result["timeline"]["intervals"].as_array().unwrap();
    assert!(intervals.len() >= 8, "{intervals:#?}");
    assert_eq!(intervals.last().unwrap()["measured"], false);
    // The rest takes half a second more.
    let cpu = number(&result["load_threads"][0], "elapsed_ns");
    assert!((290_000_000..700_000_000).contains(&cpu), "the load thread's time is of the part that counts: {cpu}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    for line in ["--duration 1s -n 5", "--cooldown 1s", "--duration 0", "--warmup x", "--interval 1ms"] {
        let words: Vec<&str> = line.split(' ').collect();
        rbench(&words).failed(2, &["--"]);
    }
}

/// Each time with draws of its own: keys and arrivals that were the same again would hide what chance does.
#[test]
fn a_run_that_is_repeated_tells_how_far_its_results_fall_apart() {
    let (server, scratch) = (RedisServer::start(), Scratch::new());
    let json = scratch.path("result.json");
    let line = |flags: &str| format!("-t set,get -r 1000000 --seed 1 --prefill 0.001 --repeat 4 {flags} -q");
    let load = line(&format!("--rate 500 --duration 300ms --json {}", json.display()));
    let ran = rbench(&server.arguments(&load)).ended(0);
    let document = document(&json);
    let results = document["results"].as_array().unwrap();
    let rounds: Vec<u64> = results.iter().map(|result| number(result, "round")).collect();
    assert_eq!(rounds, [0, 0, 1, 1, 2, 2, 3, 3]);
    let repeats = document["repeats"].as_array().unwrap();
    for (title, repeats) in ["SET", "GET"].iter().zip(repeats) {
        let of_title = results.iter().filter(|result| result["title"] == *title);
        let mut rates: Vec<f64> = of_title.map(|result| result["requests_per_second"].as_f64().unwrap()).collect();
        rates.sort_by(f64::total_cmp);
        assert!(rates[0] < rates[3], "{title} has the same arrivals each time: {rates:?}");
        assert_eq!((repeats["title"].as_str(), &repeats["count"]), (Some(*title), &4.into()));
        assert_eq!(repeats["is_response_time"], true);
        let spread = &repeats["requests_per_second"];
        let close = |name: &str, expected: f64| (spread[name].as_f64().unwrap() - expected).abs() < 1e-6;
        assert!(close("min", rates[0]) && close("max", rates[3]), "{spread}");
        assert!(close("median", f64::midpoint(rates[1], rates[2])), "{spread}");
        let told = format!("{title}: 4 repeats: {:.2} requests per second", spread["median"].as_f64().unwrap());
        assert!(ran.stdout.contains(&told), "{}", ran.stdout);
    }
    rbench(&server.arguments("--repeat 2 -l")).failed(2, &["--repeat", "-l"]);
    rbench(&server.arguments("--repeat 1")).failed(2, &["--repeat"]);
}
