//! `rbench serve`: the embedded server by itself.

use super::error::{Error, Exit};
use super::session::Session;
use crate::embedded::Server;
use clap::Args;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};

/// Run the embedded server by itself, until Ctrl-C
#[derive(Args)]
#[command(disable_help_flag = true)]
pub struct Arguments {
    /// Port to listen on; 0 takes a free one
    #[arg(long, short = 'p', value_name = "PORT", default_value_t = 6379)]
    port: u16,

    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    bind: IpAddr,

    /// Print this help
    #[arg(long, action = clap::ArgAction::HelpShort)]
    help: Option<bool>,
}

pub fn run(arguments: &Arguments) -> Result<Exit, Error> {
    let session = Session::start()?;
    let address = SocketAddr::new(arguments.bind, arguments.port);
    let server =
        Server::start(address).map_err(|error| Error::failed(format!("cannot listen on {address}: {error}")))?;
    let mut out = io::stdout().lock();
    writeln!(out, "listening on {}", server.address())
        .and_then(|()| out.flush())
        .map_err(|error| Error::output(&error))?;
    session.wait_for_interrupt();
    Ok(Exit::Done)
}
