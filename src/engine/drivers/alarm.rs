//! An alarm for the poller, which by itself counts in milliseconds.

use crate::units::Nanos;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::fd::OwnedFd;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use std::io;
use std::os::fd::AsRawFd;

/// The token under which an alarm wakes a poller. No client has it.
pub const ALARM: Token = Token(usize::MAX);

pub struct Alarm(OwnedFd);

impl Alarm {
    pub fn new(registry: &Registry) -> io::Result<Alarm> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        registry.register(&mut SourceFd(&timer.as_raw_fd()), ALARM, Interest::READABLE)?;
        Ok(Alarm(timer))
    }

    /// Rings once, so long from now. What it was set to before is forgotten.
    pub fn set(&self, after: Nanos) -> io::Result<()> {
        let value =
            Timespec { tv_sec: (after.0 / 1_000_000_000) as i64, tv_nsec: (after.0 % 1_000_000_000).max(1) as i64 };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
        timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once)?;
        Ok(())
    }
}
