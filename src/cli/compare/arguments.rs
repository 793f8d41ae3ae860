//! The flags of a comparison, and the plans that they ask for: one for each way.

use crate::cli::error::Error;
use crate::cli::flags::PlanFlags;
use crate::cli::flags::finding::FindingFlags;
use crate::cli::flags::out_of_place::{OutOfPlace, as_typed, is_typed};
use crate::cli::flags::server::ServerFlags;
use crate::cli::observe::Wanted;
use crate::cli::paths::{NamedPath, different_names};
use crate::cli::plan::{Embedded, plans};
use crate::cli::redact::redact;
use crate::cli::server::secrets;
use crate::cli::values::{self, percent, time};
use crate::cli::ways::Way;
use crate::observe::StatsAddress;
use crate::plan::Plan;
use crate::report::finding::Style;
use crate::result::compare::{Compare, ComparedPath};
use crate::stats::{Metric, Rule};
use clap::{Arg, ArgMatches, Args, Command};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

fn rounds(text: &str) -> Result<u32, String> {
    values::whole(text, ROUNDS_MIN, ROUNDS_MAX).map(|number| number as u32)
}

/// With fewer, no interval has a confidence of 95 %.
const ROUNDS_MIN: u64 = 6;
const ROUNDS_MAX: u64 = 1000;

/// What one way to a server costs beside another: takes turns on all of them, and tells differences with their doubt
#[derive(Args)]
#[command(disable_help_flag = true, args_override_self = true, after_help = EXAMPLES,
    override_usage = "rbench compare --path NAME=WAY --path NAME=WAY [OPTIONS] [--] [COMMAND ARGS...]")]
pub struct CompareFlags {
    #[command(flatten)]
    how: HowFlags,
    #[command(flatten)]
    pub(in crate::cli) plan: PlanFlags,
    #[command(flatten)]
    output: FindingFlags,
}

const EXAMPLES: &str = "\
Examples:
  rbench compare --path direct=10.0.0.7:6379 --path haproxy=10.0.0.20:6379 -c 100 -d 30 -t set,get,mset
  rbench compare --path direct=redis-0 --path haproxy=proxy --rate 20000 --primary p99 --margin 5%
  rbench compare --path direct=redis-0 --aa -t get       how much of a difference is noise?
  rbench compare --path old=redis-0 --path new=redis-1 --different-servers -t get
  rbench compare --from before.json --from after.json --fail-if 'p99>+10%,throughput<-5%'";

#[derive(Args)]
#[command(next_help_heading = "Comparison")]
struct HowFlags {
    /// Rounds; in each, every path has a turn, in an order that is drawn
    #[arg(long, value_name = "N", default_value = "10", value_parser = rounds, allow_negative_numbers = true)]
    rounds: u32,

    /// What is measured of each path in a round
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = time, allow_hyphen_values = true)]
    slice: Duration,

    /// Load before that, which counts in nothing
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = time, allow_hyphen_values = true)]
    settle: Duration,

    /// Go on until the interval of --primary is this narrow to either side
    #[arg(long, value_name = "PERCENT", value_parser = percent, allow_hyphen_values = true)]
    precision_target: Option<f64>,

    /// Then, rounds at the most
    #[arg(long, value_name = "N", default_value = "30", value_parser = rounds, allow_negative_numbers = true,
        requires = "precision_target")]
    max_rounds: u32,

    /// What the comparison is for: p50, p90, p99, p99.9, mean, throughput or cpu; the others are told as exploratory
    #[arg(long, value_name = "METRIC", default_value = "p99")]
    primary: Metric,

    /// A difference within this is none, if it is sure to be
    #[arg(long, value_name = "PERCENT", default_value = "5%", value_parser = percent, allow_hyphen_values = true)]
    margin: f64,

    /// The path that the others are held against [default: the first]
    #[arg(long, value_name = "NAME")]
    reference: Option<String>,

    /// Compare a path with itself: how much of a difference is noise
    #[arg(long)]
    aa: bool,

    /// Compare paths although they end at different servers, or writes at a replica
    #[arg(long)]
    different_servers: bool,

    /// Compare documents of repeated runs (--repeat) instead; give it twice or more
    #[arg(long, value_name = "FILE", conflicts_with_all = ["paths", "aa"])]
    from: Vec<PathBuf>,

    /// Exit with code 5 when a path is sure to be worse than the reference, and by more than this: p99>+10%,cpu>+20%
    #[arg(long, value_name = "RULE,...", value_delimiter = ',')]
    fail_if: Vec<Rule>,
}

