//! `rbench lab`: a highly available Redis on loopback, to measure and to strike.

use super::error::{Error, Exit};
use super::say;
use super::session::Session;
use super::values::time;
use crate::lab::{Blow, Lab, LabError, Options, Status};
use crate::report;
use crate::target::Secret;
use clap::{Args, Subcommand, ValueEnum};
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

/// A highly available Redis on this machine to try things on: three redis, three sentinels, HAProxy in front
#[derive(Args)]
#[command(disable_help_flag = true, disable_help_subcommand = true, after_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,

    /// Print this help
    #[arg(long, action = clap::ArgAction::HelpShort)]
    help: Option<bool>,
}

const EXAMPLES: &str = "\
Examples:
  rbench lab up                       start a lab and stay until Ctrl-C
  rbench lab up --detach              start a lab and leave it running
  rbench lab status --format json     who is the master, and where is everybody
  rbench lab kill redis-0             strike the master; the sentinels choose another
  rbench lab start redis-0            let it come back
  rbench lab down                     end everything, and leave nothing behind

It needs redis-server 6.2 and haproxy 2.6, or later.";

#[derive(Subcommand)]
enum Verb {
    Up(Up),
    Status(StatusOf),
    Down(Down),
    /// Let a member die at once, as by SIGKILL
    #[command(disable_help_flag = true)]
    Kill(Struck),
    /// Let a member freeze, with its connections open
    #[command(disable_help_flag = true)]
    Pause(Struck),
    /// Let a frozen member go on
    #[command(disable_help_flag = true)]
    Resume(Struck),
    /// Start a dead member again, with what it had
    #[command(disable_help_flag = true)]
    Start(Struck),
}

/// Start a lab, and stay until Ctrl-C ends it
#[derive(Args)]
#[command(disable_help_flag = true, after_help = UP)]
struct Up {
    /// Proxies in front of the servers
    #[arg(long, value_name = "COUNT", default_value_t = 2, help_heading = "Topology")]
    proxies: usize,

    /// Replicas without which the master takes no writes
    #[arg(long, value_name = "COUNT", default_value_t = 1, help_heading = "Topology")]
    min_replicas: usize,

    /// How long the master must be silent before a sentinel holds it for down; 10s in the redis-ha chart
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = time, allow_hyphen_values = true,
        help_heading = "Topology")]
    down_after: Duration,

    /// Password of the redis servers; the environment variable RBENCH_LAB_AUTH keeps it out of the list of processes
    #[arg(long, value_name = "PASSWORD", allow_hyphen_values = true, help_heading = "Topology")]
    password: Option<String>,

    /// Return when the lab is up, and leave it running until rbench lab down
    #[arg(long, help_heading = "Where and how long")]
    detach: bool,

    /// Directory for configurations, data and logs, empty or new [default: one for each lab, in the system's
    /// temporary directory]
    #[arg(long, value_name = "DIR", help_heading = "Where and how long")]
    dir: Option<PathBuf>,

    /// Print this help
    #[arg(long, action = clap::ArgAction::HelpShort)]
    help: Option<bool>,
}

const UP: &str = "\
Each pod has an address of its own, and all have the same ports, as in Kubernetes. In the first free
network, 127.0.73 or another (and with ports moved up by thousands where others are in the way):
  redis-0 to redis-2        127.0.73.10 to .12, port 6379; redis-0 begins as the master
  sentinel-0 to sentinel-2  127.0.73.10 to .12, port 26379, quorum 2; they call the master mymaster
  haproxy-0, haproxy-1      127.0.73.20, .21: port 6379 to the master, 6380 to the replicas,
                            9101 /stats and /metrics (Prometheus), 8888 /healthz";

/// Tell who is the master, and where everybody is
#[derive(Args)]
#[command(disable_help_flag = true)]
struct StatusOf {
    /// A table, or a list of objects
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    format: Format,

    #[command(flatten)]
    which: Which,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// End a lab, and remove what it has written
#[derive(Args)]
#[command(disable_help_flag = true)]
struct Down {
    #[command(flatten)]
    which: Which,
}

#[derive(Args)]
struct Struck {
    /// redis-0, sentinel-1, haproxy-0, and so on
    #[arg(value_name = "MEMBER")]
    member: String,

