//! This process: what its load threads used of their cores, and what kept them from it.

use super::kernel;
use super::schedstat::{self, Schedstat};
use super::taken::{Taken, TakenShare};
use crate::recording::observed::{ClientUse, ThreadUse};
use rustix::param::page_size;
use rustix::time::{ClockId, clock_gettime};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// What the names of load threads begin with, before their numbers.
const LOAD: &str = "load-";

/// A look at the kernel's counts of this process.
#[derive(Debug, Clone)]
pub struct ClientLook {
    pub at: Instant,
    /// Load threads by their number, in their order.
    threads: BTreeMap<u32, ThreadLook>,
    process_cpu: Duration,
    taken: Taken,
    segments: Option<Segments>,
    /// Bytes that went to swap or came back.
    swapped: Option<u64>,
}

/// What TCP sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Segments {
    sent: u64,
    again: u64,
}

/// A thread's counts since it began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct ThreadLook {
    /// The system's number of it: the next run has threads of the same names.
    id: u32,
    schedstat: Option<Schedstat>,
    voluntary: Option<u64>,
    involuntary: Option<u64>,
}

impl ClientLook {
    /// Looks, which takes a few reads of small files for each thread.
    pub fn now() -> ClientLook {
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        ClientLook {
            at: Instant::now(),
            threads: threads(),
            process_cpu: Duration::new(cpu.tv_sec as u64, cpu.tv_nsec as u32),
            taken: Taken::look(),
            segments: kernel::text("/proc/net/snmp").and_then(|text| segments(&text)),
            swapped: kernel::text("/proc/vmstat")
                .and_then(|text| pages_swapped(&text))
                .map(|pages| pages * page_size() as u64),
        }
    }

    pub fn has_threads(&self) -> bool {
        !self.threads.is_empty()
    }

    /// What happened since `before`. Of threads that were there both times.
    pub fn since(&self, before: &ClientLook) -> ClientUse {
        let elapsed = self.at.duration_since(before.at);
        let TakenShare { steal, throttled } = self.taken.since(&before.taken);
        let both = self.threads.iter().filter_map(|(number, now)| {
            let before = before.threads.get(number).filter(|before| before.id == now.id)?;
            Some(now.since(before, *number, elapsed))
        });
        ClientUse {
            threads: both.collect(),
            process_busy: share(self.process_cpu.saturating_sub(before.process_cpu), elapsed),
            loop_lag_max_ns: None,
            loop_lag_p99_ns: None,
            steal,
            throttled,
            tcp_segments: difference(self.segments.map(|it| it.sent), before.segments.map(|it| it.sent)),
            tcp_retransmits: difference(self.segments.map(|it| it.again), before.segments.map(|it| it.again)),
            swapped_bytes: difference(self.swapped, before.swapped),
        }
    }
}

impl ThreadLook {
    fn since(&self, before: &ThreadLook, number: u32, elapsed: Duration) -> ThreadUse {
        let of = |what: fn(Schedstat) -> Duration| {
            let (now, before) = self.schedstat.zip(before.schedstat)?;
            share(what(now).saturating_sub(what(before)), elapsed)
        };
        ThreadUse {
            name: format!("{LOAD}{number}"),
            busy: of(|it| it.ran),
            run_queue_wait: of(|it| it.waited),
            voluntary_switches: difference(self.voluntary, before.voluntary),
            involuntary_switches: difference(self.involuntary, before.involuntary),
        }
    }

    fn of(directory: &Path) -> Option<(u32, ThreadLook)> {
        let name = kernel::text(directory.join("comm"))?;
        let number = name.trim().strip_prefix(LOAD)?.parse().ok()?;
        let id = directory.file_name()?.to_str()?.parse().ok()?;
        let schedstat = schedstat::of(directory);
        let status = kernel::text(directory.join("status")).unwrap_or_default();
        let switches = |kind: &str| {
            status
                .lines()
                .find_map(|line| line.strip_prefix(kind)?.strip_prefix("_ctxt_switches:")?.trim().parse().ok())
        };
        let (voluntary, involuntary) = (switches("voluntary"), switches("nonvoluntary"));
        Some((number, ThreadLook { id, schedstat, voluntary, involuntary }))
    }
}

