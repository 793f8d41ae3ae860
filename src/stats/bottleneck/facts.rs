//! What is known of a run, as far as it bears on who was the limit. What a machine does not tell is missing.

use crate::recording::{Latencies, LoadThread};
use crate::units::{Nanos, Rate};

/// The load and everybody on its way. Shares of time are of the part that is measured; of samples, their median: seconds
/// in which a run begins or ends are half idle.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    pub elapsed: Nanos,
    /// Requests that were answered per second.
    pub achieved: Rate,
    /// Requests that came due per second. None in a closed loop, which asks for as much as there is.
    pub offered: Option<Rate>,
    /// Requests that were due and not sent by the end.
    pub unsent: u64,
    pub slip: Option<Slip>,
    pub clients: u32,
    pub pipeline: u32,
    pub think_time: Nanos,
    /// From sent to replied, on average.
    pub latency_mean: Option<Nanos>,
    /// The same of the fastest request: the way there and back takes no longer.
    pub latency_min: Option<Nanos>,
    pub threads: Vec<ThreadFacts>,
    /// Processors that this process may use.
    pub cores: Option<usize>,
    /// What this client reaches with the same plan on this machine when nobody holds it up.
    pub ceiling: Option<Rate>,
    /// The share of the processors that a hypervisor gave to others.
    pub steal: Option<f64>,
    /// The share of time for which the control group was stopped.
    pub throttled: Option<f64>,
    /// TCP segments that were sent, and those of them that were sent again.
    pub segments: Option<(u64, u64)>,
    pub bytes_sent_per_second: Option<f64>,
    pub bytes_received_per_second: Option<f64>,
    pub servers: Vec<ServerFacts>,
    pub proxies: Vec<ProxyFacts>,
    /// Whether there is a proxy on the way that was not asked.
    pub has_unseen_proxy: bool,
}

/// How late requests were sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Slip {
    pub p50: Nanos,
    pub p99: Nanos,
    /// The 99th percentile of each second, in order. Empty when it is not known.
    pub p99_by_second: Vec<Nanos>,
}

