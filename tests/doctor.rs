//! What bends results on this machine, as the program tells it.

mod support;

use serde_json::Value;
use support::{rbench, words};

#[test]
fn findings_are_a_list_with_a_remedy_for_what_is_not_well() {
    let ran = rbench(&words("doctor --format json"));
    let findings: Vec<Value> = serde_json::from_str(&ran.stdout).expect("a list");
    let mut problems = 0;
    for finding in &findings {
        let fields: Vec<&String> = finding.as_object().expect("an object").keys().collect();
        assert_eq!(fields, ["code", "finding", "level", "remedy"]);
        let level = finding["level"].as_str().unwrap();
        assert_eq!(finding["remedy"].is_string(), ["note", "problem"].contains(&level), "{finding}");
        problems += i32::from(level == "problem");
    }
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(problems.min(1)), ""));
    let clock = findings.iter().find(|finding| finding["code"] == "clock").expect("there is a clock");
    assert_ne!(clock["level"], "unknown", "on Linux it is known");
}

/// No machine has them: what is missing is said, and what to do.
#[test]
fn a_billion_connections_are_a_problem() {
    let ran = rbench(&words("doctor -c 1000000000")).ended(1);
    let mut lines = ran.stdout.lines();
    let files = lines.find(|line| line.contains("open_files")).expect("it is told");
    assert!(files.starts_with("problem ") && files.contains("1000000064"), "{files}");
    assert!(lines.next().unwrap().trim_start().starts_with("sudo "), "{}", ran.stdout);
    assert!(ran.stdout.lines().last().unwrap().contains("problem"), "{}", ran.stdout);
}

#[test]
fn what_it_cannot_look_for_is_refused() {
    rbench(&words("doctor -c 0")).failed(2, &["-c"]);
    rbench(&words("doctor --format yaml")).failed(2, &["--format", "json"]);
    let help = rbench(&words("doctor --help")).succeeded().stdout;
    for told in ["Load:", "Output:", "--clients", "--format", "exit code", "rbench doctor -c 10000"] {
        assert!(help.contains(told), "no {told:?} in {help}");
    }
}