    #[command(flatten)]
    which: Which,
}

#[derive(Args)]
struct Which {
    /// Directory of the lab [default: that of the only one that runs]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// Print this help
    #[arg(long, action = clap::ArgAction::HelpShort)]
    help: Option<bool>,
}

impl Which {
    fn find(&self) -> Result<Lab, Error> {
        Ok(Lab::find(self.dir.as_deref())?)
    }
}

impl From<LabError> for Error {
    fn from(error: LabError) -> Error {
        match error {
            LabError::Option { .. } | LabError::NoMember { .. } | LabError::SeveralRun { .. } => Error::usage(error),
            _ => Error::failed(error),
        }
    }
}

pub fn run(arguments: Arguments) -> Result<Exit, Error> {
    match arguments.verb {
        Verb::Up(up) => run_up(up),
        Verb::Status(status) => tell(&status),
        Verb::Down(down) => {
            down.which.find()?.down()?.iter().for_each(say::warning);
            Ok(Exit::Done)
        }
        Verb::Kill(struck) => strike(&struck, Blow::Kill),
        Verb::Pause(struck) => strike(&struck, Blow::Pause),
        Verb::Resume(struck) => strike(&struck, Blow::Resume),
        Verb::Start(Struck { member, which }) => {
            let (session, mut lab) = (Session::start()?, which.find()?);
            let started = session.unless_interrupted(lab.start(&member));
            started.ok_or_else(|| session.interrupted(format!("interrupted while {member} came up")))??;
            Ok(Exit::Done)
        }
    }
}

fn run_up(up: Up) -> Result<Exit, Error> {
    let password = up.password.or_else(|| std::env::var("RBENCH_LAB_AUTH").ok().filter(|text| !text.is_empty()));
    let options = Options {
        proxies: up.proxies,
        password: password.map(Secret::new),
        down_after: up.down_after.into(),
        min_replicas: up.min_replicas,
        directory: up.dir,
    };
    let session = Session::start()?;
    let lab = session.unless_interrupted(Lab::up(&options));
    let lab = lab.ok_or_else(|| session.interrupted("interrupted while the lab came up; it has ended"))??;
    let members = session.unless_interrupted(lab.status());
    let members = members.ok_or_else(|| session.interrupted("interrupted; the lab has ended"))?;
    let introduction = introduction(&lab, &members, up.detach)?;
    if up.detach {
        // From here on it is the user's, and does not end because nobody reads of it.
        lab.detach()?;
        write(&introduction)?;
        return Ok(Exit::Done);
    }
    write(&introduction)?;
    match session.unless_interrupted(gone(&lab)) {
        Some(()) => say::warning("the lab was ended by another rbench"),
        None => lab.down()?.iter().for_each(say::warning),
    }
    Ok(Exit::Done)
}

fn introduction(lab: &Lab, members: &[Status], detached: bool) -> Result<Vec<u8>, Error> {
    text(|out| {
        writeln!(out, "A lab is up in {}:\n", lab.directory().display())?;
        report::lab::table(members, out)?;
        writeln!(out)?;
        // Beside another lab, every command has to say which is meant.
        let which = match Lab::find(None) {
            Err(LabError::SeveralRun { .. }) => format!(" --dir {}", lab.directory().display()),
            _ => String::new(),
        };
        report::lab::guide(lab, &which, out)?;
        match detached {
            true => writeln!(out, "\nrbench lab down{which} ends it."),
            false => writeln!(out, "\nCtrl-C ends it."),
        }
    })
}

/// Waits until another rbench has ended the lab.
async fn gone(lab: &Lab) {
    while lab.is_there() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn tell(status: &StatusOf) -> Result<Exit, Error> {
    let (session, lab) = (Session::start()?, status.which.find()?);
    let Some(members) = session.unless_interrupted(lab.status()) else {
        return Err(session.interrupted("interrupted"));
    };
    let text = text(|out| match status.format {
        Format::Text => report::lab::table(&members, out),
        Format::Json => report::lab::json(&members, out),
    })?;
    write(&text)?;
    Ok(Exit::Done)
}

fn strike(struck: &Struck, blow: Blow) -> Result<Exit, Error> {
    struck.which.find()?.strike(&struck.member, blow)?;
    Ok(Exit::Done)
}

fn text(tell: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<Vec<u8>, Error> {
    let mut text = Vec::new();
    tell(&mut text).map_err(|error| Error::output(&error))?;
    Ok(text)
}

fn write(text: &[u8]) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    out.write_all(text).and_then(|()| out.flush()).map_err(|error| Error::output(&error))
}
