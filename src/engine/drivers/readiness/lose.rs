//! What becomes of a client whose connection is gone, by the policy of the plan.

use super::{Pool, Stage};
use crate::engine::backoff;
use crate::engine::connection::Connection;
use crate::engine::drivers::failure;
use crate::plan::OnError;
use crate::recording::{ErrorKind, Failure};
use crate::units::Nanos;

use super::places::Places;

impl Pool<'_, '_> {
    /// Bears what happened to a client: a failure costs it its connection, and costs the run what the policy says.
    #[inline]
    pub(super) fn bear(&mut self, index: usize, happened: Result<(), Failure>) -> Result<(), Failure> {
        match happened {
            Ok(()) => Ok(()),
            Err(failure) => self.lose(index, failure),
        }
    }

    #[cold]
    fn lose(&mut self, index: usize, failure: Failure) -> Result<(), Failure> {
        self.hang_up(index);
        let now = self.now();
        // Error replies are counted where they are read, with their code.
        if failure.kind != ErrorKind::Reply {
            self.worker.recorder.at(now).errors.count(failure.kind);
        }
        match self.on_error {
            OnError::Abort => return Err(failure),
            OnError::Continue => self.retire(index),
            OnError::Reconnect => self.try_again(index),
        }
        self.worker.last_failure = Some(failure);
        Ok(())
    }

    /// Gives the connection up. What was in flight on it was sent, and will not be answered.
    fn hang_up(&mut self, index: usize) {
        self.timers.cancel(index);
        let slot = &mut self.slots[index];
        let began = slot.client.began();
        self.worker.recorder.at(began).unknown += slot.client.abandon();
        if slot.stage.dialing_since().is_some() {
            self.dialer.done();
        }
        slot.stage = Stage::Closed;
        slot.stream = None;
        slot.endpoint = None;
        slot.connection = Connection::default();
        // Somebody else may have a connection for it.
        self.orphans.extend(slot.next.take());
        self.be_ready(index);
    }

    /// Tries again after a while, unless there is nothing left to do.
    fn try_again(&mut self, index: usize) {
        self.worker.common.directory.ask_again();
        if self.orphans.is_empty() && self.worker.share.is_exhausted() {
            return self.retire(index);
        }
        let slot = &mut self.slots[index];
        let wait = backoff::wait(slot.attempts, &mut self.draws);
        slot.attempts = slot.attempts.saturating_add(1);
        self.timers.set(index, self.now() + wait);
    }

    /// The client has nothing more to do.
    pub(super) fn retire(&mut self, index: usize) {
        if self.slots[index].stage != Stage::Done {
            self.slots[index].stage = Stage::Done;
            self.working -= 1;
        }
    }

    /// Ends a run that reconnects and has not got through for too long.
    pub(super) fn check_hope(&mut self, now: Nanos) -> Result<(), Failure> {
        let give_up = self.worker.common.plan.give_up;
        if self.on_error != OnError::Reconnect || self.working == 0 || now - self.heard <= give_up {
            return Ok(());
        }
        Err(failure::given_up(give_up, self.worker.last_failure.take()))
    }

    /// Takes note of servers that have moved: their clients go with them.
    pub(super) fn move_along(&mut self) -> Result<(), Failure> {
        self.places = Places::of(self.worker.common.directory, &mut self.worker.batch);
        for index in 0..self.slots.len() {
            self.settle(index);
            let slot = &self.slots[index];
            let Some(endpoint) = &slot.endpoint else { continue };
            if slot.stage == Stage::Done || self.places.is_at(slot.place, endpoint) {
                continue;
            }
            if slot.client.in_flight() > 0 && self.places.is_cluster() {
                // A node that gave slots away still answers what it was asked; then it is time to go.
                self.slots[index].served = u64::MAX;
            } else if slot.client.in_flight() > 0 {
                let moved = failure::moved_away(endpoint, self.places.endpoint(slot.place, 0));
                self.bear(index, Err(moved))?;
                // Whoever moved is known to be there.
                self.slots[index].attempts = 0;
            } else if slot.stage != Stage::Closed {
                // Nothing was lost.
                let next = self.slots[index].next.take();
                self.hang_up(index);
                self.slots[index].next = next;
                self.dialer.want(index);
            }
        }
        Ok(())
    }
}
