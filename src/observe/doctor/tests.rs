//! The rules, held against machines as they were recorded.

use super::*;
use crate::observe::cgroup::Quota;
use crate::observe::{Machine, ProcessorUse};
use crate::units::Nanos;

/// A server of its own with everything set for measuring.
fn tuned() -> Facts {
    let machine = Machine {
        cores: 16,
        os: "linux".to_owned(),
        clocksource: Some("tsc".to_owned()),
        clock_read_ns: Nanos(18),
        container: false,
        loadavg: Some([0.1, 0.1, 0.1]),
        ..Machine::observe()
    };
    Facts {
        clients: 50,
        machine,
        open_files: (1024, 524_288),
        open_files_max: Some(1_048_576),
        somaxconn: Some(4096),
        syn_backlog: Some(4096),
        ports: Some((1024, 65_535)),
        tw_reuse: Some(1),
        cores_online: Some(16),
        governors: vec!["performance".to_owned()],
        clocksources: vec!["tsc".to_owned(), "hpet".to_owned()],
        quota: None,
        throttled_periods: Some(0),
        second: Some(second(0.01, 0.0)),
        hypervisor: None,
        is_virtual: Some(false),
        slow_start_after_idle: Some(0),
        buffers_max: Some((6 << 20, 4 << 20)),
        congestion_control: Some("cubic".to_owned()),
        huge_pages: Some("madvise".to_owned()),
        redis_runs: Some(false),
        swap_used_bytes: Some(0),
        io_uring_disabled: Some(0),
        is_filtered: Some(false),
        programs: Some(Installed::Yes("redis-server 7.0.15, haproxy 2.6.12".to_owned())),
    }
}

fn second(others: f64, steal: f64) -> ProcessorUse {
    ProcessorUse { own: 0.0, others, steal }
}

#[track_caller]
fn finding(facts: &Facts, code: &str) -> Finding {
    let findings = examine(facts);
    findings.iter().find(|finding| finding.code == code).unwrap_or_else(|| panic!("no {code}: {findings:#?}")).clone()
}

#[test]
fn a_tuned_machine_has_nothing_to_be_told() {
    for finding in examine(&tuned()) {
        assert_eq!((finding.level, &finding.remedy), (Level::Ok, &None), "{finding:?}");
    }
}

/// What can be wrong by itself, one after the other, and what becomes of nothing else by it.
#[test]
fn each_rule_sees_its_own_fact() {
    let change = |change: fn(&mut Facts)| {
        let mut facts = tuned();
        change(&mut facts);
        facts
    };
    let quota =
        |cores| Some(Quota { cores, text: String::new(), file: "/sys/fs/cgroup/cpu.max".to_owned(), none: "max" });
    let with_quota = |cores, periods| Facts { quota: quota(cores), throttled_periods: Some(periods), ..tuned() };
    // As the system has it: no more processors than the quota is of.
    let by_quota = |cores: f64| {
        let mut facts = with_quota(cores, 0);
        facts.machine.cores = cores as usize;
        facts
    };
    for (code, level, facts, words) in [
        ("open_files", Level::Problem, change(|it| it.open_files = (64, 100)), "--nofile=114:114"),
        ("somaxconn", Level::Note, change(|it| it.somaxconn = Some(128)), "somaxconn=511"),
        ("tcp_max_syn_backlog", Level::Note, change(|it| it.syn_backlog = Some(20)), "backlog=50"),
        ("port_range", Level::Problem, change(|it| it.ports = Some((60_000, 60_010))), "ip_local_port_range="),
        ("time_wait", Level::Note, change(|it| it.tw_reuse = Some(0)), "tcp_tw_reuse=1"),
        ("time_wait", Level::Note, change(|it| it.tw_reuse = Some(2)), "tcp_tw_reuse=1"),
        ("cores", Level::Note, change(|it| it.machine.cores = 2), "taskset -cp 0-15 $$"),
        ("cpu_quota", Level::Note, with_quota(2.0, 0), "echo max | sudo tee /sys/fs/cgroup/cpu.max"),
        ("cpu_quota", Level::Note, by_quota(2.9), "echo max | sudo tee /sys/fs/cgroup/cpu.max"),
        ("cpu_quota", Level::Problem, with_quota(2.0, 7), "echo max"),
        ("cpu_quota", Level::Problem, with_quota(0.5, 0), "echo max"),
        ("governor", Level::Note, change(|it| it.governors = vec!["powersave".to_owned()]), "cpupower"),
        ("clock", Level::Note, change(|it| it.machine.clock_read_ns = Nanos(200)), "dmesg"),
        ("load", Level::Note, change(|it| it.second = Some(second(0.3, 0.0))), "ps -eo"),
        ("load", Level::Problem, change(|it| it.second = Some(second(0.8, 0.0))), "ps -eo"),
        ("steal", Level::Note, change(|it| it.second = Some(second(0.0, 0.02))), "vmstat"),
        ("steal", Level::Problem, change(|it| it.second = Some(second(0.0, 0.2))), "vmstat"),
        ("virtual", Level::Note, change(|it| it.is_virtual = Some(true)), "--repeat"),
        ("virtual", Level::Note, change(|it| it.machine.container = true), "--repeat"),
        ("tcp_slow_start_after_idle", Level::Note, change(|it| it.slow_start_after_idle = Some(1)), "idle=0"),
        ("tcp_buffers", Level::Note, change(|it| it.buffers_max = Some((6 << 20, 65_536))), "tcp_wmem="),
        ("tcp_congestion_control", Level::Note, change(|it| it.congestion_control = Some("bbr".to_owned())), "cubic"),
        ("swap", Level::Note, change(|it| it.swap_used_bytes = Some(1)), "swapoff"),
        (
            "lab",
            Level::Note,
            change(|it| it.programs = Some(Installed::No { why: "x".to_owned(), remedy: "install x".to_owned() })),
            "install x",
        ),
    ] {
        let others: Vec<Finding> = examine(&facts).into_iter().filter(|it| it.level > Level::Ok).collect();
        assert_eq!(others.iter().map(|it| it.code).collect::<Vec<_>>(), [code], "{others:#?}");
        let Finding { level: found, remedy, .. } = &others[0];
        assert_eq!(*found, level, "{others:?}");
        assert!(remedy.as_ref().is_some_and(|remedy| remedy.contains(words)), "no {words:?} in {others:?}");
    }
}

