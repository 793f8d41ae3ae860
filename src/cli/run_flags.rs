//! The flags of a run, as they are typed. The doc comment of each is what `--help` says of it.

use super::values::{self, format, formats_help, time};
use crate::report::Format;
use crate::workload::{suite, value};
use clap::{ArgAction, Args};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

fn requests(text: &str) -> Result<u64, String> {
    values::whole(text, 1, 1_000_000_000_000_000)
}

fn clients(text: &str) -> Result<u32, String> {
    values::whole(text, 1, 1_000_000).map(|number| number as u32)
}

fn pipeline(text: &str) -> Result<u32, String> {
    values::whole(text, 1, 1_000_000).map(|number| number as u32)
}

fn data_bytes(text: &str) -> Result<usize, String> {
    values::whole(text, 1, value::BYTES_MAX as u64).map(|number| number as usize)
}

fn key_count(text: &str) -> Result<u64, String> {
    values::whole(text, 0, 1_000_000_000_000)
}

fn threads(text: &str) -> Result<u32, String> {
    values::whole(text, 0, 500).map(|number| number as u32)
}

fn keep_alive(text: &str) -> Result<bool, String> {
    match text {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err("expected 1 (on) or 0 (off)".to_owned()),
    }
}

fn tests_help() -> String {
    format!(
        "Only these tests, comma-separated [default: all but mget]. In the order in which they run:\n{}",
        suite::names().join(", ")
    )
}

#[derive(Args)]
pub struct RunFlags {
    /// Server name or address
    #[arg(short = 'h', value_name = "HOST", default_value = "127.0.0.1", help_heading = "Server")]
    pub host: String,

    /// Server port
    #[arg(
        short = 'p',
        value_name = "PORT",
        default_value_t = 6379,
        allow_negative_numbers = true,
        help_heading = "Server"
    )]
    pub port: u16,

    /// Server socket in the file system; -h and -p then do not count
    #[arg(short = 's', value_name = "PATH", help_heading = "Server")]
    pub socket: Option<PathBuf>,

    /// redis://[[user:]password@]host[:port][/database]; what it says counts more than other flags
    #[arg(short = 'u', value_name = "URI", help_heading = "Server")]
    pub uri: Option<String>,

    /// Password; the environment variable REDISCLI_AUTH keeps it out of the list of processes
    #[arg(short = 'a', value_name = "PASSWORD", allow_hyphen_values = true, help_heading = "Server")]
    pub password: Option<String>,

    /// User that the password belongs to
    #[arg(long, value_name = "USER", allow_hyphen_values = true, help_heading = "Server")]
    pub user: Option<String>,

    /// Database number
    #[arg(long, value_name = "DB", default_value_t = 0, allow_negative_numbers = true, help_heading = "Server")]
    pub dbnum: u32,

    /// Ask for version 3 of the protocol
    #[arg(short = '3', help_heading = "Server")]
    pub resp3: bool,

    /// Ask for CLIENT TRACKING on each connection
    #[arg(long, help_heading = "Server")]
    pub enable_tracking: bool,

    /// Start a server inside this program and measure that: what this machine can do at best
    #[arg(long, conflicts_with_all = ["host", "port", "socket", "uri", "password", "user"], help_heading = "Server")]
    pub embedded: bool,

    #[arg(short = 't', value_name = "TESTS", help = tests_help(), help_heading = "Load")]
    pub tests: Option<String>,

    /// Requests for each test, exactly
    #[arg(
        short = 'n',
        value_name = "REQUESTS",
        default_value = "100000",
        value_parser = requests,
        allow_negative_numbers = true,
        help_heading = "Load"
    )]
    pub requests: u64,

    /// Parallel connections
    #[arg(
        short = 'c',
        value_name = "CLIENTS",
        default_value = "50",
        value_parser = clients,
        allow_negative_numbers = true,
        help_heading = "Load"
    )]
    pub clients: u32,

    /// Requests that a connection has in flight: sent in one piece, the next when all are answered
    #[arg(
        short = 'P',
        value_name = "DEPTH",
        default_value = "1",
        value_parser = pipeline,
        allow_negative_numbers = true,
        help_heading = "Load"
    )]
    pub pipeline: u32,

    /// Payload of SET, LPUSH and the like, in bytes
    #[arg(
        short = 'd',
        value_name = "BYTES",
        default_value = "3",
        value_parser = data_bytes,
        allow_negative_numbers = true,
        help_heading = "Load"
    )]
    pub data_bytes: usize,

    /// Draw keys at random from this many, up to 12 digits; without it every request has the same key
    #[arg(
        short = 'r',
        value_name = "KEYS",
        value_parser = key_count,
        allow_negative_numbers = true,
        help_heading = "Load"
    )]
    pub key_count: Option<u64>,

    /// Keep connections alive (1), or make one for each batch (0)
    #[arg(
        short = 'k',
        value_name = "0|1",
        default_value = "1",
        value_parser = keep_alive,
        action = ArgAction::Set,
        allow_negative_numbers = true,
        help_heading = "Load"
    )]
    pub keep_alive: bool,

    /// Seed of the random draws [default: drawn, and kept in the document]
    #[arg(long, value_name = "SEED", allow_negative_numbers = true, help_heading = "Load")]
    pub seed: Option<u64>,

    /// Add standard input as last argument of the command
    #[arg(short = 'x', help_heading = "Load")]
    pub stdin: bool,

    /// Open the connections and wait, until Ctrl-C
    #[arg(short = 'I', help_heading = "Load")]
    pub idle: bool,

    /// Run the tests again and again, until Ctrl-C
    #[arg(short = 'l', help_heading = "Load")]
    pub forever: bool,

    /// Load threads; 0 is one that reports do not mention
    #[arg(
        long,
        value_name = "N",
        default_value = "0",
        value_parser = threads,
        allow_negative_numbers = true,
        help_heading = "Load"
    )]
    pub threads: u32,

    /// Longest time to find a server and to make a connection
    #[arg(
        long,
        value_name = "TIME",
        default_value = "5s",
        value_parser = time,
        allow_negative_numbers = true,
        help_heading = "Load"
    )]
    pub connect_timeout: Duration,

    /// Longest time to wait for a reply
    #[arg(
        long,
        value_name = "TIME",
        default_value = "30s",
        value_parser = time,
        allow_negative_numbers = true,
        help_heading = "Load"
    )]
    pub timeout: Duration,

    /// Accepted for compatibility: errors are always shown, and end the run
    #[arg(short = 'e', help_heading = "Load")]
    pub show_errors: bool,

    #[arg(long, value_name = "FORMAT", value_parser = format, help = formats_help(), help_heading = "Output")]
    pub format: Option<&'static Format>,

    /// One line for each test
    #[arg(short = 'q', help_heading = "Output")]
    pub quiet: bool,

    /// Comma-separated values
    #[arg(long, help_heading = "Output")]
    pub csv: bool,

    /// Keep the document, with everything that was measured, in this file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub json: Option<PathBuf>,

    /// redis-7: significant digits of latencies, 1 to 4 [default: 3]; redis-6: decimals, 0 to 3 [default: 1]
    #[arg(long, value_name = "DIGITS", allow_negative_numbers = true, help_heading = "Output")]
    pub precision: Option<u8>,

    /// Print this help
    #[arg(long, action = ArgAction::HelpShort, help_heading = "Output")]
    pub help: Option<bool>,

    /// Print the version
    #[arg(short = 'v', long = "version", help_heading = "Output")]
    pub version: bool,

    /// A command of your own instead of the tests
    #[arg(value_name = "COMMAND", trailing_var_arg = true)]
    pub command: Vec<OsString>,
}