/// What a load thread did with its time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ThreadFacts {
    /// The share of a core that it needed.
    pub busy: Option<f64>,
    /// The share of time for which it could have run and had no processor.
    pub run_queue_wait: Option<f64>,
    /// How often it was taken off its processor, per second.
    pub involuntary_switches: Option<f64>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServerFacts {
    pub name: String,
    /// The main thread's share of a core. None of a server that does not tell it apart.
    pub main_thread_busy: Option<f64>,
    /// The process's processor time per time: 2.5 are two and a half cores.
    pub process_busy: Option<f64>,
    /// Threads that may read and write, the main thread included.
    pub io_threads: Option<u32>,
    pub commands_per_second: Option<f64>,
    /// What a command takes the server, reading and writing left out.
    pub usec_per_call: Option<f64>,
    /// The share of time for which its main thread could have run and had no processor. It is known of local ones alone.
    pub run_queue_wait: Option<f64>,
    /// Whether it takes its processor time from the machine that makes the load.
    pub is_local: bool,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProxyFacts {
    pub name: String,
    /// The share of what its threads can do. It is known of local ones alone.
    pub busy: Option<f64>,
    /// The share of time for which a thread of it could have run and had no processor. Local ones alone, too.
    pub run_queue_wait: Option<f64>,
    pub threads: Option<u32>,
}

impl From<&LoadThread> for ThreadFacts {
    fn from(thread: &LoadThread) -> ThreadFacts {
        ThreadFacts { busy: thread.busy(), ..ThreadFacts::default() }
    }
}

impl ThreadFacts {
    /// The share of time for which it wanted a processor, whether or not it had one.
    pub fn wanted(&self) -> Option<f64> {
        Some(self.busy? + self.run_queue_wait.unwrap_or(0.0))
    }
}

impl ServerFacts {
    /// How near it is to its end, 1 being there: its main thread, or all of its threads when several read and write.
    pub fn busy(&self) -> Option<f64> {
        let threads = f64::from(self.io_threads.unwrap_or(1).max(1));
        // Without the main thread's own time, the process stands for it.
        let process = self.process_busy.filter(|_| threads > 1.0 || self.main_thread_busy.is_none());
        let all = process.map(|busy| busy / threads);
        [self.main_thread_busy, all].into_iter().flatten().reduce(f64::max)
    }

    /// The share of time for which it wanted a processor, whether or not it had one.
    pub fn wanted(&self) -> Option<f64> {
        Some(self.busy()? + self.run_queue_wait.unwrap_or(0.0))
    }

    /// The share of a core that commands themselves take.
    pub fn busy_with_commands(&self) -> Option<f64> {
        Some(self.commands_per_second? * self.usec_per_call? / 1e6)
    }
}

impl ProxyFacts {
    /// The same of a proxy.
    pub fn wanted(&self) -> Option<f64> {
        Some(self.busy? + self.run_queue_wait.unwrap_or(0.0))
    }
}

/// A backlog that grows by less than this share of the time is none.
const GROWTH_MIN: f64 = 0.001;

/// Slip that grows by less than this is noise.
const GROWTH_NS_MIN: f64 = 1e6;

/// A median that is a greater share of the run is of a backlog.
const BEHIND: f64 = 0.01;

/// Seconds without which nothing can be seen to rise.
const SECONDS_MIN: usize = 4;

impl Slip {
    /// None when nothing was recorded.
    pub fn of(slip: &Latencies, p99_by_second: Vec<Nanos>) -> Option<Slip> {
        Some(Slip { p50: slip.at(50.0)?, p99: slip.at(99.0)?, p99_by_second })
    }

    /// Whether requests were sent later and later. It compares the middle of the last third with the middle of the
    /// first, which one stall does not move. In a run of a few seconds the median has to tell: of a backlog that
    /// grows from nothing it is half of what there is in the end.
    pub fn is_rising(&self, elapsed: Nanos) -> bool {
        let seconds = &self.p99_by_second;
        if seconds.len() < SECONDS_MIN {
            return self.p50.0 as f64 > elapsed.0 as f64 * BEHIND;
        }
        let third = (seconds.len() / 3).max(2);
        let (first, last) = (median(&seconds[..third]), median(&seconds[seconds.len() - third..]));
        let between = (seconds.len() - third) as f64 * 1e9;
        last > 2.0 * first && last - first > GROWTH_NS_MIN.max(GROWTH_MIN * between)
    }
}

fn median(values: &[Nanos]) -> f64 {
    let mut sorted: Vec<u64> = values.iter().map(|nanos| nanos.0).collect();
    sorted.sort_unstable();
    sorted[(sorted.len() - 1) / 2] as f64
}

impl Facts {
    /// The load thread that wanted a processor most, by its place.
    pub fn busiest_thread(&self) -> Option<(usize, &ThreadFacts, f64)> {
        let known = self.threads.iter().enumerate().filter_map(|(at, thread)| Some((at, thread, thread.wanted()?)));
        known.max_by(|one, other| one.2.total_cmp(&other.2))
    }

    pub fn busiest_server(&self) -> Option<(&ServerFacts, f64)> {
        let known = self.servers.iter().filter_map(|server| Some((server, server.busy()?)));
        known.max_by(|one, other| one.1.total_cmp(&other.1))
    }

    pub fn busiest_proxy(&self) -> Option<(&ProxyFacts, f64)> {
        let known = self.proxies.iter().filter_map(|proxy| Some((proxy, proxy.busy?)));
        known.max_by(|one, other| one.1.total_cmp(&other.1))
    }

    /// The share of the mean latency that the fastest request took, for which nobody can have waited.
    pub fn way_share(&self) -> Option<f64> {
        let (least, mean) = (self.latency_min?, self.latency_mean?);
        (mean > Nanos::ZERO).then(|| least.as_secs() / mean.as_secs())
    }

    /// Requests per second that can be answered with so many in flight. Little's law.
    pub fn in_flight_limit(&self) -> Option<Rate> {
        let round = self.latency_mean? + self.think_time;
        (round > Nanos::ZERO).then(|| Rate(f64::from(self.clients) * f64::from(self.pipeline) / round.as_secs()))
    }

    /// Cores that this process may use and nobody of whom is known does. It counts a core for each load thread.
    pub fn cores_left(&self) -> Option<f64> {
        let of_server = |server: &ServerFacts| server.process_busy.or(server.main_thread_busy).unwrap_or(1.0);
        let servers: f64 = self.servers.iter().filter(|server| server.is_local).map(of_server).sum();
        let of_proxy = |proxy: &ProxyFacts| Some(proxy.busy? * f64::from(proxy.threads?));
        let proxies: f64 = self.proxies.iter().filter_map(of_proxy).sum();
        Some(self.cores? as f64 - self.threads.len() as f64 - servers - proxies)
    }
}