/// A comparison as the command line asks for it.
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
    pub reference: usize,
    /// Its name, when the flags gave one.
    reference_name: Option<String>,
    pub primary: Metric,
    pub margin: f64,
    pub rounds: u32,
    precision_target: Option<f64>,
    max_rounds: u32,
    slice: Duration,
    settle: Duration,
    pub different_servers: bool,
    /// Whether both paths are one.
    pub is_with_itself: bool,
    pub from: Vec<PathBuf>,
    pub rules: Vec<Rule>,
    pub haproxy_stats: Vec<StatsAddress>,
    pub observe: Wanted,
    pub style: Style,
    pub json: Option<PathBuf>,
}

/// Flags of a run that a comparison has its own for, by id.
pub const OUT_OF_PLACE: OutOfPlace = OutOfPlace(&[
    ("requests", "-n is not for a comparison: give the time of a turn with --slice"),
    ("duration", "--duration is not for a comparison: give the time of a turn with --slice"),
    ("warmup", "--warmup is not for a comparison: give --settle"),
    ("cooldown", "--cooldown is not for a comparison"),
    ("repeat", "--repeat is not for a comparison: give --rounds"),
    ("forever", "-l is not for a comparison"),
    ("idle", "-I is not for a comparison"),
    ("ramp", "--ramp is not for a comparison: the rate must be the same in every turn"),
    ("steps", "--steps is not for a comparison: the rate must be the same in every turn"),
]);

/// Flags that bear on documents: whatever else was typed would have no effect.
const OF_DOCUMENTS: [&str; 8] = ["from", "reference", "primary", "margin", "fail_if", "format", "json", "help"];

/// # Errors
/// [`Error`] when a flag was typed that is about measuring.
fn check_documents(matches: &ArgMatches) -> Result<(), Error> {
    let command = CompareFlags::augment_args(Command::new("compare"));
    let is_idle = |arg: &&Arg| is_typed(matches, arg) && !OF_DOCUMENTS.contains(&arg.get_id().as_str());
    match command.get_arguments().find(is_idle) {
        Some(arg) => {
            Err(Error::usage(format!("{} is not for --from: what is in documents has been measured", as_typed(arg))))
        }
        None => Ok(()),
    }
}

impl Arguments {
    /// Decides what the flags leave open.
    ///
    /// # Errors
    /// [`Error`] when flags do not fit together.
    pub fn new(flags: CompareFlags, matches: &ArgMatches, command_line: &[OsString]) -> Result<Arguments, Error> {
        OUT_OF_PLACE.check(matches)?;
        let CompareFlags { how, plan: mut flags, output } = flags;
        if !how.from.is_empty() && how.from.len() < 2 {
            return Err(Error::usage("--from takes the documents of two runs or more: give it once for each"));
        }
        if !how.from.is_empty() {
            check_documents(matches)?;
        }
        let paths = paths(&how, &flags.server)?;
        let is_reference = |path: &NamedPath| how.reference.as_ref() == Some(&path.name);
        let reference = paths.iter().position(is_reference).unwrap_or(0);
        flags.load.duration = Some(how.slice);
        flags.load.warmup = how.settle;
        // Documents have their plans.
        let (plans, embedded) = if paths.is_empty() { Default::default() } else { plans(&mut flags, &paths)? };
        let observe = match plans.first() {
            Some(plan) => Wanted::of(&flags, &plan.server)?.servers_alone(),
            None => Wanted::Ourselves,
        };
        let servers = plans.iter().map(|plan| &plan.server).chain(observe.beside());
        let secrets: Vec<String> = servers.flat_map(secrets).collect();
        Ok(Arguments {
            plans,
            embedded,
            command_line: redact(command_line, &secrets),
            settings: Settings {
                reference,
                reference_name: how.reference.clone(),
                primary: how.primary,
                margin: how.margin,
                rounds: how.rounds,
                precision_target: how.precision_target,
                max_rounds: how.max_rounds,
                slice: how.slice,
                settle: how.settle,
                different_servers: how.different_servers,
                is_with_itself: how.aa,
                from: how.from,
                rules: how.fail_if,
                haproxy_stats: flags.server.haproxy_stats,
                observe,
                style: output.format,
                json: output.json,
            },
        })
    }
}

