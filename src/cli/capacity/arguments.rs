//! The flags of a search for capacity, and the plans that they ask for: one for each way.

use crate::cli::error::Error;
use crate::cli::flags::PlanFlags;
use crate::cli::flags::errors::ErrorPolicy;
use crate::cli::flags::finding::FindingFlags;
use crate::cli::flags::out_of_place::OutOfPlace;
use crate::cli::flags::workload::MixFlag;
use crate::cli::observe::Wanted;
use crate::cli::paths::different_names;
use crate::cli::plan::{Embedded, plans};
use crate::cli::redact::redact;
use crate::cli::server::secrets;
use crate::cli::values::{self, percent, rate, time};
use crate::observe::StatsAddress;
use crate::plan::Plan;
use crate::report::finding::Style;
use crate::stats::Promise;
use crate::units::Nanos;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// How many requests per second a server carries within a promise, what breaks first, and whether a demand fits
#[derive(Args)]
#[command(disable_help_flag = true, args_override_self = true, after_help = EXAMPLES,
    override_usage = "rbench capacity --promise PROMISE [OPTIONS] [--] [COMMAND ARGS...]")]
pub struct CapacityFlags {
    #[command(flatten)]
    how: HowFlags,
    #[command(flatten)]
    pub(in crate::cli) plan: PlanFlags,
    #[command(flatten)]
    output: FindingFlags,
}

const EXAMPLES: &str = "\
Examples:
  rbench capacity --promise 'p99<2ms,errors<0.1%' -h haproxy-service -c 100 -d 30
  rbench capacity --promise 'p99<1ms' --mix get:80,set:20 -r 1000000 --prefill --demand 120000
  rbench capacity --promise 'p99<2ms' --path direct=10.0.0.7 --path haproxy=10.0.0.20 -t get
  rbench capacity --promise 'p99<5ms' --max-rate 20000 --guard refuse -h production
  rbench capacity --sweep-clients 1,2,5,10,20,50,100 -t get";

#[derive(Args)]
#[command(next_help_heading = "Capacity")]
struct HowFlags {
    /// What must hold for a rate to count: p99<2ms, or several with a comma between: p99<2ms,p99.9<10ms,errors<0.1%
    #[arg(long, value_name = "PROMISE", required_unless_present = "sweep_clients")]
    promise: Option<Promise>,

    /// Look for it from this rate on [default: from 0.3 of what a closed loop reaches]
    #[arg(long, value_name = "N", value_parser = rate, allow_negative_numbers = true)]
    from: Option<f64>,

    /// How narrow to search: rates that are this near to each other are not told apart
    #[arg(long, value_name = "PERCENT", default_value = "3%", value_parser = percent, allow_hyphen_values = true)]
    resolution: f64,

    /// What is measured of a rate before it is judged; rates far from the answer take less, unclear ones up to twice this
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = time, allow_hyphen_values = true)]
    step: Duration,

    /// How long the answer has to hold: only what is measured then is the answer
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = time, allow_hyphen_values = true)]
    hold: Duration,

    /// Load before each step, which counts in nothing
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = time, allow_hyphen_values = true)]
    settle: Duration,

    /// Never offer more than this many requests per second
    #[arg(long, value_name = "N", value_parser = rate, allow_negative_numbers = true)]
    max_rate: Option<f64>,

    /// What of the capacity is to stay free: the rest is recommended
    #[arg(long, value_name = "PERCENT", default_value = "30%", value_parser = percent, allow_hyphen_values = true)]
    headroom: f64,

    /// Requests per second that are wanted: do they fit, and if not, how many masters would carry them?
    #[arg(long, value_name = "N", value_parser = rate, allow_negative_numbers = true)]
    demand: Option<f64>,

    /// Instead of a rate, try these numbers of connections in a closed loop, three times each, and fit the Universal
    /// Scalability Law
    #[arg(long, value_name = "N1,N2,...", value_parser = sweep, conflicts_with_all = [
        "promise", "rate", "clients", "from", "resolution", "hold", "max_rate", "headroom", "demand"])]
    sweep_clients: Option<Sweep>,
}

/// Numbers of connections; a type of its own, because a list would be taken for a flag that is given several times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep(pub Vec<u32>);

fn sweep(text: &str) -> Result<Sweep, String> {
    let number = |number: &str| values::whole(number.trim(), 1, 1_000_000).map(|number| number as u32);
    let mut numbers: Vec<u32> = text.split(',').map(number).collect::<Result<_, _>>()?;
    numbers.sort_unstable();
    numbers.dedup();
    match numbers.len() {
        0..2 => Err("expected at least two numbers of connections, such as 1,2,5,10,20,50".to_owned()),
        _ => Ok(Sweep(numbers)),
    }
}

