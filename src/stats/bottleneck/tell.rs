//! The words and figures of a verdict.

use super::cause::{Cause, Missing};
use super::facts::{Facts, ProxyFacts, ServerFacts, ThreadFacts};
use super::{Figure, Unit};
use crate::units::{Nanos, Rate};

/// Lines of these speeds in Gbit/s, and the share of one that the payload of TCP takes when it is full.
const LINES: [f64; 6] = [1.0, 2.5, 10.0, 25.0, 40.0, 100.0];
const FULL: std::ops::Range<f64> = 0.90..0.96;

/// From here on somebody who is not the limit is worth a word.
const NEARLY: f64 = 0.90;

/// Below this share of its time a server's commands are not what keeps it busy.
const LITTLE: f64 = 0.5;

/// One line: the limit's own figures, and then those of everybody else.
pub fn text(cause: &Cause, facts: &Facts) -> String {
    let (client, server, proxy) = (client(facts), server(facts), proxy(facts));
    let parties = |first: Vec<Option<String>>| first.into_iter().flatten().collect::<Vec<_>>().join("; ");
    match cause {
        Cause::TooShort => format!("the run took {}", span(facts.elapsed)),
        Cause::Given => parties(vec![Some(given(facts)), slip(facts), client, server, proxy]),
        Cause::Thinking => {
            let think = format!("clients think for {} between requests", span(facts.think_time));
            parties(vec![Some(think), latency(facts), client, server, proxy])
        }
        Cause::Starved(..) | Cause::ThreadBusy(_) => parties(vec![client, server, proxy]),
        Cause::Ceiling => parties(vec![ceiling(facts), client, server, proxy]),
        Cause::Throttled => {
            let taken = facts.throttled.map(|share| format!("stopped by its quota for {} of the time", percent(share)));
            parties(vec![taken, client, server, proxy])
        }
        Cause::Stolen => {
            let taken = facts.steal.map(|share| format!("the hypervisor gave {} to others", percent(share)));
            parties(vec![taken, client, server, proxy])
        }
        Cause::Late => parties(vec![slip(facts).map(|slip| slip + " and rising"), client, server, proxy]),
        Cause::ServerBusy(_) => parties(vec![server, client, proxy]),
        Cause::ProxyBusy(_) => parties(vec![proxy, client, server]),
        Cause::Retransmits => parties(vec![retransmits(facts), latency(facts), client, server, proxy]),
        Cause::Waiting => parties(vec![Some("nobody is busy".to_owned()), latency(facts), client, server, proxy]),
        Cause::Untold(_) => parties(vec![client, server, proxy, latency(facts)]),
        Cause::Between => parties(vec![Some("nobody is at an end".to_owned()), latency(facts), client, server, proxy]),
    }
}

/// One line: what to do next.
pub fn advice(cause: &Cause, facts: &Facts) -> String {
    match cause {
        Cause::TooShort => "run for a second at least (--duration, or a higher -n)".to_owned(),
        Cause::Given => raise_rate(facts),
        Cause::Thinking => "lower --think-time, or raise -c".to_owned(),
        Cause::Starved(..) => {
            "give rbench a processor of its own (taskset, nice, fewer neighbours), or run it on another \
                               machine"
                .to_owned()
        }
        Cause::ThreadBusy(_) | Cause::Ceiling => more_threads(facts),
        Cause::Throttled => {
            "raise the processor limit of rbench's control group (cpu.max), or lower --threads".to_owned()
        }
        Cause::Stolen => {
            "the host is shared: run rbench on another machine, or when its neighbours are quiet".to_owned()
        }
        Cause::Late => "something holds rbench up: look for other work on its machine, or run it on another".to_owned(),
        Cause::ServerBusy(server) => server_is_full(server, facts),
        Cause::ProxyBusy(proxy) => proxy_is_full(proxy),
        Cause::Retransmits => "the network loses packets: look at the links and at their queues".to_owned(),
        Cause::Waiting => raise_clients(facts),
        Cause::Untold(missing) => missing.iter().map(|what| ask_for(*what)).collect::<Vec<_>>().join("; "),
        Cause::Between
            if facts.busiest_thread().is_some_and(|(_, thread, _)| had_no_processor(thread.run_queue_wait)) =>
        {
            "run again while the machine has nothing else to do".to_owned()
        }
        Cause::Between => "raise -c or -P until somebody is".to_owned(),
    }
}

