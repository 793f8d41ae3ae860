//! How results are told and kept.

use crate::cli::values::{format, formats_help};
use crate::report::Format;
use clap::{ArgAction, Args};
use std::path::PathBuf;

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
