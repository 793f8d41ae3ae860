//! Keeping to a schedule: an arrival goes to whoever is free, and waits, with its due time, when nobody is.

use super::{Alarm, Pool, Stage};
use crate::engine::drivers::failure;
use crate::recording::Failure;
use crate::units::Nanos;

/// Shorter waits are spent spinning: falling asleep and waking up takes about as long.
const SPIN: Nanos = Nanos(50_000);

/// How much before its time an arrival wakes us, for the rest to be spun.
const EARLY: Nanos = Nanos(30_000);

/// How long requests wait for longer than they may before a run is ended: a stall is no overload.
const HOPELESS: Nanos = Nanos::from_secs(3);

impl Pool<'_, '_> {
    /// Sends what is due, as far as clients are free.
    #[inline]
    pub(super) fn keep_pace(&mut self) -> Result<(), Failure> {
        // What is due when the time is up is not sent any more, and is counted instead.
        let goes_on = self.worker.started.is_some() && !self.worker.is_over();
        if self.worker.open_loop.is_some() && goes_on { self.send_due() } else { Ok(()) }
    }

    fn send_due(&mut self) -> Result<(), Failure> {
        loop {
            let now = self.now();
            self.worker.fall_due(now);
            let open_loop = self.worker.open_loop.as_mut().expect("there is a schedule to keep");
            let Some(index) = open_loop.next_free() else {
                self.idle_since.get_or_insert(now);
                return Ok(());
            };
            let slot = &self.slots[index];
            // Its connection may have gone since it was free; then it comes back when it has another.
            if slot.stage != Stage::Open || self.room(index) < self.arrival_len {
                continue;
            }
            self.idle_since = None;
            let due = self.worker.open_loop.as_mut().expect("there is a schedule to keep").take();
            match self.worker.batch_due(due) {
                Some(numbers) => {
                    let sent = self.send_batch_due(index, numbers, now, due);
                    let goes_on = sent.is_ok() && self.slots[index].served < self.lifetime;
                    let has_room = goes_on && self.room(index) >= self.arrival_len;
                    if let (true, Some(open_loop)) = (has_room, &mut self.worker.open_loop) {
                        open_loop.release(index);
                    }
                    self.bear(index, sent)?;
                }
                None => {
                    self.retire_if_idle(index);
                    let open_loop = self.worker.open_loop.as_mut().expect("there is a schedule to keep");
                    let free: Vec<usize> = open_loop.dismiss().collect();
                    free.into_iter().for_each(|index| self.retire_if_idle(index));
                    return Ok(());
                }
            }
        }
    }

    fn retire_if_idle(&mut self, index: usize) {
        if self.slots[index].stage == Stage::Open && self.slots[index].client.is_ready() {
            self.retire(index);
        }
    }

    /// Sets the alarm for the next arrival, unless that is so near that there is no time to sleep: then true.
    pub(super) fn sets_alarm(&self, alarm: &Alarm) -> Result<bool, Failure> {
        let Some(open_loop) = self.worker.open_loop.as_ref().filter(|_| self.worker.started.is_some()) else {
            return Ok(false);
        };
        if open_loop.is_closed() {
            return Ok(false);
        }
        if self.worker.common.plan.spin {
            return Ok(true);
        }
        if !open_loop.has_free() {
            // Nothing can be sent before a reply is read, and of that the poller tells.
            return Ok(false);
        }
        let wait = open_loop.next_due() - self.now();
        if wait <= SPIN {
            return Ok(true);
        }
        alarm.set(wait - EARLY).map(|()| false).map_err(|error| failure::cannot_poll(&error))
    }

    /// Counts what was due in the part that counts and has not been sent, and ends the schedule.
    pub(super) fn count_unsent(&mut self) {
        if self.worker.started.is_none() {
            return;
        }
        self.worker.fall_due(self.now());
        let Some(open_loop) = &mut self.worker.open_loop else { return };
        let all_are_sent = self.worker.common.plan.requests().is_some() && self.worker.share.is_exhausted();
        for due in open_loop.close() {
            if !all_are_sent && self.worker.recorder.is_measured(due) {
                self.worker.recorder.at(due).unsent += self.arrival_len;
            }
        }
    }

    /// Ends a run that is asked for more than the server can do.
    pub(super) fn check_overload(&mut self, now: Nanos) -> Result<(), Failure> {
        let (Some(limit), Some(open_loop)) = (self.worker.common.plan.latency_limit, &self.worker.open_loop) else {
            return Ok(());
        };
        if open_loop.waiting_since().is_none_or(|since| now - since <= limit) {
            self.hopeless_since = None;
            return Ok(());
        }
        let since = *self.hopeless_since.get_or_insert(now);
        let waiting = open_loop.waiting() * self.arrival_len;
        if now - since > HOPELESS { Err(failure::overloaded(waiting, limit)) } else { Ok(()) }
    }
}
