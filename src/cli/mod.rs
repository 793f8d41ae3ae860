//! From the command line to a plan, and from there through the rooms: one file for each verb.

pub mod calibrate;
pub mod capacity;
pub mod cleanup;
pub mod compare;
pub mod doctor;
pub mod error;
pub mod flags;
pub mod interrupt;
#[cfg(target_os = "linux")]
pub mod lab;
pub mod observe;
pub mod paths;
pub mod plan;
pub mod prefill;
pub mod prepare;
pub mod profile;
pub mod realtime;
pub mod redact;
pub mod report;
pub mod run;
pub mod say;
pub mod serve;
pub mod server;
pub mod session;
pub mod values;
pub mod watch;
pub mod ways;
pub mod workload;

pub use error::{Error, Exit};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;

/// What rbench was asked to do.
pub enum Verb {
    Run(Box<run::Arguments>),
    Calibrate(Box<calibrate::Arguments>),
    Compare(Box<compare::Arguments>),
    Capacity(Box<capacity::Arguments>),
    Doctor(doctor::Arguments),
    Report(report::Arguments),
    Serve(serve::Arguments),
    #[cfg(target_os = "linux")]
    Lab(lab::Arguments),
}

/// Measures Redis, and everything that speaks its protocol, with the command line of redis-benchmark.
///
/// Without a verb it runs the tests: 50 connections, 100,000 requests for each test, against 127.0.0.1:6379.
#[derive(Parser)]
#[command(
    name = "rbench",
    disable_help_flag = true,
    disable_version_flag = true,
    args_override_self = true,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    after_help = EXAMPLES,
    override_usage = "rbench [OPTIONS] [--] [COMMAND ARGS...]\n       rbench <calibrate|capacity|compare|doctor|report|serve|lab> ..."
)]
struct CommandLine {
    #[command(subcommand)]
    verb: Option<VerbArguments>,
    #[command(flatten)]
    run: flags::RunFlags,
}

#[derive(Subcommand)]
enum VerbArguments {
    Calibrate(Box<calibrate::CalibrateFlags>),
    Compare(Box<compare::CompareFlags>),
    Capacity(Box<capacity::CapacityFlags>),
    Doctor(doctor::Arguments),
    Report(report::Arguments),
    Serve(serve::Arguments),
    #[cfg(target_os = "linux")]
    Lab(lab::Arguments),
}

const EXAMPLES: &str = "\
Examples:
  rbench --embedded -q                       the whole suite, against a server of its own
  rbench -h haproxy-service -c 100 -d 30 -n 1000000
  rbench -t set,get -P 16 -r 1000000 --csv   two tests, pipelined, over a million keys
  rbench -r 10000 set key:__rand_int__ __data__ ';' get key:__rand_int__
  rbench --json result.json -t set           keep everything that was measured
  rbench report result.json --format redis-5
  rbench calibrate -t get -c 100             how fast rbench itself is on this machine
  rbench doctor -c 1000                      what of this machine bends results, and the remedies
  rbench lab up                              a Redis with replicas, Sentinel and HAProxy to try it on

In a command, __key__ is a number below -r, drawn from --keys; __rand_int__ is one that is drawn evenly, anew at each
place; __rand_1st__ to __rand_9th__ are drawn once for all commands between ';'; __data__ is a value; __ttl__ is drawn
from --ttl. A number before a command repeats it.";

/// Takes a command line apart.
///
/// # Errors
/// [`Error`] with [`Exit::Usage`] when it is none of ours; with [`Exit::Done`] when help or the version was asked for,
/// and the text as message.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Verb, Error> {
    let typed: Vec<OsString> = arguments.into_iter().collect();
    let arguments = expand(&typed)?;
    let matches = CommandLine::command().try_get_matches_from(&arguments).map_err(not_parsed)?;
    let mut parsed = CommandLine::from_arg_matches(&matches).map_err(not_parsed)?;
    Ok(match parsed.verb {
        None => {
            parsed.run.plan.workload.weigh(&matches).map_err(Error::usage)?;
            Verb::Run(Box::new(run::Arguments::new(parsed.run, &typed)?))
        }
        Some(VerbArguments::Calibrate(mut flags)) => {
            let matches = matches.subcommand_matches("calibrate").expect("it is the verb");
            flags.workload.weigh(matches).map_err(Error::usage)?;
            Verb::Calibrate(Box::new(calibrate::Arguments::new(*flags, matches)?))
        }
        Some(VerbArguments::Compare(mut flags)) => {
            let matches = matches.subcommand_matches("compare").expect("it is the verb");
            flags.plan.workload.weigh(matches).map_err(Error::usage)?;
            Verb::Compare(Box::new(compare::Arguments::new(*flags, matches, &typed)?))
        }
        Some(VerbArguments::Capacity(mut flags)) => {
            let matches = matches.subcommand_matches("capacity").expect("it is the verb");
            flags.plan.workload.weigh(matches).map_err(Error::usage)?;
            Verb::Capacity(Box::new(capacity::Arguments::new(*flags, matches, &typed)?))
        }
        Some(VerbArguments::Doctor(arguments)) => Verb::Doctor(arguments),
        Some(VerbArguments::Report(arguments)) => Verb::Report(arguments),
        Some(VerbArguments::Serve(arguments)) => Verb::Serve(arguments),
        #[cfg(target_os = "linux")]
        Some(VerbArguments::Lab(arguments)) => Verb::Lab(arguments),
    })
}

