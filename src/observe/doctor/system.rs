//! Rules on the rest of the system: TCP, memory, and what is installed.

use super::{Facts, Finding, Installed};

pub fn slow_start(facts: &Facts) -> Finding {
    const CODE: &str = "tcp_slow_start_after_idle";
    match facts.slow_start_after_idle {
        None => Finding::unknown(CODE, "net.ipv4.tcp_slow_start_after_idle"),
        Some(0) => Finding::ok(CODE, "net.ipv4.tcp_slow_start_after_idle is 0: connections stay fast over pauses"),
        // Ten segments: RFC 6928.
        Some(_) => Finding::note(
            CODE,
            "after a pause connections begin slowly: on a network, values above 14 KiB take a round trip more then",
            "sudo sysctl -w net.ipv4.tcp_slow_start_after_idle=0   # at both ends",
        ),
    }
}

/// A pipeline of large values does not fit into less.
const BUFFER_MIN: u64 = 1 << 20;

pub fn socket_buffers(facts: &Facts) -> Finding {
    const CODE: &str = "tcp_buffers";
    let Some((receive, send)) = facts.buffers_max else {
        return Finding::unknown(CODE, "net.ipv4.tcp_rmem and tcp_wmem");
    };
    let found = format!("TCP buffers grow up to {} KiB (tcp_rmem) and {} KiB (tcp_wmem)", receive >> 10, send >> 10);
    if receive.min(send) >= BUFFER_MIN {
        return Finding::ok(CODE, found);
    }
    Finding::note(
        CODE,
        format!("{found}: deep pipelines of large values wait for them"),
        "sudo sysctl -w net.ipv4.tcp_rmem='4096 131072 6291456' net.ipv4.tcp_wmem='4096 16384 4194304'",
    )
}

/// Both send as much as the window allows. Others, such as bbr, pace what they send.
const USUAL: [&str; 2] = ["cubic", "reno"];

pub fn congestion_control(facts: &Facts) -> Finding {
    const CODE: &str = "tcp_congestion_control";
    match facts.congestion_control.as_deref() {
        None => Finding::unknown(CODE, "net.ipv4.tcp_congestion_control"),
        Some(name) if USUAL.contains(&name) => Finding::ok(CODE, format!("congestion control is {name}")),
        Some(name) => Finding::note(
            CODE,
            format!("congestion control is {name}, which may pace requests: compare only with runs under the same"),
            "sudo sysctl -w net.ipv4.tcp_congestion_control=cubic",
        ),
    }
}

/// Redis saves by a fork, and copies whole huge pages afterwards.
pub fn huge_pages(facts: &Facts) -> Finding {
    const CODE: &str = "huge_pages";
    match (facts.huge_pages.as_deref(), facts.redis_runs) {
        (None, _) => Finding::unknown(CODE, "transparent huge pages"),
        (Some("always"), Some(false)) => {
            Finding::ok(CODE, "transparent huge pages are 'always', and no redis runs here to feel it")
        }
        (Some("always"), is_here) => Finding::note(
            CODE,
            format!(
                "transparent huge pages are 'always'{}: writes are slow while a redis saves",
                if is_here == Some(true) { ", and a redis runs here" } else { "" }
            ),
            "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled   # and start the server again",
        ),
        (Some(other), _) => Finding::ok(CODE, format!("transparent huge pages are '{other}'")),
    }
}

pub fn swap(facts: &Facts) -> Finding {
    const CODE: &str = "swap";
    match facts.swap_used_bytes {
        None => Finding::unknown(CODE, "swap"),
        Some(0) => Finding::ok(CODE, "no swap is in use"),
        Some(bytes) => Finding::note(
            CODE,
            format!("{:.1} MiB are in swap: whoever needs them waits for a disk", bytes as f64 / f64::from(1 << 20)),
            "free -m && sudo swapoff -a && sudo swapon -a   # when what is available is more than what is in swap",
        ),
    }
}

/// Told because it is asked for so often; rbench drives its connections by epoll, and nothing follows from it.
pub fn io_uring(facts: &Facts) -> Finding {
    const CODE: &str = "io_uring";
    let state = match (facts.io_uring_disabled, facts.is_filtered) {
        (None, _) => return Finding::unknown(CODE, "io_uring, which rbench does not use,"),
        (Some(2), _) => "disabled for all (kernel.io_uring_disabled is 2)",
        (Some(1), _) => "for the privileged (kernel.io_uring_disabled is 1)",
        (Some(_), Some(true)) => "in the kernel, but a filter on system calls may deny it to this process",
        (Some(_), _) => "in the kernel, and not disabled",
    };
    Finding::ok(CODE, format!("io_uring is {state}; rbench does not use it, so that no result changes with it"))
}

pub fn programs(facts: &Facts) -> Finding {
    const CODE: &str = "lab";
    match &facts.programs {
        None => Finding::unknown(CODE, "rbench lab, which is for Linux,"),
        Some(Installed::Yes(versions)) => Finding::ok(CODE, format!("rbench lab can start: {versions}")),
        Some(Installed::No { why, remedy }) => {
            Finding::note(CODE, format!("rbench lab cannot start: {why}"), remedy.clone())
        }
    }
}
