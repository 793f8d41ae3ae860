//! How what several runs found together is told and kept.

use crate::report::finding::Style;
use clap::{ArgAction, Args};
use std::path::PathBuf;

#[derive(Args)]
#[command(next_help_heading = "Output")]
pub struct FindingFlags {
    /// text, markdown (for a pull request), csv or json
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Style,

    /// Keep the document, with everything that was measured, in this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Print this help
    #[arg(long, action = ArgAction::HelpShort)]
    pub help: Option<bool>,
}