fn share(part: Duration, whole: Duration) -> Option<f64> {
    (!whole.is_zero()).then(|| part.as_secs_f64() / whole.as_secs_f64())
}

fn difference(now: Option<u64>, before: Option<u64>) -> Option<u64> {
    now.zip(before).map(|(now, before)| now.saturating_sub(before))
}

fn threads() -> BTreeMap<u32, ThreadLook> {
    let Ok(directory) = fs::read_dir("/proc/self/task") else { return BTreeMap::new() };
    directory.flatten().filter_map(|entry| ThreadLook::of(&entry.path())).collect()
}

/// Of two lines that begin with `Tcp:` the first has the names, and the second the numbers.
fn segments(text: &str) -> Option<Segments> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("Tcp:"));
    let (names, numbers) = (lines.next()?, lines.next()?);
    let number = |wanted| {
        let place = names.split_whitespace().position(|name| name == wanted)?;
        numbers.split_whitespace().nth(place)?.parse().ok()
    };
    Some(Segments { sent: number("OutSegs")?, again: number("RetransSegs")? })
}

/// Since the machine was started.
fn pages_swapped(text: &str) -> Option<u64> {
    let number = |wanted| text.lines().find_map(|line| line.strip_prefix(wanted)?.trim().parse::<u64>().ok());
    Some(number("pswpin ")? + number("pswpout ")?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{TryRecvError, channel};
    use std::thread;

    #[test]
    fn the_kernels_counts_are_read() {
        let snmp = "Ip: Forwarding\nIp: 1\nTcp: RtoMin OutSegs RetransSegs InErrs\nTcp: 200 55 7 0\nUdp: 1\n";
        assert_eq!(segments(snmp), Some(Segments { sent: 55, again: 7 }));
        assert_eq!(segments("Tcp: RtoMin\nTcp: 200\n"), None);
        assert_eq!(pages_swapped("pgpgin 9\npswpin 3\npswpout 4\n"), Some(7));
        assert_eq!(pages_swapped("pgpgin 9\n"), None, "a kernel without swap");
    }

    /// One that spins and one that sleeps are told apart, and others are left out.
    #[test]
    fn a_load_thread_is_known_by_its_name() {
        let (wake, sleeping) = channel::<()>();
        let named = |name: &str| thread::Builder::new().name(name.to_owned());
        let sleeper = named("load-901").spawn(move || sleeping.recv()).unwrap();
        let (stop, spinning) = channel::<()>();
        let spinner = named("load-902")
            .spawn(move || while spinning.try_recv().is_err_and(|error| error == TryRecvError::Empty) {})
            .unwrap();
        let ran = |look: &ClientLook, number| Some(look.threads.get(&number)?.schedstat?.ran);
        let ours = |look: &ClientLook| ran(look, 901).is_some() && ran(look, 902).is_some();
        let before = std::iter::repeat_with(ClientLook::now).find(ours).unwrap();
        let spun = |look: &ClientLook| ran(look, 902).unwrap_or_default() - ran(&before, 902).unwrap_or_default();
        let after =
            std::iter::repeat_with(ClientLook::now).find(|look| spun(look) > Duration::from_millis(20)).unwrap();
        drop((wake, stop));
        let _ = (sleeper.join(), spinner.join());
        let seen = after.since(&before);
        let thread = |name: &str| seen.threads.iter().find(|thread| thread.name == name).unwrap();
        assert!(thread("load-902").busy.unwrap() > 0.0 && thread("load-902").involuntary_switches.is_some());
        assert!(thread("load-901").busy.unwrap() < thread("load-902").busy.unwrap());
        assert!(seen.threads.iter().all(|thread| thread.name.starts_with("load-")));
        assert!(seen.process_busy.unwrap() > 0.0);
        let gone = std::iter::repeat_with(ClientLook::now).find(|look| !ours(look)).unwrap();
        assert!(gone.since(&after).threads.iter().all(|thread| thread.name != "load-902"));
    }
}
