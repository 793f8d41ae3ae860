//! What becomes of errors, and what is looked at before there can be any.

use crate::cli::values::time;
use crate::plan::OnError;
use crate::target::guard::Mode;
use clap::{Args, ValueEnum};
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ErrorPolicy {
    /// The first error ends the run, as in redis-benchmark
    Abort,
    /// Errors are counted; a client that loses its connection is out
    Continue,
    /// Errors are counted; lost connections are made again
    Reconnect,
}

impl From<ErrorPolicy> for OnError {
    fn from(policy: ErrorPolicy) -> OnError {
        match policy {
            ErrorPolicy::Abort => OnError::Abort,
            ErrorPolicy::Continue => OnError::Continue,
            ErrorPolicy::Reconnect => OnError::Reconnect,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GuardMode {
    /// Tell on a terminal what there is, keep it in the document, and go on
    Warn,
    /// End before the first request when somebody could be harmed
    Refuse,
    /// Do not look
    Off,
}

impl From<GuardMode> for Mode {
    fn from(mode: GuardMode) -> Mode {
        match mode {
            GuardMode::Warn => Mode::Warn,
            GuardMode::Refuse => Mode::Refuse,
            GuardMode::Off => Mode::Off,
        }
    }
}

#[derive(Args)]
#[command(next_help_heading = "Errors and safety")]
pub struct ErrorFlags {
    /// What an error does to the run: abort ends it, continue counts it, reconnect makes lost connections again, too
    #[arg(long, value_name = "POLICY", value_enum, default_value = "abort")]
    pub on_error: ErrorPolicy,

    /// With --on-error reconnect: end the run when nobody got through for so long
    #[arg(
        long,
        value_name = "TIME",
        default_value = "60s",
        value_parser = time,
        allow_hyphen_values = true,
    )]
    pub give_up: Duration,

    /// Before the first request, look for users, keys and limits that the load would run into: warn tells of them on a
    /// terminal, refuse ends the run, off does not look
    #[arg(long, value_name = "MODE", value_enum, default_value = "warn")]
    pub guard: GuardMode,

    /// Accepted for compatibility: errors are always shown
    #[arg(short = 'e')]
    pub show_errors: bool,
}