/// More files than the kernel gives anybody, more ports than there are.
#[test]
fn a_billion_connections_are_a_problem_with_a_way_out() {
    let facts = Facts { clients: 1_000_000_000, ..tuned() };
    let files = finding(&facts, "open_files");
    assert_eq!(files.level, Level::Problem);
    assert!(files.remedy.as_ref().unwrap().starts_with("sudo sysctl -w fs.nr_open=1000000064 && sudo prlimit"));
    let ports = finding(&facts, "port_range");
    assert!(ports.level == Level::Problem && ports.remedy.unwrap().contains("--bind"));
}

#[test]
fn the_soft_limit_is_no_problem_because_rbench_raises_it() {
    let files = finding(&Facts { clients: 5000, ..tuned() }, "open_files");
    assert!(files.level == Level::Ok && files.finding.contains("raises it"), "{files:?}");
}

/// Where the processor's own clock could be used, the remedy is to use it.
#[test]
fn a_slow_clock_is_a_problem() {
    let mut facts = tuned();
    (facts.machine.clocksource, facts.machine.clock_read_ns) = (Some("hpet".to_owned()), Nanos(1200));
    let clock = finding(&facts, "clock");
    assert!(clock.level == Level::Problem && clock.remedy.unwrap().starts_with("echo tsc | sudo tee /sys/"));
}

#[test]
fn huge_pages_matter_where_a_redis_runs() {
    let with = |redis_runs| Facts { huge_pages: Some("always".to_owned()), redis_runs, ..tuned() };
    assert_eq!(finding(&with(Some(false)), "huge_pages").level, Level::Ok);
    assert_eq!(finding(&with(Some(true)), "huge_pages").level, Level::Note);
}

/// rbench does not use io_uring: whatever there is of it, there is nothing to do.
#[test]
fn io_uring_is_told_and_asks_for_nothing() {
    for (disabled, filtered, says) in
        [(0, false, "not disabled"), (0, true, "filter"), (1, false, "privileged"), (2, false, "for all")]
    {
        let facts = Facts { io_uring_disabled: Some(disabled), is_filtered: Some(filtered), ..tuned() };
        let found = finding(&facts, "io_uring");
        assert!(found.level == Level::Ok && found.finding.contains(says), "{found:?}");
    }
}

/// Of a system that is not Linux next to nothing is known, and nothing is guessed.
#[test]
fn what_cannot_be_learned_is_said_to_be_unknown() {
    let mut facts = tuned();
    facts.machine.os = "macos".to_owned();
    facts.machine.loadavg = None;
    let facts = Facts {
        open_files_max: None,
        somaxconn: None,
        syn_backlog: None,
        ports: None,
        tw_reuse: None,
        cores_online: None,
        governors: Vec::new(),
        clocksources: Vec::new(),
        throttled_periods: None,
        second: None,
        is_virtual: None,
        slow_start_after_idle: None,
        buffers_max: None,
        congestion_control: None,
        huge_pages: None,
        redis_runs: None,
        swap_used_bytes: None,
        io_uring_disabled: None,
        is_filtered: None,
        programs: None,
        ..facts
    };
    for finding in examine(&facts) {
        let expected = if ["open_files", "clock"].contains(&finding.code) { Level::Ok } else { Level::Unknown };
        assert_eq!(finding.level, expected, "{finding:?}");
    }
}

#[test]
fn codes_are_different() {
    let codes: std::collections::BTreeSet<&str> = examine(&tuned()).iter().map(|finding| finding.code).collect();
    assert_eq!(codes.len(), RULES.len());
}
