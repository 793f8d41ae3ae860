//! Who may connect next: not too many at a time, and not faster than the user allows. Pure; it is told the time.

use crate::units::{Nanos, Rate};
use std::collections::VecDeque;

/// Connections in the making at one time: a listener's backlog is finite, and what it drops comes back a second later.
pub const DIALING_MAX: usize = 256;

/// Lateness that is made up for: a wait may end late, but a pause is not followed by a storm.
const CATCH_UP: Nanos = Nanos::from_millis(10);

/// The clients that wait for a connection, in the order in which they came.
#[derive(Debug)]
pub struct Dialer {
    waiting: VecDeque<usize>,
    dialing: usize,
    /// Between two connections. None when there is no limit.
    interval: Option<Nanos>,
    next_at: Nanos,
}

impl Dialer {
    /// With at most `rate` connections per second.
    pub fn new(rate: Option<Rate>) -> Dialer {
        let interval = rate.map(|rate| Nanos((1e9 / rate.0) as u64));
        Dialer { waiting: VecDeque::new(), dialing: 0, interval, next_at: Nanos::ZERO }
    }

    pub fn want(&mut self, client: usize) {
        self.waiting.push_back(client);
    }

    /// The client that is to connect at `now`. It counts as dialing until [`done`](Self::done) is called.
    pub fn next(&mut self, now: Nanos) -> Option<usize> {
        if self.dialing >= DIALING_MAX || self.waiting.is_empty() {
            return None;
        }
        if let Some(interval) = self.interval {
            if now < self.next_at {
                return None;
            }
            self.next_at = self.next_at.max(now - CATCH_UP) + interval;
        }
        self.dialing += 1;
        self.waiting.pop_front()
    }

    /// A client that was dialing has its connection, or does not try any more.
    pub fn done(&mut self) {
        self.dialing -= 1;
    }

    /// When the next client may connect, if it is for its turn alone that it waits.
    pub fn due(&self) -> Option<Nanos> {
        (self.interval.is_some() && !self.waiting.is_empty() && self.dialing < DIALING_MAX).then_some(self.next_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_spaces_connections_and_a_pause_is_no_storm() {
        let mut dialer = Dialer::new(Some(Rate(1000.0)));
        (0..100).for_each(|client| dialer.want(client));
        let start = Nanos::from_secs(5);
        let first: Vec<usize> = std::iter::from_fn(|| dialer.next(start)).collect();
        assert!(first.len() <= 11, "{first:?}");
        assert_eq!(dialer.next(start), None);
        assert!(dialer.due().is_some_and(|due| due > start && due <= start + Nanos::from_millis(1)));
        let later = start + Nanos::from_millis(5);
        assert_eq!(std::iter::from_fn(|| dialer.next(later)).count(), 5);
        let much_later = start + Nanos::from_secs(5);
        assert!(std::iter::from_fn(|| dialer.next(much_later)).count() <= 11);
    }

    #[test]
    fn only_so_many_dial_at_a_time() {
        let mut dialer = Dialer::new(None);
        (0..DIALING_MAX + 2).for_each(|client| dialer.want(client));
        assert_eq!(std::iter::from_fn(|| dialer.next(Nanos::ZERO)).count(), DIALING_MAX);
        assert_eq!(dialer.due(), None);
        dialer.done();
        assert_eq!(dialer.next(Nanos::ZERO), Some(DIALING_MAX));
        assert_eq!(dialer.next(Nanos::ZERO), None);
    }
}
