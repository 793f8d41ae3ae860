//! Where the labs of a user are found: a directory with an entry for each, named after its network. The entry is the
//! lab's own directory, or a link to the one that the user has named.

use super::error::LabError;
use super::state::{self, State, make_private, refused};
use super::topology::Network;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

/// The directory of our user's labs, whether it is there or not.
pub fn path() -> PathBuf {
    std::env::temp_dir().join(format!("rbench-labs-{}", rustix::process::getuid().as_raw()))
}

fn entry(network: Network) -> PathBuf {
    path().join(network.to_string())
}

/// Whether a lab of ours is to be found under `network`. What is left of one whose processes have all ended is removed.
/// Whoever asks must hold the claim: nobody else is making a lab there.
pub fn is_spoken_for(network: Network) -> bool {
    holds_a_lab(&entry(network))
}

fn holds_a_lab(entry: &Path) -> bool {
    let is_link = fs::symlink_metadata(entry).is_ok_and(|found| found.is_symlink());
    let removed = match State::read(entry) {
        Ok(state) if state.is_alive() => return true,
        // In a directory of the user's own choice are logs that he may still want to read.
        Ok(_) if is_link => fs::remove_file(entry),
        Ok(state) => return state::remove(entry, &state).is_err(),
        // The beginning of a lab, whose maker did not live to say what it was to be; or a link to what is no more.
        Err(LabError::NoLab { .. }) if is_link => fs::remove_file(entry),
        Err(LabError::NoLab { .. }) => fs::remove_dir(entry),
        Err(_) => return true,
    };
    removed.is_err_and(|error| error.kind() != io::ErrorKind::NotFound)
}

/// Removes the files of the lab in `directory`, and its entry.
pub fn leave(directory: &Path, state: &State) -> Result<(), LabError> {
    state::remove(directory, state)?;
    let entry = entry(state.topology.network);
    if fs::read_link(&entry).is_ok_and(|to| to == directory) {
        fs::remove_file(&entry).map_err(|error| refused(&entry, &error))?;
    }
    // Whoever is the last turns off the light.
    let _ = fs::remove_dir(path());
    Ok(())
}

/// Where a lab is to be, and whether the directory was made for it.
pub struct Home {
    pub directory: PathBuf,
    pub made: bool,
}

/// Makes an entry for a lab in `network`, and its directory where there is none yet.
///
/// # Errors
/// [`LabError`] when the directory is none, or is not empty.
pub fn enter(network: Network, wanted: Option<&Path>) -> Result<Home, LabError> {
    let entry = entry(network);
    let Some(wanted) = wanted else {
        check_length(&entry)?;
        register(&entry, make_private)?;
        return Ok(Home { directory: entry, made: true });
    };
    let home = furnish(wanted)?;
    if let Err(error) = register(&entry, |entry| symlink(&home.directory, entry)) {
        if home.made {
            let _ = fs::remove_dir(&home.directory);
        }
        return Err(error);
    }
    Ok(home)
}

/// Makes an entry, and the registry around it.
fn register(entry: &Path, make: impl Fn(&Path) -> io::Result<()>) -> Result<(), LabError> {
    let registry = path();
    let mut attempt = 0;
    loop {
        make_own(&registry).map_err(|error| refused(&registry, &error))?;
        match make(entry) {
            // Another lab was the last, and has taken the registry away with it.
            Err(error) if error.kind() == io::ErrorKind::NotFound && attempt < 100 => attempt += 1,
            made => return made.map_err(|error| refused(entry, &error)),
        }
    }
}

/// Makes the registry. Its place is open to everybody, so what is there already must be ours, and closed to others.
fn make_own(registry: &Path) -> io::Result<()> {
    match make_private(registry) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made,
    }
    let found = fs::symlink_metadata(registry)?;
    let ours = found.is_dir() && found.uid() == rustix::process::getuid().as_raw() && found.mode() & 0o077 == 0;
    if ours { Ok(()) } else { Err(io::Error::other("it is not a directory of ours alone; remove it")) }
}

