//! What is sent, how much of it, and by how many.

use crate::cli::realtime::Realtime;
use crate::cli::values::{self, rate, time, time_or_none};
use crate::plan::PipelineMode;
use crate::workload::arrivals::{ArrivalProcess, PROCESSES};
use crate::workload::suite;
use crate::workload::values::BYTES_MAX;
use clap::Args;
use std::time::Duration;

fn requests(text: &str) -> Result<u64, String> {
    values::whole(text, 1, 1_000_000_000_000_000)
}

fn clients(text: &str) -> Result<u32, String> {
    values::whole(text, 1, 1_000_000).map(|number| number as u32)
}

fn pipeline(text: &str) -> Result<u32, String> {
    values::whole(text, 1, 1_000_000).map(|number| number as u32)
}

fn data_bytes(text: &str) -> Result<usize, String> {
    values::whole(text, 1, BYTES_MAX as u64).map(|number| number as usize)
}

fn key_count(text: &str) -> Result<u64, String> {
    values::whole(text, 0, 1_000_000_000_000)
}

fn repeat(text: &str) -> Result<u64, String> {
    values::whole(text, 2, 1000)
}

fn threads(text: &str) -> Result<u32, String> {
    values::whole(text, 0, 500).map(|number| number as u32)
}

/// From one rate to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ramp(pub f64, pub f64);

/// One rate after the other; a type of its own, because a list would be taken for a flag that is given several times.
#[derive(Debug, Clone, PartialEq)]
pub struct Steps(pub Vec<f64>);

fn ramp(text: &str) -> Result<Ramp, String> {
    let (from, to) = text.split_once(':').ok_or("expected two rates with a colon between, such as 1000:20000")?;
    Ok(Ramp(rate(from)?, rate(to)?))
}

fn steps(text: &str) -> Result<Steps, String> {
    text.split(',').map(rate).collect::<Result<_, _>>().map(Steps)
}

fn arrivals(text: &str) -> Result<ArrivalProcess, String> {
    let names: Vec<&str> = PROCESSES.iter().map(|(name, _)| *name).collect();
    let found = PROCESSES.iter().find(|(name, _)| *name == text);
    found.map(|(_, process)| *process).ok_or_else(|| format!("known: {}", names.join(", ")))
}

/// Without what would make a key another placeholder, or end its tag.
fn key_prefix(text: &str) -> Result<String, String> {
    match text.contains("__") || text.contains(['{', '}']) {
        true => Err("it must not have '__', '{' or '}' in it: they have a meaning in keys".to_owned()),
        false => Ok(text.to_owned()),
    }
}

fn pipeline_mode(text: &str) -> Result<PipelineMode, String> {
    match text {
        "batch" => Ok(PipelineMode::Batch),
        "window" => Ok(PipelineMode::Window),
        _ => Err("known: batch, window".to_owned()),
    }
}

fn tests_help() -> String {
    format!(
        "Only these tests, comma-separated [default: all but mget]. In the order in which they run:\n{}",
        suite::names().join(", ")
    )
}

#[derive(Args)]
#[command(next_help_heading = "Load")]
pub struct LoadFlags {
    #[arg(short = 't', long, value_name = "TESTS", help = tests_help())]
    pub tests: Option<String>,

