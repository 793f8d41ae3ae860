//! The run's clock: monotonic nanoseconds since it was made.

use crate::units::Nanos;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

#[derive(Debug, Clone, Copy)]
pub struct Clock(Instant, SystemTime);

impl Clock {
    pub fn start() -> Clock {
        Clock(Instant::now(), SystemTime::now())
    }

    #[inline]
    pub fn now(&self) -> Nanos {
        Nanos::from(self.0.elapsed())
    }

    /// The time since 1970 at which this clock showed `moment`.
    pub fn unix(&self, moment: Nanos) -> Nanos {
        Nanos::from(self.1.duration_since(UNIX_EPOCH).unwrap_or_default()) + moment
    }
}
