//! Rules on processor time: how much there is, how even it is, and who else has it.

use super::{Facts, Finding};

pub fn cores(facts: &Facts) -> Finding {
    const CODE: &str = "cores";
    let usable = facts.machine.cores;
    let of = |all: usize| format!("this process may use {usable} of the machine's {all} processors");
    // A quota is no set of processors: which ones it may use stays open, and `cpu_quota` tells of it.
    let is_by_quota = facts.quota.as_ref().is_some_and(|quota| usable == (quota.cores as usize).max(1));
    match facts.cores_online {
        Some(all) if all > usable && !is_by_quota => {
            Finding::note(CODE, of(all), format!("taskset -cp 0-{} $$   # or start rbench elsewhere", all - 1))
        }
        _ if usable == 1 => Finding::note(
            CODE,
            "one processor: what runs here beside rbench, a server or a proxy, takes turns with it",
            "rbench -h SERVER   # measure a server on another machine, or from another machine",
        ),
        Some(all) => Finding::ok(CODE, of(all)),
        None => Finding::unknown(CODE, "processors of the machine"),
    }
}

/// A quota does not slow a process down: it stops it, for the rest of each period of 100 ms.
pub fn quota(facts: &Facts) -> Finding {
    const CODE: &str = "cpu_quota";
    if facts.machine.os != "linux" {
        return Finding::unknown(CODE, "processor quota");
    }
    let throttled = facts.throttled_periods.unwrap_or(0);
    let so_far = match facts.throttled_periods {
        Some(periods) => format!("it was stopped in {periods} periods so far"),
        None => "whether it was stopped is not told".to_owned(),
    };
    let Some(quota) = &facts.quota else {
        return Finding::ok(CODE, "no control group limits the processor time of this process");
    };
    let found = format!("the control group of this process has {:.2} processors; {so_far}", quota.cores);
    let remedy = format!("echo {} | sudo tee {}   # in Kubernetes: no cpu limit for this pod", quota.none, quota.file);
    match throttled {
        _ if quota.cores < 1.0 => Finding::problem(CODE, found, remedy),
        // The processors that a process may use are no more than its quota: it is held against all there are.
        0 if quota.cores >= facts.cores_online.unwrap_or(facts.machine.cores) as f64 => Finding::ok(CODE, found),
        0 => Finding::note(CODE, found, remedy),
        _ => Finding::problem(CODE, found, remedy),
    }
}

pub fn governor(facts: &Facts) -> Finding {
    const CODE: &str = "governor";
    match &facts.governors[..] {
        [] => Finding::unknown(CODE, "frequency governor"),
        [only] if only == "performance" => Finding::ok(CODE, "every processor's frequency governor is performance"),
        several => Finding::note(
            CODE,
            format!("frequency governor {}: processors begin slowly and hasten under load", several.join(", ")),
            "sudo cpupower frequency-set -g performance",
        ),
    }
}

/// What a clock that is read without a system call costs at most, and what one that spoils latencies does.
const CLOCK_READ_OK_NS: u64 = 100;
const CLOCK_READ_BAD_NS: u64 = 500;

const CLOCK_SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";

/// rbench reads the clock about once for every batch.
pub fn clock(facts: &Facts) -> Finding {
    const CODE: &str = "clock";
    let cost = facts.machine.clock_read_ns.0;
    let source = facts.machine.clocksource.as_deref().unwrap_or("unknown");
    let found = format!("a reading of the clock costs {cost} ns (source: {source})");
    let remedy = match facts.clocksources.iter().any(|other| other == "tsc") && source != "tsc" {
        true => format!("echo tsc | sudo tee {CLOCK_SOURCE}"),
        false => "sudo dmesg | grep -i -e clocksource -e tsc   # why the processor's own clock is not used".to_owned(),
    };
    match cost {
        0..=CLOCK_READ_OK_NS => Finding::ok(CODE, found),
        CLOCK_READ_BAD_NS.. => Finding::problem(CODE, format!("{found}: each is a system call"), remedy),
        _ => Finding::note(CODE, found, remedy),
    }
}

/// Shares of the machine that others may have before it shows, and before it spoils a run.
const BUSY_NOTE: f64 = 0.10;
const BUSY_PROBLEM: f64 = 0.50;

pub fn load(facts: &Facts) -> Finding {
    const CODE: &str = "load";
    let Some(second) = facts.second else { return Finding::unknown(CODE, "what else runs here") };
    let average = match facts.machine.loadavg {
        Some([minute, ..]) => format!(", load average {minute:.2}"),
        None => String::new(),
    };
    let found = format!("others kept {:.0} % of all processors busy for a second{average}", second.others * 100.0);
    let remedy = "ps -eo pid,pcpu,comm --sort=-pcpu | head   # who it is; end it, or wait";
    match second.others {
        busy if busy > BUSY_PROBLEM => Finding::problem(CODE, found, remedy),
        busy if busy > BUSY_NOTE => Finding::note(CODE, found, remedy),
        _ => Finding::ok(CODE, found),
    }
}

/// Shares of the time that the hypervisor may give away before it shows, and before it spoils a run.
const STEAL_NOTE: f64 = 0.005;
const STEAL_PROBLEM: f64 = 0.05;

pub fn steal(facts: &Facts) -> Finding {
    const CODE: &str = "steal";
    let Some(second) = facts.second else { return Finding::unknown(CODE, "time that the hypervisor gives to others") };
    let found = format!("the hypervisor gave {:.1} % of a second to other guests", second.steal * 100.0);
    let remedy = "vmstat 1 10   # column st; while it is not 0, measure on another host or at another time";
    match second.steal {
        steal if steal > STEAL_PROBLEM => Finding::problem(CODE, found, remedy),
        steal if steal > STEAL_NOTE => Finding::note(CODE, found, remedy),
        _ => Finding::ok(CODE, found),
    }
}

/// Nothing is wrong with either; only what others do there is not to be seen from inside.
pub fn machine_kind(facts: &Facts) -> Finding {
    const CODE: &str = "virtual";
    let maker = facts.hypervisor.as_ref().map_or(String::new(), |maker| format!(" ({maker})"));
    let kind = match (facts.is_virtual, facts.machine.container) {
        (None, false) => return Finding::unknown(CODE, "whether this is a virtual machine"),
        (Some(false), false) => return Finding::ok(CODE, "no virtual machine and no container, as far as they tell"),
        (Some(true), true) => format!("a container in a virtual machine{maker}"),
        (Some(true), false) => format!("a virtual machine{maker}"),
        (_, true) => "a container".to_owned(),
    };
    Finding::note(
        CODE,
        format!("{kind}: neighbours that cannot be seen from here may move results"),
        "rbench --embedded -t get --duration 5s --repeat 5   # how far the same run falls apart here",
    )
}
