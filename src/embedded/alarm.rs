//! Wakes the poller at a given time, to the microsecond: the timeouts of a poll are in milliseconds.

use crate::units::Nanos;
use mio::{Registry, Token};
use std::io;
use std::time::Duration;

#[cfg(target_os = "linux")]
mod system {
    use super::{Duration, Nanos, Registry, Token, io};
    use mio::Interest;
    use mio::unix::SourceFd;
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
    };
    use std::os::fd::{AsRawFd, OwnedFd};

    /// A timer that the poller watches.
    pub struct Alarm(OwnedFd);

    impl Alarm {
        pub fn new(registry: &Registry, token: Token) -> io::Result<Alarm> {
            let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK.union(TimerfdFlags::CLOEXEC))?;
            registry.register(&mut SourceFd(&timer.as_raw_fd()), token, Interest::READABLE)?;
            Ok(Alarm(timer))
        }

        /// The timeout to poll with, in order to be woken after `span` at the latest. An alarm that was set before is
        /// forgotten.
        pub fn set(&mut self, span: Nanos) -> io::Result<Option<Duration>> {
            const SECOND: u64 = 1_000_000_000;
            // No time at all would unset the timer.
            let span = span.0.max(1);
            let after = Timespec { tv_sec: (span / SECOND) as i64, tv_nsec: (span % SECOND) as _ };
            let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: after };
            timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once)?;
            Ok(None)
        }
    }
}

/// Other systems have no such timer, or another one: the poller is asked again and again instead.
#[cfg(not(target_os = "linux"))]
mod system {
    use super::{Duration, Nanos, Registry, Token, io};

    pub struct Alarm;

    impl Alarm {
        pub fn new(_: &Registry, _: Token) -> io::Result<Alarm> {
            Ok(Alarm)
        }

        pub fn set(&mut self, _: Nanos) -> io::Result<Option<Duration>> {
            Ok(Some(Duration::ZERO))
        }
    }
}

pub use system::Alarm;
