//! The flags of a calibration: those of a run, but none of them about a server.

use super::state::closed;
use crate::cli::error::Error;
use crate::cli::flags::PlanFlags;
use crate::cli::flags::connections::ConnectionFlags;
use crate::cli::flags::errors::ErrorFlags;
use crate::cli::flags::load::LoadFlags;
use crate::cli::flags::observe::ObserveFlags;
use crate::cli::flags::out_of_place::{as_typed, is_typed};
use crate::cli::flags::server::ServerFlags;
use crate::cli::flags::workload::WorkloadFlags;
use crate::cli::plan::plan;
use crate::plan::{Plan, Stop};
use crate::units::Nanos;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, ValueEnum};
use std::ffi::OsString;

/// How fast rbench itself is on this machine: runs the same plan against the embedded server, and remembers the ceiling
#[derive(Args)]
#[command(disable_help_flag = true, args_override_self = true, after_help = ABOUT, mut_args(hidden),
    override_usage = "rbench calibrate [OPTIONS OF A RUN] [--] [COMMAND ARGS...]\n       rbench calibrate --list")]
pub struct CalibrateFlags {
    #[command(flatten)]
    output: TellFlags,
    #[command(flatten)]
    server: ServerFlags,
    #[command(flatten)]
    load: LoadFlags,
    #[command(flatten)]
    pub(in crate::cli) workload: WorkloadFlags,
    #[command(flatten)]
    connections: ConnectionFlags,
    #[command(flatten)]
    errors: ErrorFlags,

    /// A command of your own instead of the tests
    #[arg(value_name = "COMMAND", trailing_var_arg = true)]
    command: Vec<OsString>,
}

const ABOUT: &str = "\
A ceiling is a rate, so that how much a run sends does not count: each test runs for 2 s, or for
--duration, in a closed loop; -n, --rate and the like, --repeat and --cleanup are passed over. All
tests of the suite take 45 s.

The embedded server runs on a thread of this process. Where the system allows, it has a processor
to itself, the last that this process may use, and the load threads have the others: on a machine of
two processors the load has one. The column 'limit' says who was: rbench, when a load thread had nothing
left to give; otherwise the server, a processor that both share, other programs, or the round trips of
too few requests in flight. Then rbench can do more than the ceiling, and the table says what to do.

A ceiling is kept in $RBENCH_STATE_DIR, $XDG_STATE_HOME/rbench or ~/.local/state/rbench, in the file
calibration.json. It is of a machine (processor, cores, affinity, quota, kernel), of a version of rbench,
and of a shape of load: test, -c, -P, --pipeline-mode, --threads, sizes and data of values, keys, -k,
--reconnect-every, --think-time, -3, --enable-tracking, --ttl and --verify. A later run of the same
shape on the same machine has it in its document, with its headroom, and is told when it comes close.
Runs over TLS, over a socket in the file system and on a cluster have no ceiling.

Examples:
  rbench calibrate -t set,get -c 100 -P 16
  rbench calibrate --threads 2 -d 1024 -t set --duration 5s
  rbench calibrate --list";

#[derive(Args)]
#[command(next_help_heading = "Calibration")]
struct TellFlags {
    /// Tell what is remembered, and measure nothing
    #[arg(long)]
    list: bool,

    /// A table for people, or a list of ceilings for programs
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    format: Format,

    /// Print this help
    #[arg(long, action = clap::ArgAction::HelpShort)]
    help: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

/// A calibration as the command line asks for it.
pub struct Arguments {
    /// None to tell what is remembered.
    pub plan: Option<Plan>,
    pub format: Format,
}

/// What is measured of each test when nothing is said, and the load before it.
const EACH: Nanos = Nanos::from_secs(2);
const WARMUP: Nanos = Nanos::from_millis(200);

/// Flags about the server that say something of the load, too.
const ABOUT_LOAD: [&str; 3] = ["resp3", "enable_tracking", "dbnum"];

/// The flags that name a server or the way to it.
fn of_server() -> impl Iterator<Item = Arg> {
    let command = ServerFlags::augment_args(Command::new("server"));
    let args: Vec<Arg> =
        command.get_arguments().filter(|arg| !ABOUT_LOAD.contains(&arg.get_id().as_str())).cloned().collect();
    args.into_iter()
}

/// Flags of a run without an end.
const ENDLESS: [(&str, &str); 2] = [("idle", "-I"), ("forever", "-l")];

/// Keeps out of the help what is refused.
fn hidden(arg: Arg) -> Arg {
    let is_endless = ENDLESS.iter().any(|(id, _)| arg.get_id() == id);
    let is_of_server = of_server().any(|of_server| of_server.get_id() == arg.get_id());
    arg.hide(is_endless || is_of_server)
}

impl Arguments {
    /// Decides what the flags leave open.
    ///
    /// # Errors
    /// [`Error`] when flags do not fit together, or are about a server.
    pub fn new(flags: CalibrateFlags, matches: &ArgMatches) -> Result<Arguments, Error> {
        let typed = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
        let CalibrateFlags { output, server, load, workload, connections, errors, command } = flags;
        let format = output.format;
        if output.list {
            return Ok(Arguments { plan: None, format });
        }
        // Bare, it says what is done in any case.
        let is_plain = matches!(server.embedded, Some(None));
        let out_of_place = of_server().find(|arg| is_typed(matches, arg) && !(is_plain && arg.get_id() == "embedded"));
        if let Some(arg) = out_of_place {
            let what = match arg.get_id() == "embedded" {
                true => "with a SPEC is not for a calibration: a server that misbehaves has no ceiling to tell",
                false => "is not for a calibration, which is made against the embedded server: leave it out",
            };
            return Err(Error::usage(format!("{} {what}", as_typed(&arg))));
        }
        if let Some((_, flag)) = ENDLESS.iter().find(|(id, _)| typed(id)) {
            return Err(Error::usage(format!("{flag} is not for a calibration: it has no end")));
        }
        let (has_duration, has_warmup) = (load.duration.is_some(), typed("warmup"));
        let observe = ObserveFlags::default();
        let mut flags = PlanFlags { server, load, workload, connections, errors, observe, command };
        flags.server.embedded = Some(None);
        let mut plan = closed(plan(&flags)?);
        if !has_duration {
            plan.stop = Stop::AfterDuration(EACH);
        }
        if !has_duration && !has_warmup {
            plan.warmup = WARMUP;
        }
        plan.cooldown = Nanos::ZERO;
        Ok(Arguments { plan: Some(plan), format })
    }
}
