//! How fast rbench itself is: measured, remembered, and held against runs.

mod support;

use serde_json::Value;
use std::path::Path;
use support::program::{command, spawn};
use support::{Ran, RedisServer, Scratch, document, words};

/// Runs `line` with its memory in `directory`.
fn remembering(directory: &Path, line: &str) -> Ran {
    let mut command = command(&words(line));
    command.env("RBENCH_STATE_DIR", directory);
    spawn(command, b"").end()
}

const SHORT: &str = "--duration 100ms -c 5";

/// A directory in which the ceiling of SET with five clients is remembered, as `rate` if there is one.
fn calibrated(rate: Option<f64>) -> (Scratch, Value) {
    let scratch = Scratch::new();
    remembering(&scratch.path("state"), &format!("calibrate -t set {SHORT}")).succeeded();
    let file = scratch.path("state/calibration.json");
    let mut kept = document(&file);
    if let Some(rate) = rate {
        kept["ceilings"][0]["requests_per_second"] = rate.into();
        std::fs::write(&file, kept.to_string()).expect("a directory of our own");
    }
    (scratch, kept)
}

/// The document of a run against a server of its own.
fn run(scratch: &Scratch, line: &str) -> (Ran, Value) {
    let server = RedisServer::start();
    let json = scratch.path("result.json");
    let line = format!("-p {} -q --json {} {line}", server.port, json.display());
    let ran = remembering(&scratch.path("state"), &line).ended(0);
    (ran, document(&json))
}

#[test]
fn a_calibration_is_told_and_remembered() {
    let scratch = Scratch::new();
    let ran = remembering(&scratch.path("state"), &format!("calibrate -t get,set {SHORT}")).succeeded();
    let rows: Vec<&str> =
        ran.stdout.lines().filter(|line| line.starts_with("GET") || line.starts_with("SET")).collect();
    assert_eq!(rows.len(), 2, "{}", ran.stdout);
    for row in rows {
        let columns: Vec<&str> = row.split_whitespace().collect();
        let [rate, cost] = [1, 2].map(|column| columns[column].parse::<f64>().expect("a number"));
        assert!(rate > 0.0 && cost > 0.0, "{row}");
    }
    for told in ["embedded server", "closed loop", "us/request", "calibration.json"] {
        assert!(ran.stdout.contains(told), "no {told:?} in {}", ran.stdout);
    }
    let kept = document(&scratch.path("state/calibration.json"));
    assert_eq!(kept["format"], "rbench-calibration-1");
    let titles: Vec<&Value> = kept["ceilings"].as_array().unwrap().iter().map(|it| &it["shape"]["title"]).collect();
    assert_eq!(titles, ["SET", "GET"]);
    let listed = remembering(&scratch.path("state"), "calibrate --list").succeeded().stdout;
    assert!(listed.lines().any(|line| line.starts_with("GET") && line.contains("-c 5 -P 1")), "{listed}");
    assert!(!listed.contains("elsewhere"), "{listed}");
    let listed = remembering(&scratch.path("state"), "calibrate --list --format json").succeeded().stdout;
    let listed: Value = serde_json::from_str(&listed).expect("a list");
    assert_eq!(listed, kept["ceilings"]);
}

