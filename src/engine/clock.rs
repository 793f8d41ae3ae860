//! The run's clock: monotonic nanoseconds since it was made.

use crate::units::Nanos;
use std::time::Instant;

#[derive(Debug, Clone, Copy)]
pub struct Clock(Instant);

impl Clock {
    pub fn start() -> Clock {
        Clock(Instant::now())
    }

    #[inline]
    pub fn now(&self) -> Nanos {
        Nanos::from(self.0.elapsed())
    }
}
