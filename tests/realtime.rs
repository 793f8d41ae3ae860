//! `--realtime`: who runs before everything else, as the kernel has it.

mod support;

use rbench::engine::realtime::{is_granted, is_left_alone};
use std::collections::BTreeMap;
use std::fs;
use std::thread::available_parallelism;
use support::{Scratch, document, program, rbench, wait_until, words};

/// The scheduling policy of each thread of a process, by its name: 0 is the usual one, 2 is SCHED_RR.
/// Source: proc_pid_stat(5), field 41, of which the first that follows the name is number 3.
fn policies(pid: u32) -> BTreeMap<String, u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let policy = |stat: String| {
        let (front, back) = stat.rsplit_once(')')?;
        Some((front.split_once('(')?.1.to_owned(), back.split_whitespace().nth(41 - 3)?.parse().ok()?))
    };
    threads.filter_map(|thread| policy(fs::read_to_string(thread.path().join("stat")).ok()?)).collect()
}

/// Whether the document of a run says that it had the priority, and whether its threads were seen with it and no other was.
#[track_caller]
fn has_priority(line: &str) -> bool {
    let scratch = Scratch::new();
    let json = scratch.path("result.json");
    let running = program::start(&words(&format!("{line} -q --rate 100 --duration 1s --json {}", json.display())));
    let mut seen = BTreeMap::new();
    wait_until("both threads have begun", || {
        seen.extend(policies(running.id()));
        let has_begun = |name: &str| seen.contains_key(name);
        has_begun("load-0") && has_begun("embedded") && (seen["load-0"] == seen["embedded"])
    });
    running.end().succeeded();
    let told = document(&json)["config"]["realtime"].as_bool().unwrap();
    let expected = if told { 2 } else { 0 };
    for (name, policy) in &seen {
        let is_of_load = name == "load-0" || name == "embedded";
        assert_eq!(*policy, if is_of_load { expected } else { 0 }, "{name}: {seen:?}");
    }
    told
}

#[test]
fn a_server_whose_service_is_known_is_not_kept_waiting() {
    let has_room = available_parallelism().unwrap().get() > 1;
    let service = "--embedded=service:exp:1ms -t ping_mbulk";
    assert_eq!(has_priority(service), has_room && is_left_alone() && is_granted());
    assert!(!has_priority(&format!("{service} --realtime no")));
    assert!(!has_priority("--embedded=delay:1ms -t ping_mbulk"), "only where it is asked for");
    assert!(!has_priority("--embedded -t ping_mbulk"));
    assert!(!has_priority(&format!("{service} --spin")), "whoever never sleeps is stopped");
    if has_room && is_granted() {
        assert!(has_priority("--embedded -t ping_mbulk --realtime yes"));
    }
}

#[test]
fn it_is_refused_where_nobody_else_could_run() {
    let cores = available_parallelism().unwrap().get();
    let line = format!("--embedded -t ping_mbulk -n 10 -c {cores} --threads {cores} --realtime yes");
    rbench(&words(&line)).failed(2, &["--realtime yes", "--threads", &format!("there are {cores}")]);
    rbench(&words("--embedded -t ping_mbulk -n 10 --rate 10 --spin --realtime yes"))
        .failed(2, &["--realtime yes", "--spin"]);
    let ran = rbench(&words(&line.replace("yes", "sometimes")));
    assert!(ran.code == Some(2) && ran.stderr.contains("auto, yes, no"), "{ran:?}");
}
