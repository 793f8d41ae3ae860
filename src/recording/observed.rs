//! What was observed beside a run: its servers, proxies on the way, and the load itself. Whatever was not to be learned is
//! absent, and no zero stands in its place.

use super::{LoadThread, Timeline};
use crate::units::{Nanos, Rate};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything that was observed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Observed {
    /// In order, and next to each other. Empty when the run was over before the first was due.
    pub samples: Vec<Sample>,
    /// What each server did from before the first request to after the last reply.
    pub servers: Vec<ServerUse>,
    /// The load itself, from the first request to the end.
    pub client: ClientUse,
    /// Why something is missing, each said once.
    pub notes: Vec<String>,
}

/// A stretch of a run, as those who have a part in it were seen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sample {
    /// Where it begins, from the start of the run.
    pub start_ns: Nanos,
    pub length_ns: Nanos,
    pub client: ClientUse,
    /// Those that answered at both ends of the stretch.
    pub servers: Vec<ServerSample>,
    pub proxies: Vec<ProxySample>,
}

/// What the load took, and what was taken from it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientUse {
    pub threads: Vec<ThreadUse>,
    /// Processor time of the whole process, as a share of one core: above 1 when several are busy.
    pub process_busy: Option<f64>,
    /// The longest turn of any load thread's loop: for so long a socket that was ready may have waited.
    pub loop_lag_max_ns: Option<Nanos>,
    /// What 99 % of turns did not exceed, of the load thread where that was longest. Of a whole run only.
    pub loop_lag_p99_ns: Option<Nanos>,
    /// The share of this machine's time that the hypervisor gave to others, 0 to 1.
    pub steal: Option<f64>,
    /// The share of the time for which our control group was stopped because its quota was used up, 0 to 1.
    pub throttled: Option<f64>,
    /// Segments that TCP sent, and those that it sent again, whoever's they were on this machine.
    pub tcp_segments: Option<u64>,
    pub tcp_retransmits: Option<u64>,
    /// Bytes that went to swap or came back, whoever's they were.
    pub swapped_bytes: Option<u64>,
}

/// A load thread.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ThreadUse {
    /// As the system shows it: `load-0`.
    pub name: String,
    /// The share of a core that it used, 0 to 1.
    pub busy: Option<f64>,
    /// The share of the time for which it could have run, and others had the core.
    pub run_queue_wait: Option<f64>,
    /// How often it went to sleep, and how often it was sent away.
    pub voluntary_switches: Option<u64>,
    pub involuntary_switches: Option<u64>,
}

/// What a server did in a stretch of time, by its own account, and how it stood at the end of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerActivity {
    /// Shares of one core: of the thread that serves commands, and of all threads of the process.
    pub main_thread_busy: Option<f64>,
    pub process_busy: Option<f64>,
    /// The share of the time for which the main thread could have run, and others had the core. Of a server on this machine
    /// alone.
    pub run_queue_wait: Option<f64>,
    /// Everything that it served, the question for these figures included.
    pub commands_per_second: Option<Rate>,
    pub connected_clients: Option<u64>,
    pub blocked_clients: Option<u64>,
    pub used_memory_bytes: Option<u64>,
    /// 0 when there is no limit.
    pub maxmemory_bytes: Option<u64>,
    pub evicted_keys: Option<u64>,
    pub expired_keys: Option<u64>,
    pub keyspace_hits: Option<u64>,
    pub keyspace_misses: Option<u64>,
    pub rejected_connections: Option<u64>,
    /// Through its network interfaces, from and to everybody.
    pub bytes_received: Option<u64>,
    pub bytes_sent: Option<u64>,
    /// Whether a child of it is at work on a snapshot, or on the append-only file.
    pub is_saving: Option<bool>,
    /// How long the last fork stopped it, in microseconds.
    pub latest_fork_us: Option<u64>,
    pub connected_replicas: Option<u64>,
    /// Of the replica that is furthest behind. None when there is none.
    pub replica_lag_bytes: Option<u64>,
    pub replica_lag_secs: Option<u64>,
}

/// A server in a sample.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerSample {
    /// In the user's words, or in those of its group.
    pub name: String,
    #[serde(flatten)]
    pub activity: ServerActivity,
}

/// A server over a whole run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerUse {
    pub name: String,
    pub run_id: Option<String>,
    pub version: Option<String>,
    /// `master` or `slave`, after the run.
    pub role: Option<String>,
    pub io_threads_active: Option<bool>,
    /// From the look before to the look after: a little longer than the run.
    pub length_ns: Nanos,
    #[serde(flatten)]
    pub activity: ServerActivity,
    /// What it was asked to do meanwhile, by whomever.
    pub commands: BTreeMap<String, CommandUse>,
    /// How long commands took it since it counts, which may be longer than the run.
    pub latencies: BTreeMap<String, ServerLatency>,
    /// Error replies meanwhile, by their code.
    pub errors: BTreeMap<String, u64>,
}

