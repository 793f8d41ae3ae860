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
SPEC is one or more of these, separated by commas; --behave can be given several times. A TIME has its unit (ns, us, ms,
s, m), a SHARE is between 0 and 1:
  service:exp:TIME        One queue and one server for all connections: a request is answered when those before it are
  service:const:TIME      and then the server was busy with it for TIME: on average, exponentially distributed, or always
  delay:TIME[:SHARE]      Replies, or a share of them, are held back by TIME, side by side
  stall:TIME@every:TIME   Nothing is done for the first TIME, again and again after the second; as far as that from the
                          start of the server for the first time
  error:CODE:SHARE        A share of the requests fails with CODE, such as READONLY, and is not executed
  drop:SHARE              A share of the requests loses its connection instead of a reply, and is not executed
  seed:NUMBER             Draw differently [default: 1]

Requests that fail or are dropped wait like the others. The replies of a connection keep their order. AUTH, HELLO, SELECT,
CLIENT, COMMAND, CONFIG, INFO, DBSIZE and SCAN are answered as always, at once, after the replies before them on their
connection; INFO stats tells what was done on purpose, and by how many microseconds replies that were held back were late.

A reply leaves within microseconds of its time, for which a processor is kept busy during the last 60 us.";

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
