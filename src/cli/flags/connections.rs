//! How connections are made, kept, and made again.

use crate::cli::values::{self, keepalive, rate, time, time_or_none};
use clap::{ArgAction, Args};
use std::net::IpAddr;
use std::time::Duration;

fn keep_alive(text: &str) -> Result<bool, String> {
    match text {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err("expected 1 (on) or 0 (off)".to_owned()),
    }
}

fn reconnect_every(text: &str) -> Result<u64, String> {
    values::whole(text, 1, 1_000_000_000_000_000)
}

/// What the system calls keep-alive of TCP, as the flag spells it.
pub type TcpKeepAlive = (Duration, Option<Duration>, Option<u32>);

#[derive(Args)]
#[command(next_help_heading = "Connections")]
pub struct ConnectionFlags {
    /// Keep connections alive (1), or make one for each batch (0)
    #[arg(
        short = 'k',
        long,
        value_name = "0|1",
        default_value = "1",
        value_parser = keep_alive,
        action = ArgAction::Set,
        allow_negative_numbers = true,
    )]
    pub keep_alive: bool,

    /// Make a new connection after this many requests, counted in whole batches
    #[arg(
        long,
        value_name = "N",
        value_parser = reconnect_every,
        allow_negative_numbers = true,
    )]
    pub reconnect_every: Option<u64>,

    /// Make at most this many connections per second
    #[arg(long, value_name = "N", value_parser = rate, allow_negative_numbers = true)]
    pub connect_rate: Option<f64>,

    /// Wait between a reply and the next request of a connection: how long do idle connections live?
    #[arg(
        long,
        value_name = "TIME",
        default_value = "0",
        value_parser = time_or_none,
        allow_hyphen_values = true,
    )]
    pub think_time: Duration,

    /// Probe silent connections after SECS, each INTERVAL seconds, COUNT times [default: the system does not]
    #[arg(long, value_name = "SECS[,INTERVAL,COUNT]", value_parser = keepalive, allow_negative_numbers = true)]
    pub tcp_keepalive: Option<TcpKeepAlive>,

    /// Let the system gather small writes (Nagle's algorithm) instead of sending them at once
    #[arg(long)]
    pub no_nodelay: bool,

    /// Connect from this address of this machine
    #[arg(long, value_name = "ADDRESS")]
    pub bind: Option<IpAddr>,

    /// Longest time to find a server and to make a connection
    #[arg(
        long,
        value_name = "TIME",
        default_value = "5s",
        value_parser = time,
        allow_hyphen_values = true,
    )]
    pub connect_timeout: Duration,

    /// Longest time to wait for a reply
    #[arg(
        long,
        value_name = "TIME",
        default_value = "30s",
        value_parser = time,
        allow_hyphen_values = true,
    )]
    pub timeout: Duration,
}
