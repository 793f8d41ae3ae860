//! How results are told and kept.

use crate::cli::values::{format, formats_help, time};
use crate::report::Format;
use clap::{ArgAction, Args};
use std::path::PathBuf;
use std::time::Duration;

/// Shorter slices would cost more than they tell.
const INTERVAL_MIN: Duration = Duration::from_millis(10);

fn interval(text: &str) -> Result<Duration, String> {
    match time(text)? {
        short if short < INTERVAL_MIN => Err("expected 10ms or more".to_owned()),
        interval => Ok(interval),
    }
}

#[derive(Args)]
#[command(next_help_heading = "Output")]
pub struct OutputFlags {
    #[arg(long, value_name = "FORMAT", value_parser = format, help = formats_help())]
    pub format: Option<&'static Format>,

    /// One line for each test
    #[arg(short = 'q')]
    pub quiet: bool,

    /// Comma-separated values
    #[arg(long)]
    pub csv: bool,

    /// Keep the document, with everything that was measured, in this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Keep the histogram of each --interval, without warm-up, in this file: a log that HdrHistogram's viewers read
    #[arg(long, value_name = "FILE")]
    pub hdr_log: Option<PathBuf>,

    /// Slices of the timeline in the document, and of --hdr-log; everybody else is looked at as often, and once a second at most
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = interval, allow_hyphen_values = true)]
    pub interval: Duration,

    /// redis-7: significant digits of latencies, 1 to 4 [default: 3]; redis-6: decimals, 0 to 3 [default: 1]
    #[arg(long, value_name = "DIGITS", allow_negative_numbers = true)]
    pub precision: Option<u8>,

    /// Print this help
    #[arg(long, action = ArgAction::HelpShort)]
    pub help: Option<bool>,

    /// Print the version
    #[arg(short = 'v', long = "version")]
    pub version: bool,
}
