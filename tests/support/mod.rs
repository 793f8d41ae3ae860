//! What whole-program tests stand on: private servers, alone and in sets, and the program itself under a time limit.

// Each test binary uses a part of this.
#![allow(dead_code, unused_imports)]

pub mod cluster;
pub mod daemon;
pub mod fake;
pub mod haproxy;
pub mod link;
pub mod measured;
pub mod place;
pub mod program;
pub mod sentinel;
pub mod server;
pub mod sockets;
pub mod tls;

pub use link::Value;
pub use measured::{Measured, measure, measure_on};
pub use program::{Ran, rbench, start};
pub use server::RedisServer;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything here takes on a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// A command that keeps a server busy for two milliseconds, so that a load of 1000 takes two seconds or more on any
/// machine. Counted as `debug`.
pub const SLOW: &str = "debug sleep 0.002";

/// A directory of its own, gone when the test is over.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Scratch {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("rbench-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Scratch(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Waits until `fact` holds.
pub fn wait_until(what: &str, mut fact: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !fact() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The document in a file.
pub fn document(path: &Path) -> serde_json::Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The words of a line, for arguments without spaces in them.
pub fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}
