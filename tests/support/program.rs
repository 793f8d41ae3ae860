//! The program under test, never left running.

use super::PATIENCE;
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What became of a run of the program.
#[derive(Debug)]
pub struct Ran {
    pub stdout: String,
    pub stderr: String,
    /// None when a signal ended it.
    pub code: Option<i32>,
    pub elapsed: Duration,
    /// The most memory that the program had in use, as far as it was seen before its end.
    pub peak_bytes: u64,
}

impl Ran {
    /// A clean run, which says nothing on stderr: programs that merge the two outputs count lines.
    #[track_caller]
    pub fn succeeded(self) -> Ran {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{}", self.stdout);
        self
    }

    /// A run that ended with `code`, whatever it said.
    #[track_caller]
    pub fn ended(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        self
    }

    /// A run that ended with `code` and one line that has all of `words` in it.
    #[track_caller]
    pub fn failed(self, code: i32, words: &[&str]) -> Ran {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        let line = self.stderr.strip_suffix('\n').unwrap_or_default();
        assert!(line.starts_with("rbench: ") && !line.contains('\n'), "not one line of ours: {:?}", self.stderr);
        for word in words {
            assert!(line.contains(word), "{line:?} does not say {word:?}");
        }
        self
    }
}

/// A running program. Killed when dropped.
pub struct Running {
    process: Child,
    since: Instant,
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
}

/// The program with `arguments`, no password from the environment, and no memory of what was measured on this machine.
pub fn command<S: AsRef<OsStr>>(arguments: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rbench"));
    command.args(arguments).env_remove("REDISCLI_AUTH").env_remove("RBENCH_SENTINEL_AUTH");
    command.env("RBENCH_STATE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/no-state"));
    command
}

/// Runs the program to its end.
pub fn rbench<S: AsRef<OsStr>>(arguments: &[S]) -> Ran {
    start(arguments).end()
}

/// Starts the program and lets it run.
pub fn start<S: AsRef<OsStr>>(arguments: &[S]) -> Running {
    spawn(command(arguments), b"")
}

/// Starts `command` with `input` on its standard input.
pub fn spawn(mut command: Command, input: &[u8]) -> Running {
    let since = Instant::now();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().expect("the program can be started");
    // Small enough for a pipe to hold. A program that ends without reading is no failure.
    let _ = process.stdin.take().expect("a pipe").write_all(input);
    let stdout = collect(process.stdout.take().expect("a pipe"));
    let stderr = collect(process.stderr.take().expect("a pipe"));
    Running { process, since, stdout: Some(stdout), stderr: Some(stderr) }
}

fn collect(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}

impl Running {
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).expect("the program is there");
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Whether the program is still there.
    pub fn is_running(&mut self) -> bool {
        self.process.try_wait().expect("our child").is_none()
    }

    /// Waits for the end, but not for ever.
    #[track_caller]
    pub fn end(mut self) -> Ran {
        let mut peak_bytes = 0;
        let status = loop {
            peak_bytes = peak_bytes.max(self.peak_bytes().unwrap_or(0));
            if let Some(status) = self.process.try_wait().expect("our child") {
                break status;
            }
            if self.since.elapsed() > PATIENCE {
                let _ = self.process.kill();
                panic!("still running after {PATIENCE:?}: {:?}", self.outputs());
            }
            thread::sleep(Duration::from_millis(2));
        };
        let elapsed = self.since.elapsed();
        let (stdout, stderr) = self.outputs();
        Ran { stdout, stderr, code: status.code(), elapsed, peak_bytes }
    }

    /// None when the program has ended.
    fn peak_bytes(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kibibytes * 1024)
    }

    /// Everything that the program has said. It must have ended, or be about to.
    pub fn outputs(&mut self) -> (String, String) {
        let text = |pipe: Option<JoinHandle<Vec<u8>>>| {
            String::from_utf8(pipe.expect("read once").join().expect("the reader")).expect("output is text")
        };
        (text(self.stdout.take()), text(self.stderr.take()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
