//! Programs that run until nobody needs them.

use rustix::process::{Pid, Signal, kill_process};
use std::process::{Child, Command, Stdio};

/// A running program without inputs and outputs. Killed when dropped, whether it is stopped or not.
pub struct Daemon(Child);

impl Daemon {
    pub fn start(command: &mut Command) -> Daemon {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let started = quiet.spawn();
        Daemon(started.unwrap_or_else(|error| {
            panic!("these tests need {:?} (scripts/test installs it): {error}", quiet.get_program())
        }))
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    pub fn is_running(&mut self) -> bool {
        self.0.try_wait().expect("our child").is_none()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).expect("the program is there");
    }

    /// Ends the program at once, and returns when it is gone.
    pub fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}