/// The paths of a comparison. None when documents are compared.
fn paths(how: &HowFlags, server: &ServerFlags) -> Result<Vec<NamedPath>, Error> {
    if !how.from.is_empty() {
        return Ok(Vec::new());
    }
    let mut paths = server.paths.clone();
    different_names(&paths)?;
    let reference = match &how.reference {
        Some(name) => paths.iter().find(|path| path.name == *name),
        None => paths.first(),
    };
    match (reference.cloned(), how.aa) {
        (None, _) if paths.is_empty() => {
            Err(Error::usage("name the ways to compare: --path direct=HOST:PORT --path haproxy=HOST:PORT"))
        }
        (None, _) => Err(Error::usage("--reference must be the name of a --path")),
        (Some(_), true) if paths.len() > 1 => Err(Error::usage("--aa compares one path with itself: give one --path")),
        (Some(reference), true) => {
            let again = reference.called(format!("{}-again", reference.name));
            Ok(vec![reference, again])
        }
        (Some(_), false) if paths.len() < 2 => {
            Err(Error::usage("one --path has nothing to be compared with: give another, or --aa to see the noise"))
        }
        (Some(_), false) => Ok(std::mem::take(&mut paths)),
    }
}

impl Settings {
    pub fn most_rounds(&self) -> u32 {
        match self.precision_target {
            Some(_) => self.max_rounds.max(self.rounds),
            None => self.rounds,
        }
    }

    /// What `--precision-target` asks for, if it does.
    pub fn precision_target(&self) -> Option<f64> {
        self.precision_target
    }

    /// The place of the reference among paths that were not known before.
    ///
    /// # Errors
    /// [`Error`] when it is none of them.
    pub fn reference_among(&self, paths: &[ComparedPath]) -> Result<usize, Error> {
        let Some(name) = &self.reference_name else { return Ok(0) };
        let known = || paths.iter().map(|path| path.name.as_str()).collect::<Vec<_>>().join(", ");
        let place = paths.iter().position(|path| path.name == *name);
        place.ok_or_else(|| Error::usage(format!("--reference: no document is called '{name}'; known: {}", known())))
    }

    /// The comparison of `ways`, before it has begun.
    pub fn compare(&self, ways: &[Way]) -> Compare {
        let mut targets = 0..0;
        let path = |way: &Way| {
            targets = targets.end..targets.end + way.targets.len();
            ComparedPath {
                name: way.name().to_owned(),
                targets: targets.clone().collect(),
                round_trip_ns: way.round_trip,
                afterwards: None,
            }
        };
        Compare {
            paths: ways.iter().map(path).collect(),
            reference: self.reference,
            primary: self.primary,
            margin: self.margin,
            is_interleaved: true,
            differing: Vec::new(),
            slice_ns: Some(self.slice.into()),
            settle_ns: Some(self.settle.into()),
            repeated: 0,
            borne: Vec::new(),
            comparisons: Vec::new(),
        }
    }
}
