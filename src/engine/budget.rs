//! The requests of a run, dealt out to load threads: each is sent once, and no more are sent than were asked for.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The numbers of all requests of a run, from 0.
#[derive(Debug)]
pub struct Budget {
    next: AtomicU64,
    total: u64,
    /// Every portion but the last is a whole number of batches, so a batch begins where a sequence of requests does.
    portion: u64,
    /// What threads had drawn that then lost all of their clients, for others to send.
    returned: Mutex<Vec<Range<u64>>>,
    has_returned: AtomicBool,
}

/// The largest portion: big enough that the shared counter is seldom touched.
const PORTION_MAX: u64 = 1024;

/// Portions that each thread gets at the least: small enough that threads finish together.
const PORTIONS_PER_THREAD: u64 = 16;

impl Budget {
    /// `total` requests in batches of `batch`, for `threads` threads.
    pub fn new(total: u64, batch: u64, threads: u64) -> Budget {
        let fair = total / (threads * PORTIONS_PER_THREAD);
        let portion = (fair.min(PORTION_MAX) / batch).max(1) * batch;
        let returned = Mutex::default();
        Budget { next: AtomicU64::new(0), total, portion, returned, has_returned: AtomicBool::new(false) }
    }

    /// One thread's access to the budget.
    pub fn share(&self) -> Share<'_> {
        Share { budget: self, portion: 0..0, is_closed: false }
    }

    /// All numbers that were dealt out are below this.
    pub fn dealt(&self) -> u64 {
        self.next.load(Ordering::Relaxed).min(self.total)
    }

    fn take_portion(&self) -> Range<u64> {
        // No more than `total` plus one portion for each thread is ever added, so this cannot overflow.
        let from = if self.next.load(Ordering::Relaxed) < self.total {
            self.next.fetch_add(self.portion, Ordering::Relaxed).min(self.total)
        } else {
            self.total
        };
        match from..(from + self.portion).min(self.total) {
            none if none.is_empty() => self.take_returned().unwrap_or(none),
            portion => portion,
        }
    }

    fn take_returned(&self) -> Option<Range<u64>> {
        if !self.has_returned.load(Ordering::Acquire) {
            return None;
        }
        let mut returned = self.returned.lock().unwrap_or_else(PoisonError::into_inner);
        let portion = returned.pop();
        self.has_returned.store(!returned.is_empty(), Ordering::Release);
        portion
    }

    fn is_exhausted(&self) -> bool {
        self.next.load(Ordering::Relaxed) >= self.total && !self.has_returned.load(Ordering::Acquire)
    }
}

/// What one thread has drawn from the budget and not yet sent.
#[derive(Debug)]
pub struct Share<'a> {
    budget: &'a Budget,
    portion: Range<u64>,
    is_closed: bool,
}

impl Share<'_> {
    /// Draws nothing more, and drops what was drawn and not sent.
    pub fn close(&mut self) {
        self.is_closed = true;
        self.portion = 0..0;
    }

    /// Leaves to other threads what was drawn and not sent, and `batches` that were drawn before.
    pub fn give_back(&mut self, batches: impl Iterator<Item = Range<u64>>) {
        let portion = std::mem::take(&mut self.portion);
        let mut returned = self.budget.returned.lock().unwrap_or_else(PoisonError::into_inner);
        returned.extend(batches.chain([portion]).filter(|batch| !batch.is_empty()));
        self.budget.has_returned.store(!returned.is_empty(), Ordering::Release);
    }

    /// Whether all requests are taken.
    pub fn is_exhausted(&self) -> bool {
        self.portion.is_empty() && (self.is_closed || self.budget.is_exhausted())
    }

    /// The numbers of the next batch of `batch` requests, fewer at the end. None when all are taken.
    #[inline]
    pub fn next_batch(&mut self, batch: u64) -> Option<Range<u64>> {
        if self.portion.is_empty() {
            if !self.is_closed {
                self.portion = self.budget.take_portion();
            }
            if self.portion.is_empty() {
                return None;
            }
        }
        let from = self.portion.start;
        self.portion.start = (from + batch).min(self.portion.end);
        Some(from..self.portion.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers that threads draw in turn, `threads` of them.
    fn drawn(total: u64, batch: u64, threads: usize) -> Vec<Range<u64>> {
        let budget = Budget::new(total, batch, threads as u64);
        let mut shares: Vec<Share> = (0..threads).map(|_| budget.share()).collect();
        let mut ranges = Vec::new();
        loop {
            let before = ranges.len();
            ranges.extend(shares.iter_mut().filter_map(|share| share.next_batch(batch)));
            if ranges.len() == before {
                return ranges;
            }
        }
    }

    #[test]
    fn every_request_is_dealt_once_whatever_the_shape() {
        for total in [1, 7, 100, 1003, 100_000] {
            for batch in [1, 3, 16, 1000, 5000] {
                for threads in [1, 2, 7, 64] {
                    let mut ranges = drawn(total, batch, threads);
                    ranges.sort_by_key(|range| range.start);
                    let mut next = 0;
                    for range in ranges {
                        assert_eq!(range.start, next);
                        assert_eq!(range.start % batch, 0, "a batch begins where a sequence begins");
                        assert!(range.end - range.start <= batch && !range.is_empty());
                        next = range.end;
                    }
                    assert_eq!(next, total, "{total} requests, batches of {batch}, {threads} threads");
                }
            }
        }
    }

    #[test]
    fn what_a_thread_gives_back_is_sent_by_others() {
        let budget = Budget::new(100, 5, 1);
        let (mut lost, mut other) = (budget.share(), budget.share());
        let (first, second) = (lost.next_batch(5).unwrap(), lost.next_batch(5).unwrap());
        assert_eq!((first, second), (0..5, 5..10));
        let mut rest: Vec<Range<u64>> = std::iter::from_fn(|| other.next_batch(5)).collect();
        assert!(other.is_exhausted());
        lost.give_back(std::iter::once(5..10));
        assert!(!other.is_exhausted());
        rest.extend(std::iter::from_fn(|| other.next_batch(5)));
        assert!(other.is_exhausted() && lost.is_exhausted());
        assert_eq!(rest.iter().map(|batch| batch.end - batch.start).sum::<u64>(), 95);
    }

    /// A slow server shows it: a thread must not sit on work that another could do.
    #[test]
    fn few_requests_are_spread_over_threads() {
        let budget = Budget::new(20, 1, 4);
        let taken: Vec<u64> = (0..4).map(|_| budget.share().next_batch(1).unwrap().start).collect();
        assert_eq!(taken, [0, 1, 2, 3]);
    }
}
