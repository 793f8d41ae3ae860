//! Rules on connections: how many can be open, made at once, and made again.

use super::{Facts, Finding};
use crate::target::limits;

/// Without it, a run ends before its first request.
pub fn open_files(facts: &Facts) -> Finding {
    const CODE: &str = "open_files";
    let (clients, (soft, hard)) = (facts.clients, facts.open_files);
    let needed = limits::needed(clients);
    let of = |limit: u64| if limit == u64::MAX { "unlimited".to_owned() } else { limit.to_string() };
    if hard >= needed {
        let raised = if soft < needed { ", to which rbench raises it" } else { "" };
        let limits = format!("the limit is {}, the hard one {}{raised}", of(soft), of(hard));
        return Finding::ok(CODE, format!("-c {clients} needs {needed} open files; {limits}"));
    }
    let most = match facts.open_files_max.filter(|most| *most < needed) {
        Some(most) => format!(", and fs.nr_open allows nobody more than {most}"),
        None => String::new(),
    };
    let first = if most.is_empty() { String::new() } else { format!("sudo sysctl -w fs.nr_open={needed} && ") };
    Finding::problem(
        CODE,
        format!("-c {clients} needs {needed} open files; the hard limit is {}{most}", of(hard)),
        format!("{first}sudo prlimit --pid $$ --nofile={needed}:{needed}"),
    )
}

/// What redis-server asks for; the kernel cuts it down to `net.core.somaxconn`.
const REDIS_BACKLOG: u64 = 511;

/// Connections that do not fit try again a second later, which `connect_time` shows.
pub fn accept_queue(facts: &Facts) -> Finding {
    const CODE: &str = "somaxconn";
    let Some(somaxconn) = facts.somaxconn else { return Finding::unknown(CODE, "net.core.somaxconn") };
    let wanted = facts.clients.max(REDIS_BACKLOG);
    if somaxconn >= wanted {
        return Finding::ok(CODE, format!("net.core.somaxconn is {somaxconn}: servers here can let so many wait"));
    }
    Finding::note(
        CODE,
        format!(
            "net.core.somaxconn is {somaxconn}: of {wanted} connections made at once to a server here some wait a second"
        ),
        format!("sudo sysctl -w net.core.somaxconn={}   # and start the server again", limited(wanted)),
    )
}

pub fn syn_backlog(facts: &Facts) -> Finding {
    const CODE: &str = "tcp_max_syn_backlog";
    let Some(backlog) = facts.syn_backlog else { return Finding::unknown(CODE, "net.ipv4.tcp_max_syn_backlog") };
    if backlog >= facts.clients {
        return Finding::ok(CODE, format!("net.ipv4.tcp_max_syn_backlog is {backlog}, -c {} fits", facts.clients));
    }
    Finding::note(
        CODE,
        format!(
            "net.ipv4.tcp_max_syn_backlog is {backlog}: -c {} made at once to a server here may not all be heard",
            facts.clients
        ),
        format!("sudo sysctl -w net.ipv4.tcp_max_syn_backlog={}", limited(facts.clients)),
    )
}

/// What these settings of the kernel can hold.
fn limited(wanted: u64) -> u64 {
    wanted.min(i32::MAX as u64)
}

/// The widest range that leaves the ports of services alone.
const WIDE: &str = "1024 65535";

/// Each connection to one address has a port of its own.
pub fn port_range(facts: &Facts) -> Finding {
    const CODE: &str = "port_range";
    let Some((ports, (low, high))) = ports(facts) else { return Finding::unknown(CODE, "ports for connections") };
    let from = format!("{ports} ports ({low} to {high}) for connections to one address");
    if ports >= facts.clients {
        return Finding::ok(CODE, format!("{from}; -c {} fits", facts.clients));
    }
    let wide = format!("sudo sysctl -w net.ipv4.ip_local_port_range='{WIDE}'");
    let more = match facts.clients > 64_512 {
        true => "   # for more, connect to several addresses, or from several (--bind)",
        false => "",
    };
    Finding::problem(CODE, format!("{from}: too few for -c {}", facts.clients), format!("{wide}{more}"))
}

fn ports(facts: &Facts) -> Option<(u64, (u64, u64))> {
    facts.ports.map(|(low, high)| ((high + 1).saturating_sub(low), (low, high)))
}

/// How long the port of a connection that was closed is kept: `TCP_TIMEWAIT_LEN` of Linux.
const TIME_WAIT_SECS: u64 = 60;

/// With `-k 0` every batch takes a port, and the end that closes first, which is rbench, keeps it for a minute.
pub fn time_wait(facts: &Facts) -> Finding {
    const CODE: &str = "time_wait";
    let (Some(reuse), Some((ports, _))) = (facts.tw_reuse, ports(facts)) else {
        return Finding::unknown(CODE, "net.ipv4.tcp_tw_reuse");
    };
    let lasting = ports.saturating_sub(facts.clients) / TIME_WAIT_SECS;
    let at_most = format!("-k 0 lasts at up to {lasting} connections per second to one address");
    let kept = format!("each of the {ports} ports is kept for {TIME_WAIT_SECS} s after use (TIME_WAIT)");
    match reuse {
        1 => Finding::ok(CODE, format!("net.ipv4.tcp_tw_reuse is 1: ports are used again after a second; {kept}")),
        _ => Finding::note(
            CODE,
            format!("{at_most}{}: {kept}", if reuse == 2 { ", except on loopback" } else { "" }),
            format!("sudo sysctl -w net.ipv4.tcp_tw_reuse=1 net.ipv4.ip_local_port_range='{WIDE}'"),
        ),
    }
}
