//! Why there is no lab, or why it does not do as it is told: a line for each, with the way out.

use std::io;
use std::path::PathBuf;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum LabError {
    #[error("{option}: {expected}")]
    Option { option: &'static str, expected: String },
    #[error("cannot find {programs}; install {it}: {packages}", it = if programs.contains(" and ") { "them" } else { "it" })]
    Missing { programs: String, packages: String },
    #[error("{program} does not say its version: {cause}")]
    Mute { program: String, cause: String },
    #[error("{program} is version {found}; the lab needs {needed} or later")]
    TooOld { program: String, found: String, needed: String },
    #[error("no network of 127.0.0.0/8 has the lab's ports free (tried {tried}): {cause}")]
    NoNetwork { tried: usize, cause: String },
    #[error("cannot use {}: {cause}", path.display())]
    Directory { path: PathBuf, cause: String },
    #[error("{} is not empty; name an empty directory, or a new one", path.display())]
    NotEmpty { path: PathBuf },
    #[error("{} holds a lab already; end it with rbench lab down --dir {}", path.display(), path.display())]
    Occupied { path: PathBuf },
    #[error("{} is too long for the path of a socket; name a directory of at most {bytes_max} bytes", path.display())]
    TooLong { path: PathBuf, bytes_max: usize },
    #[error("cannot start {name}: {cause}")]
    Spawn { name: String, cause: io::Error },
    /// Another program was faster to listen on one of our addresses.
    #[error("{name} ended: another program listens on its address")]
    AddressInUse { name: String },
    #[error("{name} ended at once; its log ends in: {log}")]
    Ended { name: String, log: String },
    #[error("{name} did not come up: {what} within {seconds} s ({cause}); its log ends in: {log}")]
    Late { name: String, what: &'static str, seconds: u64, cause: String, log: String },
    #[error("no lab runs; start one with rbench lab up (looked in {})", registry.display())]
    NoneRuns { registry: PathBuf },
    #[error("several labs run: {}; say which with --dir", list(directories))]
    SeveralRun { directories: Vec<PathBuf> },
    #[error("there is no lab in {}", directory.display())]
    NoLab { directory: PathBuf },
    #[error("cannot make sense of {}: {cause}", path.display())]
    State { path: PathBuf, cause: String },
    #[error("another rbench is at work on the lab in {}; try again when it is done", directory.display())]
    Busy { directory: PathBuf },
    #[error("the lab has no '{name}'; it has {known}")]
    NoMember { name: String, known: String },
    #[error("{name} is dead; start it again with rbench lab start {name}")]
    Dead { name: String },
    #[error("{name} runs already")]
    Alive { name: String },
    #[error("process {pid} is not the {name} that this lab started; it is left alone")]
    Foreign { name: String, pid: u32 },
    #[error("{name}, process {pid}, did not take the signal: {cause}")]
    Unmoved { name: String, pid: u32, cause: String },
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