/// The directory that the user has named, which must be empty, or new.
fn furnish(wanted: &Path) -> Result<Home, LabError> {
    let wrong = |error: io::Error| refused(wanted, &error);
    let made = match fs::read_dir(wanted) {
        Ok(mut entries) => {
            if !matches!(State::read(wanted), Err(LabError::NoLab { .. })) {
                return Err(LabError::Occupied { path: wanted.to_owned() });
            }
            if entries.next().is_some() {
                return Err(LabError::NotEmpty { path: wanted.to_owned() });
            }
            false
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => make_private(wanted).map(|()| true).map_err(wrong)?,
        Err(error) => return Err(wrong(error)),
    };
    // Programs run in directories of their own, to which a relative path would mean something else.
    let directory = fs::canonicalize(wanted).map_err(wrong)?;
    check_length(&directory).inspect_err(|_| {
        if made {
            let _ = fs::remove_dir(&directory);
        }
    })?;
    Ok(Home { directory, made })
}

/// A socket's path has at most 107 bytes, of which the proxy takes some for a name that it uses for a moment.
fn check_length(directory: &Path) -> Result<(), LabError> {
    const BYTES_MAX: usize = 107 - "/haproxy-00/stats.sock.4194304.tmp".len();
    match directory.as_os_str().len() {
        ..=BYTES_MAX => Ok(()),
        _ => Err(LabError::TooLong { path: directory.to_owned(), bytes_max: BYTES_MAX }),
    }
}

/// The directory of the only lab that runs; or, when none does, of the only one that has left something.
///
/// # Errors
/// [`LabError::NoneRuns`] or [`LabError::SeveralRun`].
pub fn only() -> Result<PathBuf, LabError> {
    let registry = path();
    let entries = fs::read_dir(&registry).into_iter().flatten().flatten();
    let mut labs: Vec<(PathBuf, bool)> = entries
        .filter_map(|entry| {
            let state = State::read(&entry.path()).ok()?;
            Some((fs::canonicalize(entry.path()).ok()?, state.is_alive()))
        })
        .collect();
    if labs.iter().any(|(_, is_alive)| *is_alive) {
        labs.retain(|(_, is_alive)| *is_alive);
    }
    labs.sort();
    let mut directories: Vec<PathBuf> = labs.into_iter().map(|(directory, _)| directory).collect();
    match directories.len() {
        0 => Err(LabError::NoneRuns { registry }),
        1 => Ok(directories.remove(0)),
        _ => Err(LabError::SeveralRun { directories }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::process::Process;
    use crate::lab::topology::{Ports, Topology};
    use crate::units::Nanos;

    fn state(processes: &[Process]) -> State {
        let (network, ports, down_after) = (Network(1), Ports::shifted_by(0), Nanos::from_secs(1));
        let mut state = State::new(Topology { network, ports, proxies: 1, down_after, min_replicas: 1 }, true);
        state.owner = None;
        state.processes = processes.iter().map(|process| ("redis-0".to_owned(), *process)).collect();
        state
    }

    #[test]
    fn what_the_dead_have_left_is_in_nobodys_way() {
        let place = std::env::temp_dir().join(format!("rbench-registry-{}", std::process::id()));
        let (entry, elsewhere) = (place.join("127.0.1"), place.join("elsewhere"));
        fs::create_dir_all(&elsewhere).unwrap();
        assert!(!holds_a_lab(&entry));
        // Its maker died before it was anything.
        fs::create_dir(&entry).unwrap();
        assert!(!holds_a_lab(&entry) && !entry.exists());
        let own = Process::own().unwrap();
        fs::create_dir_all(entry.join("redis-0")).unwrap();
        state(&[own]).write(&entry).unwrap();
        assert!(holds_a_lab(&entry));
        // Somebody else has got the number of its process.
        state(&[Process { started: own.started + 1, ..own }]).write(&entry).unwrap();
        assert!(!holds_a_lab(&entry) && !entry.exists());
        // The user's own directory stays as it is.
        state(&[]).write(&elsewhere).unwrap();
        symlink(&elsewhere, &entry).unwrap();
        assert!(!holds_a_lab(&entry) && fs::symlink_metadata(&entry).is_err());
        assert!(State::read(&elsewhere).is_ok());
        fs::remove_dir_all(&place).unwrap();
    }
}