#[test]
fn a_run_of_the_same_shape_has_the_ceiling_in_its_document() {
    let (scratch, kept) = calibrated(None);
    let (_, document) = run(&scratch, "-t set -c 5 -n 500");
    let (result, ceiling) = (&document["results"][0], &kept["ceilings"][0]);
    let calibration = &result["calibration"];
    assert_eq!(calibration["ceiling_requests_per_second"], ceiling["requests_per_second"]);
    assert_eq!(calibration["measured_unix_ns"], ceiling["measured_unix_ns"]);
    let [achieved, most] =
        [&result["requests_per_second"], &ceiling["requests_per_second"]].map(|it| it.as_f64().unwrap());
    assert!((calibration["headroom"].as_f64().unwrap() - (1.0 - achieved / most)).abs() < 1e-9, "{calibration}");
    let schema = serde_json::from_str(include_str!("../docs/result.schema.json")).expect("the schema is JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("the schema is a schema");
    assert!(validator.is_valid(&document), "{result}");
}

#[test]
fn a_run_of_another_shape_has_none() {
    let (scratch, _) = calibrated(Some(1.0));
    for line in ["-t get -c 5", "-t set -c 6", "-t set -c 5 -P 2", "-t set -c 5 --threads 2", "-t set -c 5 -r 100"] {
        let (ran, document) = run(&scratch, &format!("{line} -n 500"));
        assert!(document["results"][0].get("calibration").is_none(), "{line}");
        assert!(!ran.stderr.contains("itself reaches here"), "{line}: {}", ran.stderr);
    }
}

/// The rate of the ceiling is put down by hand: how close a run comes on this machine is not for a test to say.
#[test]
fn a_run_that_comes_close_is_told_so_and_no_other() {
    let (low, _) = calibrated(Some(1.0));
    let said = run(&low, "-t set -c 5 -n 500 --repeat 2").0.stderr;
    assert_eq!(said.matches("% of what rbench itself reaches here; ").count(), 1, "once for all rounds: {said}");
    assert!(said.starts_with("rbench: SET: "), "{said}");
    assert!(said.contains("calibrate again") || said.contains("the client is the limit"), "{said}");
    let open = run(&low, "-t set -c 5 --rate 1000 --duration 100ms").0.stderr;
    assert!(!open.contains("itself reaches"), "a schedule is no limit of the client: {open}");
    let (high, _) = calibrated(Some(1e12));
    assert!(!run(&high, "-t set -c 5 -n 500").0.stderr.contains("itself reaches"));
}

/// What was measured is told all the same.
#[test]
fn a_memory_that_cannot_be_used_is_a_note_and_not_the_end() {
    let scratch = Scratch::new();
    let file = scratch.path("state");
    std::fs::write(&file, "a file where a directory should be").expect("a directory of our own");
    let ran =
        remembering(&file, &format!("calibrate -t set {SHORT}")).failed(0, &["not remembered", "calibration.json"]);
    assert!(ran.stdout.lines().any(|line| line.starts_with("SET")), "{}", ran.stdout);
    let ran = remembering(&file, "--embedded -q -t set -n 50 -c 5").failed(0, &["calibration", "passed over"]);
    assert!(ran.stdout.starts_with("SET: "), "{}", ran.stdout);
}

#[test]
fn a_foreign_file_is_told_in_a_line_and_passed_over() {
    let (scratch, _) = calibrated(None);
    let file = scratch.path("state/calibration.json");
    for text in ["", "hello", "{}", "{\"format\": \"rbench-calibration-9\", \"ceilings\": []}"] {
        std::fs::write(&file, text).expect("a directory of our own");
        let ran = remembering(&scratch.path("state"), "--embedded -q -t set -n 50 -c 5");
        ran.failed(0, &["calibration.json", "passed over", "rbench calibrate"]);
    }
    // The way out that it names.
    remembering(&scratch.path("state"), &format!("calibrate -t set {SHORT}")).succeeded();
    assert_eq!(document(&file)["ceilings"].as_array().unwrap().len(), 1);
}

#[test]
fn what_is_not_for_a_calibration_is_refused_by_name() {
    let scratch = Scratch::new();
    for (line, says) in [
        ("-p 7000", "-p is not for a calibration"),
        ("-u redis://h", "-u is not for a calibration"),
        ("--tls", "--tls is not for a calibration"),
        ("--path a=h", "--path is not for a calibration"),
        ("--embedded=delay:1ms", "--embedded with a SPEC"),
        ("-l", "-l is not for a calibration"),
        ("-I", "-I is not for a calibration"),
        ("-c 0", "-c"),
        ("-t nosuch", "'nosuch'"),
    ] {
        remembering(&scratch.path("state"), &format!("calibrate {line}")).failed(2, &[says]);
    }
    assert!(!scratch.path("state").exists(), "nothing was measured");
    // A command that the server does not know is an error, and not a ceiling.
    let ran = remembering(&scratch.path("state"), "calibrate --duration 100ms nosuch x").ended(1);
    assert!(ran.stderr.contains("nosuch") && !scratch.path("state").exists(), "{}", ran.stderr);
}

/// What a run is given can be given here: profiles, mixes, rates, commands of one's own.
#[test]
fn the_flags_of_a_run_are_taken() {
    let scratch = Scratch::new();
    for line in [
        "--embedded -t ping",
        "--rate 100 -t ping",
        "--repeat 3 -t ping",
        "-3 --mix get:8,set:2 -r 100 --prefill -P 4 --threads 2",
        "set key __data__",
        "--profile cache-aside -r 100",
    ] {
        let ran = remembering(&scratch.path("state"), &format!("calibrate --duration 50ms -c 2 {line}"));
        assert_eq!(ran.code, Some(0), "{line}: {}", ran.stderr);
        assert!(ran.stdout.contains("calibration.json"), "{line}: {}", ran.stdout);
    }
    // How much a run sends is passed over: these would not be over in the time that the test has.
    remembering(&scratch.path("state"), "calibrate -c 2 -n 1000000000000 ping twice").succeeded();
    assert_eq!(document(&scratch.path("state/calibration.json"))["ceilings"].as_array().unwrap().len(), 6);
    let help = remembering(&scratch.path("state"), "calibrate --help").succeeded().stdout;
    for told in ["Calibration:", "Load:", "Workload:", "Connections:", "--list", "--clients", "-3", "RBENCH_STATE_DIR"]
    {
        assert!(help.contains(told), "no {told:?} in {help}");
    }
    for hidden in ["--cacert", "--sentinel ", "--path"] {
        assert!(!help.contains(hidden), "{hidden:?} in {help}");
    }
}
