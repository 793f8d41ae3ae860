//! `rbench doctor`: what of this machine bends results.

use super::error::{Error, Exit};
use super::values::whole;
#[cfg(target_os = "linux")]
use crate::lab::{LabError, Programs};
use crate::observe::doctor::{Facts, Installed, Level, examine};
use crate::report::doctor;
use clap::{Args, ValueEnum};
use std::io::{self, Write};

/// More than any machine can have, to see where it ends.
const CLIENTS_MAX: u64 = 1_000_000_000;

fn clients(text: &str) -> Result<u64, String> {
    whole(text, 1, CLIENTS_MAX)
}

/// Look for what bends results on this machine, and tell the remedy for each
#[derive(Args)]
#[command(disable_help_flag = true, args_override_self = true, after_help = ABOUT)]
pub struct Arguments {
    /// Connections that a run is to have
    #[arg(short = 'c', long, value_name = "CLIENTS", default_value = "50", value_parser = clients,
        allow_negative_numbers = true, help_heading = "Load")]
    clients: u64,

    /// A table for people, or a list of {code, level, finding, remedy} for programs
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text", help_heading = "Output")]
    format: Format,

    /// Print this help
    #[arg(long, action = clap::ArgAction::HelpShort, help_heading = "Output")]
    help: Option<bool>,
}

const ABOUT: &str = "\
Each finding is marked
  ok       nothing to do
  note     results are what they are on this machine; another setting would give others
  problem  a run would fail, or measure something else than it means to
  unknown  the system does not tell
with, below a note or a problem, a command that is the remedy. It is never run by rbench.

It watches the machine for a second, changes nothing and talks to nobody. It looks at this machine:
run it where the load is made, and once more where the server runs.

The exit code is 0 when nothing is a problem, also with notes, and 1 when something is.

Examples:
  rbench doctor -c 10000
  rbench doctor --format json";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Looks around, and tells.
///
/// # Errors
/// [`Error`] when nobody reads it.
pub fn run(arguments: &Arguments) -> Result<Exit, Error> {
    let findings = examine(&Facts::look(arguments.clients, programs()));
    let mut out = io::stdout().lock();
    match arguments.format {
        Format::Text => doctor::text(&findings, &mut out),
        Format::Json => doctor::json(&findings, &mut out),
    }
    .and_then(|()| out.flush())
    .map_err(|error| Error::output(&error))?;
    let is_well = findings.iter().all(|finding| finding.level < Level::Problem);
    Ok(if is_well { Exit::Done } else { Exit::Failed })
}

/// What the lab needs.
#[cfg(target_os = "linux")]
fn programs() -> Option<Installed> {
    Some(match Programs::find() {
        Ok(programs) => {
            let Programs { redis, haproxy } = programs;
            Installed::Yes(format!("redis-server {}, haproxy {}", redis.version, haproxy.version))
        }
        Err(LabError::Missing { programs, packages }) => {
            let (first, others) = packages.split_once(" (").unwrap_or((&packages, ""));
            let others = others.split_once("), ").map_or(String::new(), |(_, others)| format!("   # or {others}"));
            Installed::No { why: format!("cannot find {programs}"), remedy: format!("sudo {first}{others}") }
        }
        Err(error) => Installed::No { why: error.to_string(), remedy: "rbench lab up --help".to_owned() },
    })
}

#[cfg(not(target_os = "linux"))]
fn programs() -> Option<Installed> {
    None
}
