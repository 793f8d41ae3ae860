//! What to do, checked and complete: defaults filled in, nothing done yet. A document keeps it, so that a result says
//! how it was made.

use crate::target::Server;
use crate::target::guard::Mode;
use crate::units::{Nanos, Rate, Seed};
use crate::workload::arrivals::Arrivals;
use crate::workload::{Command, Fillings, KeyDistribution, Keys, Test, Ttl, ValueData, ValueSize, Values};
use serde::{Deserialize, Serialize};

/// One run of rbench, fully decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub server: Server,
    /// What the way to it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The name or the file of the profile that it began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// In the order in which they run. Each opens connections of its own.
    pub tests: Vec<Test>,
    /// Whether the tests are of the suite, and not a command of the user's own: reports end a suite with an empty line.
    pub is_suite: bool,
    pub rounds: Rounds,
    pub stop: Stop,
    /// Load before the first request that counts.
    #[serde(default, rename = "warmup_ns")]
    pub warmup: Nanos,
    /// Load after the last one that counts.
    #[serde(default, rename = "cooldown_ns")]
    pub cooldown: Nanos,
    /// The slices of the timeline.
    #[serde(default = "one_second", rename = "interval_ns")]
    pub interval: Nanos,
    /// When requests are due. None is a closed loop: each client sends when it has its replies.
    #[serde(default)]
    pub arrivals: Option<Arrivals>,
    /// Whether to wait for the next arrival without sleeping.
    #[serde(default)]
    pub spin: bool,
    /// Whether load threads, and a server of our own, run before everything else on their cores.
    #[serde(default)]
    pub realtime: bool,
    /// How long requests may wait for a free connection before a run that cannot recover is ended. None is for ever.
    #[serde(default, rename = "latency_limit_ns")]
    pub latency_limit: Option<Nanos>,
    /// Connections, each with its own requests in flight.
    pub clients: u32,
    /// Sequences of requests, or commands of a mix, that a client has in flight.
    pub pipeline: u32,
    #[serde(default)]
    pub pipeline_mode: PipelineMode,
    /// Whether a client keeps its connection from one batch to the next.
    pub keep_alive: bool,
    /// Requests after which a client makes a new connection. None keeps it.
    pub reconnect_every: Option<u64>,
    /// Connections that are made per second at the most. None is as fast as can be.
    pub connect_rate: Option<Rate>,
    /// Between a batch's last reply and the next batch.
    #[serde(default, rename = "think_time_ns")]
    pub think_time: Nanos,
    #[serde(default)]
    pub on_error: OnError,
    /// How long nobody gets through before a run that reconnects is ended.
    #[serde(default, rename = "give_up_ns")]
    pub give_up: Nanos,
    /// Whether anybody looks at the server before the first request, and what becomes of what is found.
    #[serde(default)]
    pub guard: Mode,
    /// Load threads. None is one thread, too, but reports say "multi-thread: no" as redis-benchmark does.
    pub threads: Option<u32>,
    pub protocol: Protocol,
    /// Whether connections ask for `CLIENT TRACKING on`.
    pub tracking: bool,
    /// Numbers in keys are drawn from `0..key_count`. None leaves placeholders as they are: one key.
    pub key_count: Option<u64>,
    /// Which of them keys have.
    #[serde(default)]
    pub key_distribution: KeyDistribution,
    /// Before the keys of all tests.
    #[serde(default)]
    pub key_prefix: String,
    /// How keys are filled before the first test. None leaves them as they are.
    #[serde(default)]
    pub prefill: Option<Prefill>,
    /// Whether the keys that the run could have written are removed after it.
    #[serde(default)]
    pub cleanup: bool,
    /// The length of a value, or of the largest.
    pub data_bytes: usize,
    /// None in documents that knew one length alone.
    #[serde(default)]
    pub value_size: Option<ValueSize>,
    #[serde(default)]
    pub value_data: ValueData,
    /// How long what SET writes is to live.
    #[serde(default)]
    pub ttl: Option<Ttl>,
    /// Whether values belong to their keys, and what is read is compared with them.
    #[serde(default)]
    pub verify: bool,
    pub seed: Seed,
    /// For each connection to be made, look-up and greeting included.
    #[serde(rename = "connect_timeout_ns")]
    pub connect_timeout: Nanos,
    /// For each reply.
    #[serde(rename = "reply_timeout_ns")]
    pub reply_timeout: Nanos,
    /// What `--precision` asked for, which each format of redis-benchmark reads in its own way.
    pub precision: Option<u8>,
}

/// The children of the seed that keys and values are drawn from, apart from those of requests.
const KEYS: u64 = u64::MAX - 2;
const VALUES: u64 = u64::MAX - 3;

/// Requests that a connection has in flight while keys are filled, at the least.
const PREFILL_PIPELINE: u32 = 16;

fn one_second() -> Nanos {
    Nanos::from_secs(1)
}

/// When a test ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    AfterRequests(u64),
    /// So long after the first request that counts.
    #[serde(rename = "after_duration_ns")]
    AfterDuration(Nanos),
}

/// When a client with several requests in flight sends more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PipelineMode {
    /// When all are answered, in one piece: redis-benchmark's way.
    #[default]
    Batch,
    /// When any is answered, as many as were.
    Window,
}

/// Writing keys before they are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prefill {
    /// The first keys of the key space, each written once.
    pub keys: u64,
    /// Each of them in turn. What it writes is not measured.
    pub tests: Vec<Test>,
}

/// How often the list of tests is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounds {
    Once,
    /// This often, to see how far results fall apart.
    Times(u64),
    UntilInterrupted,
}

