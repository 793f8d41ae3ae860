//! How much a server carries within a promise.

mod support;

use serde_json::Value;
use support::{Ran, RedisServer, Scratch, document, rbench, words};

/// Steps as short as they can be: what is asked of the answers below is not how near to the truth they are.
const SHORT: &str = "--step 1s --hold 1s --settle 200ms";

/// A search of short steps, and its document.
#[track_caller]
fn search(line: &str) -> (Ran, Value) {
    capacity(&format!("{SHORT} {line}"))
}

/// What `rbench capacity` says, and its document, which is as the schema has it.
#[track_caller]
fn capacity(line: &str) -> (Ran, Value) {
    let scratch = Scratch::new();
    let json = scratch.path("capacity.json");
    let ran = rbench(&words(&format!("capacity --json {} {line}", json.display())));
    let document = document(&json);
    let schema = serde_json::from_str(include_str!("../docs/result.schema.json")).expect("the schema is JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("the schema is a schema");
    let errors: Vec<String> =
        validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path)).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    (ran, document)
}

fn steps(document: &Value) -> Vec<(String, String, f64)> {
    let steps = document["capacity"]["searches"][0]["steps"].as_array().expect("steps");
    let text = |step: &Value, field: &str| step[field].as_str().expect("a name").to_owned();
    steps
        .iter()
        .map(|step| (text(step, "stage"), text(step, "verdict"), step["offered"].as_f64().expect("a rate")))
        .collect()
}

/// A server that is never at its end: the answer is the rate that was never to be exceeded, and it is only a bound.
#[test]
fn no_rate_above_the_highest_that_is_allowed_is_offered() {
    let server = RedisServer::start();
    let line = format!(
        "--promise p50<10s,errors<1% --from 1000 --max-rate 2000 -h {} -p {} -c 5",
        server.address, server.port
    );
    let (ran, document) = search(&line);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    let steps = steps(&document);
    assert!(steps.iter().all(|(_, verdict, rate)| verdict == "pass" && *rate <= 2000.0), "{steps:?}");
    assert_eq!(steps.first().map(|step| step.0.as_str()), Some("floor"));
    assert_eq!(steps.last().map(|step| (step.0.as_str(), step.2)), Some(("hold", 2000.0)));
    assert_eq!(document["capacity"]["rate"], 2000.0);
    assert!(document["capacity"]["searches"][0]["outcome"]["at_least"].is_string());
    assert_eq!(document["capacity"]["searches"][0]["recommended"], 1400.0, "30 % stay free");
    // What is told of the answer was measured while it was held.
    let held = &document["results"][0];
    let rate = held["requests_per_second"].as_f64().expect("a rate");
    assert!((1500.0..2500.0).contains(&rate), "{rate}");
    assert!(held["observed"]["servers"][0]["main_thread_busy"].as_f64().is_some_and(|busy| busy > 0.0), "{held:#}");
    for told in ["capacity: at least 2,000 requests/s within p50<10s", "recommended: 1,400", "server", "--max-rate"] {
        assert!(ran.stdout.contains(told), "no {told:?} in {}", ran.stdout);
    }
}

/// What takes most of the promise is there at hardly any load, and no server is to blame for it.
#[test]
fn a_promise_that_is_hardly_wider_than_an_idle_server_is_told_of() {
    let note = "hardly any load, latencies are ";
    let of = |promise: &str| search(&format!("--embedded=delay:30ms {promise} -t get -c 60 --max-rate 500")).0.stdout;
    let told = of("--promise p50<50ms");
    assert!(told.contains("note: at 25 requests/s, which is") && told.contains(note), "{told}");
    assert!(!of("--promise p50<10s").contains(note));
}