/// Every figure that is known.
pub fn evidence(facts: &Facts) -> Vec<Figure> {
    let ns = |at: Nanos| at.0 as f64;
    let mut known = vec![
        ("elapsed", Some(ns(facts.elapsed)), Unit::Ns),
        ("achieved rate", Some(facts.achieved.0), Unit::PerSecond),
        ("offered rate", facts.offered.map(|rate| rate.0), Unit::PerSecond),
        ("unsent", facts.offered.map(|_| facts.unsent as f64), Unit::Count),
        ("slip p50", facts.slip.as_ref().map(|slip| ns(slip.p50)), Unit::Ns),
        ("slip p99", facts.slip.as_ref().map(|slip| ns(slip.p99)), Unit::Ns),
        ("latency mean", facts.latency_mean.map(ns), Unit::Ns),
        ("latency min", facts.latency_min.map(ns), Unit::Ns),
        ("in flight limit", facts.in_flight_limit().map(|rate| rate.0), Unit::PerSecond),
        ("ceiling", facts.ceiling.map(|rate| rate.0), Unit::PerSecond),
        ("steal", facts.steal, Unit::Share),
        ("throttled", facts.throttled, Unit::Share),
        ("segments sent", facts.segments.map(|(sent, _)| sent as f64), Unit::Count),
        ("segments retransmitted", facts.segments.map(|(_, again)| again as f64), Unit::Count),
        ("sent", facts.bytes_sent_per_second, Unit::BytesPerSecond),
        ("received", facts.bytes_received_per_second, Unit::BytesPerSecond),
    ]
    .into_iter()
    .filter_map(|(name, value, unit)| Some(Figure::new(name, value?, unit)))
    .collect::<Vec<_>>();
    let mut add = |name: String, what: &str, value: Option<f64>, unit: Unit| {
        known.extend(value.map(|value| Figure::new(format!("{name} {what}"), value, unit)));
    };
    for (at, thread) in facts.threads.iter().enumerate() {
        let name = || format!("load-{at}");
        add(name(), "busy", thread.busy, Unit::Cores);
        add(name(), "run queue wait", thread.run_queue_wait, Unit::Share);
        add(name(), "involuntary switches", thread.involuntary_switches, Unit::PerSecond);
    }
    for server in &facts.servers {
        let name = || named("server", &server.name);
        add(name(), "main thread busy", server.main_thread_busy, Unit::Cores);
        add(name(), "process busy", server.process_busy, Unit::Cores);
        add(name(), "io threads", server.io_threads.map(f64::from), Unit::Count);
        add(name(), "run queue wait", server.run_queue_wait, Unit::Share);
        add(name(), "commands", server.commands_per_second, Unit::PerSecond);
        add(name(), "time per command", server.usec_per_call.map(|us| us * 1e3), Unit::Ns);
    }
    for proxy in &facts.proxies {
        let name = || named("proxy", &proxy.name);
        add(name(), "busy", proxy.busy, Unit::Share);
        add(name(), "run queue wait", proxy.run_queue_wait, Unit::Share);
        add(name(), "threads", proxy.threads.map(f64::from), Unit::Count);
    }
    known
}

fn client(facts: &Facts) -> Option<String> {
    let (at, thread, _) = facts.busiest_thread()?;
    Some(format!("load-{at} {} of a core{}", percent(thread.busy?), without(thread.run_queue_wait)))
}