/// A command, as the server counted it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CommandUse {
    pub calls: u64,
    /// The time it took to carry out one of them, in microseconds. None without calls.
    pub usec_per_call: Option<f64>,
    /// Refused before they were carried out, and failed while they were. None before Redis 6.2, which doesn't count them.
    pub rejected: Option<u64>,
    pub failed: Option<u64>,
}

/// Percentiles of the time that a command took the server, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerLatency {
    pub p50_us: Option<f64>,
    pub p99_us: Option<f64>,
    pub p99_9_us: Option<f64>,
}

/// A proxy in a sample: sums over its servers that had connections.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProxySample {
    /// Where it says so.
    pub address: String,
    /// The share of what its threads can do. None where its process is elsewhere.
    pub busy: Option<f64>,
    /// The share of the time for which its threads could have run, and others had the processor.
    #[serde(default)]
    pub run_queue_wait: Option<f64>,
    pub sessions: u64,
    /// Connections that wait for a place.
    pub queue: u64,
    /// Connections made per second.
    pub rate: Rate,
    /// Connections that failed, and replies that broke off.
    pub errors: u64,
    /// Of the server where it takes longest, means over the last 1024 connections, in milliseconds.
    pub queue_time_ms: Option<u64>,
    pub connect_time_ms: Option<u64>,
    pub response_time_ms: Option<u64>,
}

impl Observed {
    /// Adds what the load threads said of themselves: how long the turns of their loops were, and, of a run that was over
    /// before they could be looked at twice, how busy they were.
    pub fn complete(&mut self, timeline: &Timeline, load_threads: &[LoadThread]) {
        for sample in &mut self.samples {
            sample.client.loop_lag_max_ns = timeline.loop_lag_max(sample.start_ns, sample.start_ns + sample.length_ns);
        }
        self.client.loop_lag_max_ns = load_threads.iter().filter_map(|thread| thread.loop_lag_max_ns).max();
        self.client.loop_lag_p99_ns = load_threads.iter().filter_map(|thread| thread.loop_lag_p99_ns).max();
        if self.client.threads.is_empty() {
            let thread = |(index, thread): (usize, &LoadThread)| ThreadUse {
                name: format!("load-{index}"),
                busy: thread.busy(),
                ..ThreadUse::default()
            };
            self.client.threads = load_threads.iter().enumerate().map(thread).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::Counts;

    fn lag(micros: u64) -> Nanos {
        Nanos(micros * 1000)
    }

    #[test]
    fn a_sample_has_the_longest_turn_of_the_slices_in_it() {
        let mut timeline = Timeline::new(Nanos::from_millis(500));
        for (index, longest) in [10, 70, 20, 0, 5].into_iter().enumerate() {
            let counts = Counts { completed: 1, loop_lag_max: lag(longest), ..Counts::default() };
            timeline.push(index as u64, &counts, true);
        }
        // Looks come a little late, and a slice belongs to where most of it is.
        let sample = |start_ms, length_ms| Sample {
            start_ns: Nanos::from_millis(start_ms),
            length_ns: Nanos::from_millis(length_ms),
            ..Sample::default()
        };
        let samples = vec![sample(1, 1001), sample(1002, 998), sample(2000, 1000)];
        let mut observed = Observed { samples, ..Observed::default() };
        let thread = LoadThread {
            clients: 1,
            cpu_ns: lag(330),
            spun_ns: lag(30),
            elapsed_ns: lag(400),
            loop_lag_max_ns: Some(lag(70)),
            loop_lag_p99_ns: Some(lag(60)),
        };
        observed.complete(&timeline, &[thread, LoadThread { loop_lag_max_ns: Some(lag(80)), ..thread }]);
        let lags: Vec<Option<Nanos>> = observed.samples.iter().map(|sample| sample.client.loop_lag_max_ns).collect();
        assert_eq!(lags, [Some(lag(70)), Some(lag(20)), Some(lag(5))]);
        assert_eq!(observed.client.loop_lag_max_ns, Some(lag(80)));
        assert_eq!(observed.client.loop_lag_p99_ns, Some(lag(60)));
        assert_eq!(observed.client.threads[1].busy, Some(0.75), "nobody looked at it twice");
        assert_eq!(observed.client.threads[1].name, "load-1");
    }
}