/// What an error does to a run. What it is, is counted in every case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// The first one ends it, as in redis-benchmark.
    #[default]
    Abort,
    /// The run goes on; a client that loses its connection is out.
    Continue,
    /// The run goes on, and connections that are lost are made again.
    Reconnect,
}

/// The version of the protocol that connections ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    Resp2,
    Resp3,
}

impl Plan {
    /// `tests` against `server` as redis-benchmark would run them without any flag.
    pub fn of(server: Server, tests: Vec<Test>) -> Plan {
        Plan {
            server,
            tests,
            path: None,
            profile: None,
            is_suite: true,
            rounds: Rounds::Once,
            stop: Stop::AfterRequests(100_000),
            warmup: Nanos::ZERO,
            cooldown: Nanos::ZERO,
            interval: one_second(),
            arrivals: None,
            spin: false,
            realtime: false,
            latency_limit: None,
            clients: 50,
            pipeline: 1,
            pipeline_mode: PipelineMode::Batch,
            keep_alive: true,
            reconnect_every: None,
            connect_rate: None,
            think_time: Nanos::ZERO,
            on_error: OnError::Abort,
            give_up: Nanos::from_secs(60),
            guard: Mode::Warn,
            threads: None,
            protocol: Protocol::Resp2,
            tracking: false,
            key_count: None,
            key_distribution: KeyDistribution::default(),
            key_prefix: String::new(),
            prefill: None,
            cleanup: false,
            data_bytes: 3,
            value_size: None,
            value_data: ValueData::default(),
            ttl: None,
            verify: false,
            seed: Seed(0),
            connect_timeout: Nanos::from_secs(5),
            reply_timeout: Nanos::from_secs(30),
            precision: None,
        }
    }

    /// The run that writes the keys of `prefill`, each once, as fast as it can. What it writes is as in this plan; how the
    /// load is made is not.
    pub fn of_prefill(&self, prefill: &Prefill, test: &Test) -> Plan {
        Plan {
            tests: vec![test.clone()],
            stop: Stop::AfterRequests(prefill.keys.saturating_mul(test.sequence_len() as u64)),
            warmup: Nanos::ZERO,
            cooldown: Nanos::ZERO,
            arrivals: None,
            realtime: false,
            latency_limit: None,
            pipeline: self.pipeline.max(PREFILL_PIPELINE),
            pipeline_mode: PipelineMode::Batch,
            keep_alive: true,
            reconnect_every: None,
            think_time: Nanos::ZERO,
            key_distribution: KeyDistribution::sequential(),
            ..self.clone()
        }
    }

    /// The tests, and what is run before them.
    pub fn all_tests(&self) -> impl Iterator<Item = &Test> {
        self.tests.iter().chain(self.prefill.iter().flat_map(|prefill| &prefill.tests))
    }

    /// Requests that a connection is made for.
    pub fn connection_lifetime(&self) -> u64 {
        match self.keep_alive {
            false => 1,
            true => self.reconnect_every.unwrap_or(u64::MAX),
        }
    }

    /// Load threads that have a client to drive.
    pub fn load_threads(&self) -> u32 {
        self.threads.unwrap_or(1).min(self.clients)
    }

    /// The lengths of values.
    pub fn value_size(&self) -> ValueSize {
        self.value_size.clone().unwrap_or_else(|| ValueSize::of(self.data_bytes))
    }

    /// What is put into the holes of requests. Values are made here, once for a run: they may be large.
    pub fn fillings(&self) -> Fillings {
        Fillings {
            key_count: self.key_count,
            // Which keys are hot, and what is in them, is the same for all tests: they work on the same keys.
            keys: Keys::new(&self.key_distribution, self.key_count.unwrap_or(1), self.seed.child(KEYS)),
            values: Values::new(&self.value_size(), &self.value_data, self.seed.child(VALUES)),
            by_key: self.verify,
            ttl: self.ttl,
            in_cluster: self.server.cluster.is_some(),
        }
    }

    /// The seed of the test with this `index` in this `round`: tests must not draw the same keys, or GET would find
    /// just what SET had left.
    pub fn seed_of(&self, round: u64, index: usize) -> Seed {
        self.seed.child(round).child(index as u64)
    }

    /// About how many bytes the largest batch of a test takes in memory, over all load threads.
    pub fn batch_bytes_about(&self) -> u64 {
        let of_test = |test: &Test| {
            let of_command = |command: &Command| -> u64 {
                command.sequence.iter().map(|request| request.bytes_about(self.data_bytes)).sum()
            };
            let sequence: u64 = test.commands.iter().map(of_command).max().unwrap_or(0);
            let repeats = self.batch_repeats(test);
            sequence.saturating_mul(repeats).saturating_mul(u64::from(self.load_threads()))
        };
        self.tests.iter().map(of_test).max().unwrap_or(0)
    }

    /// How often a batch repeats the sequence of `test`: one deeper than the whole run would only cost memory.
    pub fn batch_repeats(&self, test: &Test) -> u64 {
        let sequences = self.requests().map_or(u64::MAX, |requests| requests.div_ceil(test.sequence_len() as u64));
        u64::from(self.pipeline).min(sequences)
    }

    /// Requests that a test sends. None when it goes on for a time.
    pub fn requests(&self) -> Option<u64> {
        match self.stop {
            Stop::AfterRequests(requests) => Some(requests),
            Stop::AfterDuration(_) => None,
        }
    }

    /// How long a test goes on. None when it sends a number of requests.
    pub fn duration(&self) -> Option<Nanos> {
        match self.stop {
            Stop::AfterRequests(_) => None,
            Stop::AfterDuration(duration) => Some(duration),
        }
    }
}
