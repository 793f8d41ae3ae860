//! One error, one line, one exit code.

use clap::error::ErrorKind;
use std::fmt::Display;
use std::io;
use std::process::ExitCode;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done,
    Failed,
    Usage,
    Unreachable,
    /// The run went on to its end, and there were errors on the way.
    HadErrors,
    /// A comparison found what --fail-if rules out, or no rate keeps a promise that also meets the demand.
    Broken,
    /// The guard found a reason not to begin.
    Guarded,
    /// By a signal with this number, after what was measured had been printed.
    Interrupted(u8),
    /// Nobody reads our output any more.
    ClosedPipe,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Unreachable => 3,
            Exit::HadErrors => 4,
            Exit::Broken => 5,
            Exit::Guarded => 6,
            // What a shell makes of a process that a signal ended.
            Exit::Interrupted(signal) => 128 + signal,
            Exit::ClosedPipe => 128 + 13,
        })
    }
}

/// Why rbench stops, in one line without an end; no line at all when nobody could read it.
#[derive(Debug, PartialEq, Eq)]
pub struct Error {
    pub exit: Exit,
    pub message: Option<String>,
}

impl Error {
    pub fn new(exit: Exit, message: impl Display) -> Error {
        Error { exit, message: Some(message.to_string()) }
    }

    pub fn usage(message: impl Display) -> Error {
        Error::new(Exit::Usage, message)
    }

    pub fn failed(message: impl Display) -> Error {
        Error::new(Exit::Failed, message)
    }

    /// What became of writing to our own output.
    pub fn output(error: &io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Error { exit: Exit::ClosedPipe, message: None },
            _ => Error::failed(format!("cannot write to standard output: {error}")),
        }
    }

    /// What the library says in a paragraph, in a line.
    pub fn from_clap(error: clap::Error) -> Error {
        if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            return Error::new(Exit::Done, error.to_string().trim_end());
        }
        let text = error.to_string();
        let lines: Vec<&str> = text
            .trim_start_matches("error: ")
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
            .map(|line| line.trim_start_matches("tip: "))
            .collect();
        Error::usage(format!("{} (see rbench --help)", lines.join("; ").replace(":;", ":")))
    }
}
