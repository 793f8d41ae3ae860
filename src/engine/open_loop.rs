//! Keeping to a schedule that does not wait for the server: what is due, and who is free to send it. Pure; it is told the
//! time.
//!
//! Nothing is stored for an arrival that waits: the schedule can be read twice. One reading goes with the clock and says
//! how many are due, the other goes with the requests and says since when the next of them is.

use crate::units::Nanos;
use crate::workload::arrivals::Schedule;
use std::collections::VecDeque;

#[derive(Debug)]
pub struct OpenLoop {
    /// When the schedule began.
    start: Nanos,
    /// Stands at the first arrival that has not been sent.
    to_send: Schedule,
    /// Stands at the first arrival that is not due yet.
    to_come: Schedule,
    waiting: u64,
    /// Nothing falls due any more.
    is_closed: bool,
    /// Clients with room for an arrival, the one that has been in line for longest in front. Each is in it once, however
    /// much room it has.
    free: VecDeque<usize>,
    is_in_line: Vec<bool>,
}

impl OpenLoop {
    pub fn new(schedule: Schedule) -> OpenLoop {
        let (to_send, to_come) = (schedule.clone(), schedule);
        OpenLoop {
            start: Nanos::ZERO,
            to_send,
            to_come,
            waiting: 0,
            is_closed: false,
            free: VecDeque::new(),
            is_in_line: Vec::new(),
        }
    }

    /// The schedule begins at `now`.
    pub fn start(&mut self, now: Nanos) {
        self.start = now;
    }

    /// When the next arrival is due.
    pub fn next_due(&self) -> Nanos {
        self.start + self.to_come.peek()
    }

    /// Takes note of what is due at `now`, and tells `fallen` when each arrival of it was.
    #[inline]
    pub fn fall_due(&mut self, now: Nanos, mut fallen: impl FnMut(Nanos)) {
        while !self.is_closed && self.next_due() <= now {
            fallen(self.start + self.to_come.next());
            self.waiting += 1;
        }
    }

    /// Arrivals that are due and have not been sent.
    pub fn waiting(&self) -> u64 {
        self.waiting
    }

    /// Since when the oldest of them waits.
    pub fn waiting_since(&self) -> Option<Nanos> {
        (self.waiting > 0).then(|| self.start + self.to_send.peek())
    }

    /// A client has room for an arrival.
    #[inline]
    pub fn release(&mut self, client: usize) {
        if self.is_in_line.len() <= client {
            self.is_in_line.resize(client + 1, false);
        }
        if !std::mem::replace(&mut self.is_in_line[client], true) {
            self.free.push_back(client);
        }
    }

    /// Whether there is anybody to send for the next arrival.
    pub fn has_free(&self) -> bool {
        !self.free.is_empty()
    }

    /// A client for the oldest arrival that waits, which is asked for with [`take`](Self::take).
    #[inline]
    pub fn next_free(&mut self) -> Option<usize> {
        if self.waiting == 0 {
            return None;
        }
        let client = self.free.pop_front()?;
        self.is_in_line[client] = false;
        Some(client)
    }

    /// Takes the oldest arrival that waits, to be sent: when it was due.
    #[inline]
    pub fn take(&mut self) -> Nanos {
        self.waiting -= 1;
        self.start + self.to_send.next()
    }

    /// Ends the schedule: when each arrival was due that is still waiting.
    pub fn close(&mut self) -> impl Iterator<Item = Nanos> + '_ {
        self.is_closed = true;
        let waiting = std::mem::take(&mut self.waiting);
        (0..waiting).map(|_| self.start + self.to_send.next())
    }

    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Nobody is free any more, and nothing is due: there is nothing left to send.
    pub fn dismiss(&mut self) -> impl Iterator<Item = usize> + '_ {
        self.waiting = 0;
        self.is_in_line.clear();
        self.free.drain(..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Seed;
    use crate::workload::arrivals::{ArrivalProcess, Shape};

    fn constant(rate: f64) -> OpenLoop {
        let mut open = OpenLoop::new(Schedule::new(ArrivalProcess::Constant, &Shape::fixed(rate), 0, 1, Seed(1)));
        open.start(Nanos::from_secs(7));
        open
    }

    /// Arrivals a millisecond apart, and a server that takes its time.
    #[test]
    fn lateness_does_not_move_the_schedule() {
        let mut open = constant(1000.0);
        let first = open.next_due();
        open.release(0);
        open.fall_due(first, |_| ());
        assert_eq!((open.next_free(), open.take()), (Some(0), first));
        let later = first + Nanos::from_millis(5);
        open.fall_due(later, |_| ());
        assert_eq!((open.waiting(), open.next_free()), (5, None));
        assert_eq!(open.waiting_since(), Some(first + Nanos::from_millis(1)));
        for number in 1..=5 {
            open.release(0);
            assert_eq!(open.next_free(), Some(0));
            assert_eq!(open.take(), first + Nanos::from_millis(number));
        }
        assert_eq!((open.waiting(), open.waiting_since()), (0, None));
    }

    #[test]
    fn what_waits_at_the_end_is_told_once_and_nothing_comes_after_it() {
        let mut open = constant(1000.0);
        let first = open.next_due();
        open.release(0);
        open.fall_due(first, |_| ());
        open.take();
        let end = first + Nanos::from_millis(3);
        let due: Vec<Nanos> = (1..=3).map(|number| first + Nanos::from_millis(number)).collect();
        let mut fallen = Vec::new();
        open.fall_due(end, |due| fallen.push(due));
        assert_eq!(fallen, due, "the first was told before");
        assert_eq!(open.close().collect::<Vec<_>>(), due);
        open.release(0);
        open.fall_due(end + Nanos::from_secs(1), |due| panic!("{due:?} is after the end"));
        assert_eq!((open.waiting(), open.next_free()), (0, None));
        assert_eq!(open.close().count(), 0);
    }

    /// A client with a window says after each reply that it has room.
    #[test]
    fn a_client_stands_in_line_once() {
        let mut open = constant(1000.0);
        (0..100).for_each(|turn| open.release(turn % 2));
        open.fall_due(open.next_due() + Nanos::from_millis(5), |_| ());
        assert_eq!([open.next_free(), open.next_free(), open.next_free()], [Some(0), Some(1), None]);
        open.release(1);
        assert_eq!((open.next_free(), open.next_free()), (Some(1), None), "it comes back");
    }

    #[test]
    fn whoever_was_free_for_longest_is_next() {
        let mut open = constant(1000.0);
        (0..3).for_each(|client| open.release(client));
        open.fall_due(open.next_due() + Nanos::from_millis(1), |_| ());
        assert_eq!((open.next_free(), open.next_free()), (Some(0), Some(1)));
    }
}
