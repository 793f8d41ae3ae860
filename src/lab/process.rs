//! Processes that we started: how they begin, how they are known again, and how they are struck. A number alone does not
//! tell a process from another that has got it since, so each is known by the time of its start as well.

use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// What a program says goes here, in its directory.
pub const LOG: &str = "log";

/// A process, and no other that ever gets its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    pub pid: u32,
    /// In ticks of the system since it was booted.
    pub started: u64,
}

/// What has become of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    Running,
    Paused,
    /// Gone, or dead and not yet buried by its parent.
    Dead,
    /// Its number belongs to another process now.
    Foreign,
}

/// What the system says of a process in `/proc/PID/stat`.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    state: char,
    group: u32,
    started: u64,
}

impl Process {
    /// The process with this number, if there is one.
    pub fn with_number(pid: u32) -> Option<Process> {
        Stat::of(pid).map(|stat| Process { pid, started: stat.started })
    }

    /// Ourselves.
    pub fn own() -> Option<Process> {
        Process::with_number(std::process::id())
    }

    pub fn condition(self) -> Condition {
        match Stat::of(self.pid) {
            None => Condition::Dead,
            Some(stat) if stat.started != self.started => Condition::Foreign,
            Some(stat) => match stat.state {
                'Z' | 'X' | 'x' => Condition::Dead,
                'T' | 't' => Condition::Paused,
                _ => Condition::Running,
            },
        }
    }

    pub fn is_alive(self) -> bool {
        matches!(self.condition(), Condition::Running | Condition::Paused)
    }

    /// Sends a signal to the process and to its children, which are in its group: a redis that saves its data has one.
    ///
    /// # Errors
    /// When it is not the process that we know, or not the head of a group.
    pub fn signal(self, signal: Signal) -> io::Result<()> {
        let heads_group = Stat::of(self.pid).is_some_and(|stat| stat.group == self.pid);
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        match pid {
            Some(pid) if heads_group && self.is_alive() => Ok(kill_process_group(pid, signal)?),
            _ => Err(io::Error::new(io::ErrorKind::NotFound, "it is not there")),
        }
    }

    /// Waits until `wanted` holds of its condition, but not for ever. Returns whether it does.
    pub fn wait_until(self, patience: Duration, wanted: impl Fn(Condition) -> bool) -> bool {
        const TURN: Duration = Duration::from_millis(2);
        let turns = patience.as_millis() / TURN.as_millis();
        for _ in 0..turns {
            if wanted(self.condition()) {
                return true;
            }
            thread::sleep(TURN);
        }
        wanted(self.condition())
    }
}

impl Stat {
    fn of(pid: u32) -> Option<Stat> {
        Stat::read(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// Source: proc_pid_stat(5). The second field is the program's name in parentheses, and may hold any letters.
    fn read(line: &str) -> Option<Stat> {
        let (_, rest) = line.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3);
        Some(Stat {
            state: field(3)?.chars().next()?,
            group: field(5)?.parse().ok()?,
            started: field(22)?.parse().ok()?,
        })
    }
}

/// Starts a program in `directory`. It is the head of a process group of its own, so that a Ctrl-C on the terminal is
/// for us alone; what it says goes to its log.
///
/// # Errors
/// When it cannot be started.
pub fn spawn<S: AsRef<OsStr>>(program: &Path, arguments: &[S], directory: &Path) -> io::Result<(Child, Process)> {
    let log = OpenOptions::new().create(true).append(true).mode(0o600).open(directory.join(LOG))?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(directory).process_group(0);
    // Not theirs to know, whatever they would do with it.
    command.env_remove("RBENCH_LAB_AUTH").env_remove("RBENCH_SENTINEL_AUTH").env_remove("REDISCLI_AUTH");
    let mut child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
    // It is ours to bury, so its number is its own even if it has ended already.
    match Process::with_number(child.id()) {
        Some(process) => Ok((child, process)),
        None => {
            let _ = child.kill();
            let _ = child.wait();
            Err(io::Error::new(io::ErrorKind::Unsupported, "the system has no /proc to know a process by"))
        }
    }
}

/// What a program prints that ends by itself, and soon.
///
/// # Errors
/// When it cannot be started, or does not end.
pub fn output(program: &str, argument: &str) -> io::Result<String> {
    let mut child = Command::new(program)
        .arg(argument)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    for _ in 0..1000 {
        if child.try_wait()?.is_some() {
            let output = child.wait_with_output()?;
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    let _ = child.wait();
    Err(io::Error::new(io::ErrorKind::TimedOut, format!("{program} {argument} does not end")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_program_may_hold_anything() {
        let line = "77 (a) b (c) T 1 42 42 0 -1 4194560 115 0 0 0 0 0 0 0 20 0 1 0 9001 2445312 200";
        assert_eq!(Stat::read(line), Some(Stat { state: 'T', group: 42, started: 9001 }));
        assert_eq!(Stat::read("77 (a) T 1 42"), None);
    }

    #[test]
    fn a_process_is_not_another_with_its_number() {
        let own = Process::own().unwrap();
        assert_eq!(own.condition(), Condition::Running);
        let other = Process { started: own.started + 1, ..own };
        assert_eq!(other.condition(), Condition::Foreign);
        // If this got through, it would be the end of the test.
        assert!(other.signal(Signal::KILL).is_err());
    }
}
