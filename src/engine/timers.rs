//! Clients that wait for a moment to come. Pure; it is told the time.

use crate::units::Nanos;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// For each client at most one moment that counts: the last that was set.
#[derive(Debug, Default)]
pub struct Timers {
    heap: BinaryHeap<Reverse<(Nanos, usize)>>,
    /// By client. A moment in the heap that is not the one here was set for something else, and is passed over.
    moments: Vec<Option<Nanos>>,
}

impl Timers {
    pub fn set(&mut self, client: usize, moment: Nanos) {
        if self.moments.len() <= client {
            self.moments.resize(client + 1, None);
        }
        self.moments[client] = Some(moment);
        self.heap.push(Reverse((moment, client)));
    }

    pub fn cancel(&mut self, client: usize) {
        if let Some(moment) = self.moments.get_mut(client) {
            *moment = None;
        }
    }

    /// The next client whose moment has come at `now`.
    pub fn next(&mut self, now: Nanos) -> Option<usize> {
        while let Some(&Reverse((moment, client))) = self.heap.peek() {
            if moment > now {
                return None;
            }
            self.heap.pop();
            if self.moments[client] == Some(moment) {
                self.moments[client] = None;
                return Some(client);
            }
        }
        None
    }

    /// When the next moment comes.
    pub fn due(&self) -> Option<Nanos> {
        self.heap.peek().map(|Reverse((moment, _))| *moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_come_when_their_last_moment_does() {
        let mut timers = Timers::default();
        timers.set(3, Nanos(30));
        timers.set(1, Nanos(10));
        timers.set(2, Nanos(20));
        timers.set(1, Nanos(40));
        timers.cancel(2);
        assert_eq!(timers.due(), Some(Nanos(10)));
        assert_eq!(timers.next(Nanos(29)), None);
        assert_eq!(timers.next(Nanos(40)), Some(3));
        assert_eq!(timers.next(Nanos(40)), Some(1));
        assert_eq!((timers.next(Nanos(99)), timers.due()), (None, None));
    }
}