/// A server that answers a request at a time carries as many as it has time for, whatever else the machine does. The
/// promise is so wide that nothing but a queue without an end breaks it.
#[test]
fn a_server_that_has_an_end_is_driven_to_it() {
    let (ran, document) =
        search("--embedded=service:const:1ms --promise mean<100ms -t ping_mbulk -c 200 --step 3s --hold 3s --from 200");
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    let rate = document["capacity"]["rate"].as_f64().expect("a rate");
    assert!((300.0..1150.0).contains(&rate), "{rate}: it serves 1000 a second; {}", ran.stdout);
    let steps = steps(&document);
    assert!(steps.iter().any(|(_, verdict, rate)| verdict == "fail" && *rate > 900.0), "{steps:?}");
    let highest = steps.iter().filter(|step| step.0 == "hold" && step.1 == "pass").map(|step| step.2).next_back();
    assert_eq!(highest, Some(rate), "only what was held is an answer");
    // Where a hypervisor had the processors when a rate failed, the answer is a bound, and says so.
    let searched = &document["capacity"]["searches"][0];
    let is_spoiled = searched["stolen"].as_array().is_some_and(|stolen| !stolen.is_empty());
    assert!(
        searched["outcome"] == "found" || (is_spoiled && searched["outcome"]["at_least"].is_string()),
        "{searched:#}"
    );
    assert!(!document["capacity"]["searches"][0]["limit"].is_null());
}

/// The server is so slow that no lateness of the machine's own explains it.
#[test]
fn a_promise_that_is_never_kept_is_told_and_ends_with_5() {
    let (ran, document) = search("--embedded=delay:500ms --promise p50<5ms -t ping_mbulk -c 300 --from 400");
    assert_eq!(ran.code, Some(5), "{}{}", ran.stdout, ran.stderr);
    assert!(document["capacity"]["rate"].is_null());
    assert!(ran.stdout.contains("capacity: none within p50<5ms"), "{}", ran.stdout);
    assert!(steps(&document).iter().all(|(stage, verdict, _)| stage == "floor" && verdict == "fail"));
}

/// Errors break a promise about errors, and are no reason to stop.
#[test]
fn errors_are_part_of_the_promise() {
    let (ran, document) =
        search("--embedded=error:OOM:0.5 --promise p50<10s,errors<1% -t set -c 5 --from 100 --max-rate 1000");
    assert_eq!(ran.code, Some(5), "{}{}", ran.stdout, ran.stderr);
    assert!(document["capacity"]["searches"][0]["outcome"]["broken"].as_str().unwrap().contains("errors"));
}

#[test]
fn a_demand_is_answered_by_arithmetic_that_can_be_followed() {
    let line = |demand: u32| {
        format!(
            "--embedded --promise p50<10s --from 1000 --max-rate 1000 -c 5 -t ping_mbulk --demand {demand} --headroom 50%"
        )
    };
    let (fits, document) = search(&line(400));
    assert_eq!(fits.code, Some(0), "{}{}", fits.stdout, fits.stderr);
    assert!(fits.stdout.contains("demand: 400 requests/s: fits, with 60 % free"), "{}", fits.stdout);
    assert_eq!(document["capacity"]["searches"][0]["demand"]["masters"], 1);
    let (not, document) = search(&line(2400));
    assert_eq!(not.code, Some(5), "{}{}", not.stdout, not.stderr);
    for told in
        ["2,400 / 1,000 = 240 %", "1,000 x 0.50 = 500", "2,400 / 500 = 4.80, so 5 masters", "480 requests/s each"]
    {
        assert!(not.stdout.contains(told), "no {told:?} in {}", not.stdout);
    }
    assert_eq!(document["capacity"]["searches"][0]["demand"]["masters"], 5);
}

#[test]
fn several_paths_are_searched_in_turns() {
    let server = RedisServer::start();
    let paths = format!("--path direct={} --path socket={}", server.name(), server.socket());
    let (ran, document) = search(&format!("{paths} --promise p50<10s --from 500 --max-rate 500 -c 3 -t get"));
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    let searches = document["capacity"]["searches"].as_array().unwrap();
    assert_eq!(searches.iter().map(|it| it["path"].as_u64()).collect::<Vec<_>>(), [Some(0), Some(1)]);
    assert!(
        ran.stdout.contains("within the promise: direct carries 500 requests/s, socket carries 500 requests/s"),
        "{}",
        ran.stdout
    );
    // The rounds of what was held say whose turn was when: the second path had its turn right after the first.
    let rounds: Vec<u64> =
        document["results"].as_array().unwrap().iter().map(|it| it["round"].as_u64().unwrap()).collect();
    assert_eq!(rounds[1], rounds[0] + 1, "{rounds:?}");
}

