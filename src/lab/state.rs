//! What a lab writes down about itself, so that another rbench can find its members, and end them whatever became of the
//! one that started them.

use super::error::LabError;
use super::process::Process;
use super::topology::Topology;
use crate::target::Secret;
use crate::target::control::in_words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const FILE: &str = "lab.json";
const PASSWORD: &str = "password";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Tells this lab from another that is made in its place later.
    pub id: u64,
    /// The boot of the system in which the processes below were started: after another they are all gone, and their
    /// numbers and times may be those of others.
    boot: String,
    /// Whose end is to be the end of the lab. None when it is detached.
    pub owner: Option<Process>,
    /// Whether the directory is to go when the lab goes.
    pub made_directory: bool,
    pub topology: Topology,
    /// By the names of the members, those that were started.
    pub processes: BTreeMap<String, Process>,
}

impl State {
    pub fn new(topology: Topology, made_directory: bool) -> State {
        State {
            id: rand::random(),
            boot: boot(),
            owner: Process::own(),
            made_directory,
            topology,
            processes: BTreeMap::new(),
        }
    }

    /// Reads the state of the lab in `directory`.
    ///
    /// # Errors
    /// [`LabError::NoLab`] when there is none, [`LabError::State`] when it cannot be read.
    pub fn read(directory: &Path) -> Result<State, LabError> {
        let path = directory.join(FILE);
        let wrong = |cause: String| LabError::State { path: path.clone(), cause };
        let text = read_own(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                LabError::NoLab { directory: directory.to_owned() }
            }
            _ => wrong(in_words(&error)),
        })?;
        let mut state: State = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if state.boot != boot() {
            state.owner = None;
            state.processes.clear();
        }
        Ok(state)
    }

    /// Writes the state into `directory`, whole or not at all.
    ///
    /// # Errors
    /// [`LabError::Directory`].
    pub fn write(&self, directory: &Path) -> Result<(), LabError> {
        let text = serde_json::to_string_pretty(self).expect("a state has no odd keys");
        let beside = beside(directory);
        let written = write_private(&beside, &text)
            .and_then(|()| fs::rename(&beside, directory.join(FILE)).map_err(|error| refused(directory, &error)));
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
        written
    }

    /// Whether anybody of the lab lives, or whoever is to end it.
    pub fn is_alive(&self) -> bool {
        self.processes.values().chain(&self.owner).any(|process| process.is_alive())
    }
}

/// What a file of our own user says: another's could name processes that are none of a lab.
fn read_own(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    if file.metadata()?.uid() != rustix::process::getuid().as_raw() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is another user's"));
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map(|_| text)
}

fn beside(directory: &Path) -> PathBuf {
    directory.join(format!("{FILE}.part"))
}

/// One string for each time that the system was booted.
fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// Keeps the password where the other verbs find it.
pub fn write_password(directory: &Path, password: &Secret) -> Result<(), LabError> {
    write_private(&directory.join(PASSWORD), password.expose())
}

pub fn read_password(directory: &Path) -> Option<Secret> {
    fs::read_to_string(directory.join(PASSWORD)).ok().map(Secret::new)
}

/// Writes a file that is for its owner's eyes only.
pub fn write_private(path: &Path, text: &str) -> Result<(), LabError> {
    let written = fs::remove_file(path).or_else(absent).and_then(|()| {
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())
    });
    written.map_err(|error| refused(path, &error))
}

/// Makes a directory that is for its owner's eyes only. Each member has one, because redis and sentinels make their
/// configurations readable to all when they write them anew.
pub fn make_private(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// Removes everything that the lab `state` has put into `directory`, and nothing else.
///
/// # Errors
/// [`LabError::Directory`] when something stays.
pub fn remove(directory: &Path, state: &State) -> Result<(), LabError> {
    for place in state.topology.places() {
        let path = directory.join(place.name());
        fs::remove_dir_all(&path).or_else(absent).map_err(|error| refused(&path, &error))?;
    }
    for path in [directory.join(PASSWORD), beside(directory), directory.join(FILE)] {
        fs::remove_file(&path).or_else(absent).map_err(|error| refused(&path, &error))?;
    }
    if !state.made_directory {
        return Ok(());
    }
    match fs::remove_dir(directory) {
        // Somebody keeps something of his own here.
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
        removed => removed.or_else(absent).map_err(|error| refused(directory, &error)),
    }
}

/// What is not there need not be removed.
fn absent(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

pub fn refused(path: &Path, error: &io::Error) -> LabError {
    LabError::Directory { path: path.to_owned(), cause: in_words(error) }
}