fn server(facts: &Facts) -> Option<String> {
    let (server, busy) = facts.busiest_server()?;
    let name = if facts.servers.len() > 1 { named("server", &server.name) } else { "server".to_owned() };
    let of = match server.io_threads {
        Some(threads) if threads > 1 && server.main_thread_busy.is_none_or(|main| main < busy) => {
            format!(" of {threads} io-threads")
        }
        _ => String::new(),
    };
    Some(format!("{name} {}{of}{}", percent(busy), without(server.run_queue_wait)))
}

fn proxy(facts: &Facts) -> Option<String> {
    let (proxy, busy) = facts.busiest_proxy()?;
    let name = if facts.proxies.len() > 1 { named("proxy", &proxy.name) } else { "proxy".to_owned() };
    let of = proxy.threads.map_or(String::new(), |threads| match threads {
        1 => " of 1 thread".to_owned(),
        _ => format!(" of {threads} threads"),
    });
    Some(format!("{name} {}{of}{}", percent(busy), without(proxy.run_queue_wait)))
}

/// What somebody had to wait for a processor, when that is worth a word.
fn without(run_queue_wait: Option<f64>) -> String {
    let wait = run_queue_wait.filter(|share| *share >= 0.05);
    wait.map_or(String::new(), |share| format!(", and without a processor for {}", percent(share)))
}

fn given(facts: &Facts) -> String {
    let offered = facts.offered.unwrap_or(facts.achieved);
    format!("{} of {} asked for", rate(facts.achieved), rate(offered))
}

fn slip(facts: &Facts) -> Option<String> {
    facts.slip.as_ref().map(|slip| format!("slip p99 {}", span(slip.p99)))
}

fn latency(facts: &Facts) -> Option<String> {
    let mean = facts.latency_mean?;
    let least = facts.latency_min.map_or(String::new(), |least| format!(", at least {}", span(least)));
    Some(format!("mean latency {}{least}", span(mean)))
}

fn ceiling(facts: &Facts) -> Option<String> {
    let ceiling = facts.ceiling?;
    let share = percent(facts.achieved.0 / ceiling.0);
    Some(format!("{} is {share} of the {} that rbench itself reaches here", rate(facts.achieved), rate(ceiling)))
}

fn retransmits(facts: &Facts) -> Option<String> {
    let (sent, again) = facts.segments?;
    Some(format!("{again} of {sent} segments sent again"))
}

fn raise_rate(facts: &Facts) -> String {
    let near = |name: &'static str, busy: Option<f64>| busy.filter(|busy| *busy >= NEARLY).map(|_| name);
    let server = near("the server", facts.busiest_server().map(|it| it.1));
    match server.or(near("the proxy", facts.busiest_proxy().map(|it| it.1))) {
        Some(who) => format!("raise --rate, but not by much: {who} is near its end"),
        None => "raise --rate".to_owned(),
    }
}

fn more_threads(facts: &Facts) -> String {
    let threads = facts.threads.len();
    let busy = |pick: fn(f64, f64) -> f64| facts.threads.iter().filter_map(ThreadFacts::wanted).reduce(pick);
    if let (Some(least), Some(most)) = (busy(f64::min), busy(f64::max))
        && threads > 1
        && least < most / 2.0
    {
        return format!("its work is spread unevenly: make -c a multiple of --threads {threads}");
    }
    match facts.cores_left() {
        Some(left) if left >= 0.5 && threads > 0 && (threads as u32) < facts.clients => {
            format!("add --threads {}", threads + 1)
        }
        _ => "run rbench on another machine or core".to_owned(),
    }
}

fn server_is_full(server: &ServerFacts, facts: &Facts) -> String {
    if had_no_processor(server.run_queue_wait) && server.busy().is_some_and(|busy| busy < NEARLY) {
        return "give the server a processor of its own (taskset, fewer neighbours)".to_owned();
    }
    if server.busy().is_some_and(|busy| busy < NEARLY) {
        return "the server is the limit; its capacity shows while the machine has nothing else to do".to_owned();
    }
    let (busy, commands) = (server.busy().unwrap_or(1.0), server.busy_with_commands());
    let reads_and_writes = commands.filter(|share| *share < busy * LITTLE && server.io_threads.unwrap_or(1) <= 1);
    if facts.servers.len() > 1 && facts.servers.iter().filter_map(ServerFacts::busy).any(|other| other < busy / 2.0) {
        return format!(
            "{} is the limit and others have room: spread the keys, or move slots away from it",
            named("server", &server.name)
        );
    }
    let capacity = "the server is the limit: this is its capacity for this workload";
    match reads_and_writes {
        Some(share) => format!(
            "{capacity}; commands take {} of a core, the rest is reading and writing, which -P or io-threads relieve",
            percent(share)
        ),
        None => capacity.to_owned(),
    }
}