/// Keys that are thrown out are somebody's.
#[test]
fn a_server_that_begins_to_evict_ends_the_search() {
    let server = RedisServer::with(&["--maxmemory", "4mb", "--maxmemory-policy", "allkeys-lru"]);
    let line = format!("-h {} -p {} -t set -r 1000000 -d 4000 -c 5", server.address, server.port);
    let (ran, document) = search(&format!("{line} --promise p50<10s --from 2000 --max-rate 4000 --step 3s"));
    let outcome = &document["capacity"]["searches"][0]["outcome"]["stopped"];
    assert!(outcome.as_str().is_some_and(|why| why.contains("evict")), "{}{}", ran.stdout, ran.stderr);
    assert!(document["capacity"]["rate"].is_null(), "nothing was held");
    assert!(document["capacity"]["searches"][0]["recommended"].is_null(), "nor is it recommended");
    assert_eq!(ran.code, Some(5), "{}", ran.stdout);
}

#[test]
fn more_connections_are_tried_and_fitted() {
    let (ran, document) = capacity("--embedded --sweep-clients 1,2,4,8,12,16 -t ping_mbulk --step 600ms --settle 50ms");
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    let sweep = &document["capacity"]["sweeps"][0];
    let points = sweep["points"].as_array().unwrap();
    let clients: Vec<u64> = points.iter().map(|point| point["clients"].as_u64().unwrap()).collect();
    assert_eq!(clients, [1, 2, 4, 8, 12, 16]);
    assert!(points.iter().all(|point| point["requests_per_second"].as_array().unwrap().len() == 3));
    assert!(sweep["usl"]["lambda"]["value"].as_f64().is_some_and(|lambda| lambda > 0.0));
    assert!(ran.stdout.contains("Universal Scalability Law"), "{}", ran.stdout);
    let (few, document) = capacity("--embedded --sweep-clients 1,2 -t ping_mbulk --step 300ms --settle 20ms");
    assert!(document["capacity"]["sweeps"][0]["usl"].is_null());
    assert!(few.stdout.contains("fewer than six"), "{}", few.stdout);
}

/// What is printed is in the document, and the document alone gives it again.
#[test]
fn a_search_is_reported_as_it_was_told() {
    let scratch = Scratch::new();
    let json = scratch.path("capacity.json").to_str().unwrap().to_owned();
    let line = format!("{SHORT} --embedded --promise p50<10s --from 500 --max-rate 500 -c 3 -t get --json {json}");
    let told = rbench(&words(&format!("capacity {line}"))).succeeded().stdout;
    assert_eq!(rbench(&words(&format!("report {json}"))).succeeded().stdout, told);
    let report = |format: &str| rbench(&words(&format!("report {json} --format {format}"))).succeeded().stdout;
    assert!(report("markdown").starts_with("### Capacity: GET\n"));
    let csv = report("csv");
    assert!(csv.starts_with("\"test\",\"path\",\"stage\""), "{csv}");
    assert!(csv.lines().count() >= 3, "{csv}");
    let read: Value = serde_json::from_str(&report("json")).unwrap();
    assert_eq!((&read["kind"], &read["capacity"]["rate"]), (&"capacity".into(), &500.0.into()));
}

#[test]
fn what_is_not_for_a_search_is_told() {
    for (line, told) in [
        ("capacity -t get", "--promise"),
        ("capacity --promise p99<2 -t get", "--promise"),
        ("capacity --promise fast -t get", "--promise"),
        ("capacity --promise p99<2ms --rate 5000", "--max-rate"),
        ("capacity --promise p99<2ms -n 5", "--step"),
        ("capacity --promise p99<2ms --duration 5s", "--step"),
        ("capacity --promise p99<2ms --from 10 --max-rate 5", "--from 10 is above --max-rate 5"),
        ("capacity --promise p99<2ms --resolution 3", "5%"),
        ("capacity --promise p99<2ms --resolution -3%", "--resolution"),
        ("capacity --promise p99<2ms --step -5s", "--step"),
        ("capacity --promise p99<2ms --sweep-clients 1,2", "--sweep-clients"),
        ("capacity --sweep-clients 5", "at least two"),
        ("capacity --sweep-clients 1,2 --max-rate 5", "--max-rate"),
        ("capacity --promise p99<2ms --path a=h --path a=h", "two paths are called 'a'"),
    ] {
        let ran = rbench(&words(line));
        assert_eq!(ran.code, Some(2), "{line}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(told) && ran.stderr.lines().count() == 1, "{line}: {}", ran.stderr);
    }
}