/// A search as the command line asks for it.
pub struct Arguments {
    /// One for each path.
    pub plans: Vec<Plan>,
    /// For each path the server to start first, and how it behaves.
    pub embedded: Vec<Embedded>,
    pub settings: Settings,
    pub command_line: Vec<String>,
}

/// How it is to be done.
pub struct Settings {
    pub question: Question,
    pub step: Nanos,
    pub settle: Nanos,
    pub observe: Wanted,
    pub haproxy_stats: Vec<StatsAddress>,
    pub style: Style,
    pub json: Option<PathBuf>,
}

/// What is asked.
pub enum Question {
    /// The highest rate that keeps a promise.
    Rate(Rates),
    /// What more connections bring.
    Clients(Vec<u32>),
}

/// The rates of a search.
#[derive(Debug, Clone)]
pub struct Rates {
    pub promise: Promise,
    pub from: Option<f64>,
    pub resolution: f64,
    pub hold: Nanos,
    pub max_rate: Option<f64>,
    pub headroom: f64,
    pub demand: Option<f64>,
}

/// Flags of a run that a search has its own for, by id.
pub const OUT_OF_PLACE: OutOfPlace = OutOfPlace(&[
    ("requests", "-n is not for a search: give the time of a step with --step"),
    ("duration", "--duration is not for a search: give the time of a step with --step"),
    ("warmup", "--warmup is not for a search: give --settle"),
    ("cooldown", "--cooldown is not for a search"),
    ("repeat", "--repeat is not for a search"),
    ("forever", "-l is not for a search"),
    ("idle", "-I is not for a search"),
    ("rate", "--rate is not for a search, which finds the rate: bound it with --from and --max-rate"),
    ("ramp", "--ramp is not for a search, which finds the rate"),
    ("steps", "--steps is not for a search, which finds the rate"),
    ("latency_limit", "--latency-limit is not for a search: say what is promised with --promise"),
    ("think_time", "--think-time is not for a search, which keeps to a schedule"),
]);

impl Arguments {
    /// Decides what the flags leave open.
    ///
    /// # Errors
    /// [`Error`] when flags do not fit together.
    pub fn new(flags: CapacityFlags, matches: &ArgMatches, command_line: &[OsString]) -> Result<Arguments, Error> {
        OUT_OF_PLACE.check(matches)?;
        let CapacityFlags { how, plan: mut flags, output } = flags;
        let question = how.question()?;
        let typed = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
        if !["tests", "mix", "commands", "command"].into_iter().any(typed) {
            flags.workload.mix = Some(MixFlag(DEFAULT_MIX.map(|(name, weight)| (name.to_owned(), weight)).to_vec()));
        }
        // A promise about errors can be judged only by whoever goes on after one.
        if !typed("on_error") {
            flags.errors.on_error = ErrorPolicy::Reconnect;
        }
        flags.load.duration = Some(how.step);
        flags.load.warmup = how.settle;
        if let Question::Rate(rates) = &question {
            // Which one it is, changes with every step.
            flags.load.rate = Some(rates.from.or(rates.max_rate).unwrap_or(1.0));
        }
        let paths = flags.server.paths.clone();
        different_names(&paths)?;
        let (plans, embedded) = plans(&mut flags, &paths)?;
        let observe = Wanted::of(&flags, &plans[0].server)?.servers_alone();
        let servers = plans.iter().map(|plan| &plan.server).chain(observe.beside());
        let secrets: Vec<String> = servers.flat_map(secrets).collect();
        Ok(Arguments {
            plans,
            embedded,
            command_line: redact(command_line, &secrets),
            settings: Settings {
                question,
                step: how.step.into(),
                settle: how.settle.into(),
                observe,
                haproxy_stats: flags.server.haproxy_stats,
                style: output.format,
                json: output.json,
            },
        })
    }
}

/// What is sent when nothing is said of it: as many reads as writes.
const DEFAULT_MIX: [(&str, u32); 2] = [("get", 1), ("set", 1)];

impl HowFlags {
    fn question(&self) -> Result<Question, Error> {
        if let Some(Sweep(clients)) = &self.sweep_clients {
            return Ok(Question::Clients(clients.clone()));
        }
        let promise = self.promise.clone().expect("the parser wants it");
        if let (Some(from), Some(most)) = (self.from, self.max_rate)
            && from > most
        {
            return Err(Error::usage(format!("--from {from} is above --max-rate {most}")));
        }
        Ok(Question::Rate(Rates {
            promise,
            from: self.from,
            resolution: self.resolution,
            hold: self.hold.into(),
            max_rate: self.max_rate,
            headroom: self.headroom,
            demand: self.demand,
        }))
    }
}