fn proxy_is_full(proxy: &ProxyFacts) -> String {
    if had_no_processor(proxy.run_queue_wait) && proxy.busy.is_some_and(|busy| busy < NEARLY) {
        return "give the proxy processors of its own (taskset, fewer neighbours)".to_owned();
    }
    match proxy.threads {
        Some(1) => "give HAProxy more threads (nbthread) or more replicas".to_owned(),
        _ => "give HAProxy more threads (nbthread) and cores for them, or more replicas".to_owned(),
    }
}

/// How many requests are under way, as arithmetic, and where they wait when that can be told.
fn raise_clients(facts: &Facts) -> String {
    if let Some(line) = full_line(facts) {
        return format!("a line of {line} Gbit/s would be full at this: use a faster one, or smaller values (-d)");
    }
    let Facts { clients, pipeline, .. } = facts;
    let raise = match (facts.in_flight_limit(), facts.latency_mean) {
        (Some(limit), Some(mean)) => {
            let round = span(mean + facts.think_time);
            format!("raise -c or -P: at most {clients} x {pipeline} / {round} = {} are in flight", rate(limit))
        }
        _ => "raise -c or -P".to_owned(),
    };
    match (facts.latency_min, facts.latency_mean) {
        (Some(least), Some(mean)) if least.0 * 2 >= mean.0 => {
            format!("{raise}; {} of it is what the fastest took: the way there and back", share(least, mean))
        }
        (Some(least), Some(mean)) => format!(
            "{raise}; the fastest took {} of it, so look for what holds requests back: a disk, a processor quota, a lock",
            share(least, mean)
        ),
        _ => raise,
    }
}

fn share(part: Nanos, whole: Nanos) -> String {
    percent((part.0 as f64 / whole.0 as f64).min(1.0))
}

/// The line that is as good as full in one of the directions.
fn full_line(facts: &Facts) -> Option<f64> {
    let ways = [facts.bytes_sent_per_second, facts.bytes_received_per_second];
    LINES.into_iter().find(|line| ways.iter().flatten().any(|bytes| FULL.contains(&(bytes * 8.0 / (line * 1e9)))))
}

fn ask_for(missing: Missing) -> String {
    match missing {
        Missing::Threads => "this machine does not tell the processor time of threads: watch rbench with top -H",
        Missing::Server => "the server's processor time would tell: let it answer INFO, or name it with --observe",
        Missing::Proxy => "the proxy's processor time would tell: give --haproxy-stats, on the machine where it runs",
    }
    .to_owned()
}

fn had_no_processor(run_queue_wait: Option<f64>) -> bool {
    run_queue_wait.is_some_and(|share| share >= 0.10)
}

fn named(kind: &str, name: &str) -> String {
    if name.is_empty() { kind.to_owned() } else { format!("{kind} {name}") }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn rate(rate: Rate) -> String {
    match rate.0 {
        rate if rate >= 1e6 => format!("{:.2} M/s", rate / 1e6),
        rate if rate >= 1e4 => format!("{:.1} k/s", rate / 1e3),
        rate => format!("{rate:.0}/s"),
    }
}

fn span(span: Nanos) -> String {
    match span.0 as f64 {
        ns if ns >= 1e9 => format!("{:.1} s", ns / 1e9),
        ns if ns >= 1e6 => format!("{:.1} ms", ns / 1e6),
        ns => format!("{:.0} µs", ns / 1e3),
    }
}
