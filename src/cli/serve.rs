//! `rbench serve`: the embedded server by itself.

use super::error::{Error, Exit};
use super::session::Session;
use crate::embedded::{Behaviours, Server};
use clap::Args;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};

/// Run the embedded server by itself, until Ctrl-C
#[derive(Args)]
#[command(disable_help_flag = true, after_help = BEHAVIOURS)]
pub struct Arguments {
    /// Port to listen on; 0 takes a free one
    #[arg(long, short = 'p', value_name = "PORT", default_value_t = 6379)]
    port: u16,

    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    bind: IpAddr,

    /// Misbehave on purpose, so that it is known what there is to be measured; see below
    #[arg(long, value_name = "SPEC", action = clap::ArgAction::Append)]
    behave: Vec<Behaviours>,

    /// Print this help
    #[arg(long, action = clap::ArgAction::HelpShort)]
    help: Option<bool>,
}

const BEHAVIOURS: &str = "\
SPEC is one or more of these, separated by commas; --behave can be given several times. A TIME has
its unit: ns, us, ms, s or m. A SHARE is from 0 to 1.
  service:exp:TIME        One queue and one server for all connections: a request is answered when
                          those before it are and it was served, for TIME in the mean,
                          exponentially distributed
  service:const:TIME      The same, and each is served for TIME
  delay:TIME[:SHARE]      Replies, or a share of them, are held back by TIME, side by side
  stall:TIME@every:TIME   Whenever the second TIME has passed since the start of the server, nothing
                          is done for the first TIME
  error:CODE:SHARE        This share of requests fails with CODE, such as READONLY
  drop:SHARE              This share of requests loses its connection instead of a reply
  seed:NUMBER             Draw other requests and other times [default: 1]

Requests that fail or are dropped wait like the others, and are not executed. The replies of a
connection keep their order. AUTH, HELLO, SELECT, CLIENT, COMMAND, CONFIG, INFO, DBSIZE and SCAN
never wait or fail, not even in a stall; they only come after the replies before them. INFO stats
tells what was done on purpose, and how late replies were that had been held back: microseconds,
for which a processor is kept busy for the last 60 us before each.";

pub fn run(arguments: &Arguments) -> Result<Exit, Error> {
    let behaviours = behaviours(&arguments.behave)?;
    let session = Session::start()?;
    let address = SocketAddr::new(arguments.bind, arguments.port);
    let server = Server::behaving(address, behaviours)
        .map_err(|error| Error::failed(format!("cannot listen on {address}: {error}")))?;
    let mut out = io::stdout().lock();
    writeln!(out, "listening on {}", server.address())
        .and_then(|()| out.flush())
        .map_err(|error| Error::output(&error))?;
    session.wait_for_interrupt();
    Ok(Exit::Done)
}

/// All that were given, at once; `None` when there were none.
fn behaviours(given: &[Behaviours]) -> Result<Option<Behaviours>, Error> {
    let Some((first, others)) = given.split_first() else { return Ok(None) };
    let all = others.iter().try_fold(first.clone(), |all, more| all.and(more.clone()));
    all.map(Some).map_err(|refused| Error::usage(format!("--behave: {refused}")))
}