/// The arguments with those of a profile in them, for the verbs that make load.
fn expand(typed: &[OsString]) -> Result<Vec<OsString>, Error> {
    let program = CommandLine::command();
    // With the flags of each that a profile has no say in.
    let verbs = [
        ("compare", compare::OUT_OF_PLACE.ids()),
        ("capacity", capacity::OUT_OF_PLACE.ids()),
        ("calibrate", Vec::new()),
    ];
    let named = verbs.into_iter().find(|(verb, _)| typed.get(1).is_some_and(|word| word == verb));
    let Some((verb, out_of_place)) = named else { return profile::expand(program, typed, &[]) };
    let verb = program.find_subcommand(verb).expect("it is a verb").clone();
    let of_verb = profile::expand(verb, &typed[1..], &out_of_place)?;
    Ok(typed[..1].iter().cloned().chain(of_verb).collect())
}

/// What the library says of a command line, with flags by both of their names: it knows `-n` as `--requests` alone, and
/// whoever typed the one does not look for the other.
fn not_parsed(error: clap::Error) -> Error {
    let Error { exit, mut message } = Error::from_clap(error);
    if let Some(text) = message.as_mut().filter(|_| exit == Exit::Usage) {
        for arg in CommandLine::command().get_arguments() {
            if let (Some(short), Some(long)) = (arg.get_short(), arg.get_long()) {
                *text = text.replace(&format!("--{long} <"), &format!("-{short}, --{long} <"));
            }
        }
    }
    Error { exit, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The plan that a command line asks for.
    fn run(line: &str) -> Result<run::Arguments, Error> {
        match parse(line.split(' ').map(OsString::from))? {
            Verb::Run(arguments) => Ok(*arguments),
            _ => panic!("{line} is a verb"),
        }
    }

    #[test]
    fn a_mistyped_flag_is_no_command() {
        let error = run("rbench --thread 2").err().expect("an error");
        assert_eq!(error.exit, Exit::Usage);
        assert!(error.message.unwrap().contains("'--threads'"), "it says what was meant");
    }

    /// As in redis-benchmark: the first word that is no flag ends the flags.
    #[test]
    fn flags_behind_a_command_belong_to_it() {
        let plan = run("rbench -n 7 get x -n 10").unwrap().plan;
        assert_eq!((plan.requests(), plan.tests[0].title.as_str()), (Some(7), "get x -n 10"));
        assert_eq!(run("rbench -- -n 10").unwrap().plan.tests[0].title, "-n 10");
        assert_eq!(run("rbench -n 7 -- report x").unwrap().plan.tests[0].title, "report x");
        assert_eq!(run("rbench eval script report serve").unwrap().plan.tests[0].title, "eval script report serve");
    }

    #[test]
    fn a_batch_beyond_all_memory_is_refused_at_once() {
        let error = run("rbench -P 1000000 -d 1000000 -n 1000000 -t set").err().expect("an error");
        assert_eq!(error.message.unwrap(), "a batch of -P 1000000 requests takes 931.3 GiB of memory; lower -P or -d");
        assert!(run("rbench -P 1000000 -d 1000000 -n 5 -t set").is_ok(), "-n bounds it");
    }

    #[test]
    fn the_last_of_a_flag_counts() {
        assert_eq!(run("rbench -n 7 -q -n 9 -q").unwrap().plan.requests(), Some(9));
    }

    #[test]
    fn the_command_line_is_well_formed() {
        CommandLine::command().debug_assert();
    }
}