    /// Requests for each test, exactly
    #[arg(
        short = 'n',
        long,
        value_name = "REQUESTS",
        default_value = "100000",
        value_parser = requests,
        allow_negative_numbers = true,
    )]
    pub requests: u64,

    /// Run each test for this long, instead of a number of requests
    #[arg(long, value_name = "TIME", value_parser = time, allow_hyphen_values = true, conflicts_with = "requests")]
    pub duration: Option<Duration>,

    /// Load before that, which counts in no number and is marked in the timeline
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = time_or_none, allow_hyphen_values = true)]
    pub warmup: Duration,

    /// Load after --duration, likewise
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = time_or_none, allow_hyphen_values = true)]
    pub cooldown: Duration,

    /// Send this many requests per second, whether or not the server keeps up
    #[arg(long, visible_alias = "rps", value_name = "N", value_parser = rate, allow_negative_numbers = true,
        conflicts_with_all = ["ramp", "steps", "think_time"])]
    pub rate: Option<f64>,

    /// How they arrive: poisson, as from many users who know nothing of each other, or constant [default: poisson]
    #[arg(long, value_name = "PROCESS", value_parser = arrivals)]
    pub arrivals: Option<ArrivalProcess>,

    /// Let the rate rise, or fall, over --duration
    #[arg(long, value_name = "FROM:TO", value_parser = ramp, conflicts_with_all = ["steps", "think_time"])]
    pub ramp: Option<Ramp>,

    /// Go through these rates, each for an equal part of --duration
    #[arg(long, value_name = "R1,R2,...", value_parser = steps, conflicts_with = "think_time")]
    pub steps: Option<Steps>,

    /// End a run in which requests wait longer than this for a free connection, for three seconds on end
    #[arg(long, value_name = "TIME", value_parser = time, allow_hyphen_values = true)]
    pub latency_limit: Option<Duration>,

    /// Wait for the next arrival without sleeping: less late, for a whole core
    #[arg(long)]
    pub spin: bool,

    /// Run load threads, and an embedded server, before everything else on their cores (SCHED_RR). That takes root's rights
    /// and a core more than load threads; auto does it beside an embedded server with 'service:' alone
    #[arg(long, value_name = "WHEN", value_enum, default_value = "auto")]
    pub realtime: Realtime,

    /// Parallel connections
    #[arg(
        short = 'c',
        long,
        value_name = "CLIENTS",
        default_value = "50",
        value_parser = clients,
        allow_negative_numbers = true,
    )]
    pub clients: u32,

    /// Requests that a connection has in flight
    #[arg(
        short = 'P',
        long,
        value_name = "DEPTH",
        default_value = "1",
        value_parser = pipeline,
        allow_negative_numbers = true,
    )]
    pub pipeline: u32,

    /// When more are sent: when all are answered, in one piece (batch), or as many as were answered (window)
    #[arg(long, value_name = "MODE", default_value = "batch", value_parser = pipeline_mode)]
    pub pipeline_mode: PipelineMode,

    /// Payload of SET, LPUSH and the like, in bytes
    #[arg(
        short = 'd',
        long = "data-size",
        value_name = "BYTES",
        default_value = "3",
        value_parser = data_bytes,
        allow_negative_numbers = true,
    )]
    pub data_bytes: usize,

    /// Draw keys at random from this many, up to 12 digits; without it every request has the same key
    #[arg(
        short = 'r',
        long = "key-space",
        value_name = "KEYS",
        value_parser = key_count,
        allow_negative_numbers = true,
    )]
    pub key_count: Option<u64>,

    /// Put this before the keys of all tests, to keep them apart from others
    #[arg(long, value_name = "PREFIX", value_parser = key_prefix, allow_hyphen_values = true)]
    pub key_prefix: Option<String>,

    /// After the last test, remove the keys that this run could have written, and no others
    #[arg(long)]
    pub cleanup: bool,

    /// Seed of the random draws [default: drawn, and kept in the document]
    #[arg(long, value_name = "SEED", allow_negative_numbers = true)]
    pub seed: Option<u64>,

    /// Add standard input as last argument of the command
    #[arg(short = 'x')]
    pub stdin: bool,

    /// Open the connections and wait, until Ctrl-C
    #[arg(short = 'I')]
    pub idle: bool,

    /// Run the tests this often, and tell how far the results fall apart
    #[arg(long, value_name = "TIMES", value_parser = repeat, allow_negative_numbers = true, conflicts_with = "forever")]
    pub repeat: Option<u64>,

    /// Run the tests again and again, until Ctrl-C
    #[arg(short = 'l')]
    pub forever: bool,

    /// Load threads; 0 is one that reports do not mention
    #[arg(
        long,
        value_name = "N",
        default_value = "0",
        value_parser = threads,
        allow_negative_numbers = true,
    )]
    pub threads: u32,
}
