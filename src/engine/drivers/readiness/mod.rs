//! One readiness loop per load thread: each socket is registered once, and a batch costs one read and one write.
//!
//! redis-benchmark arms and disarms its poller around every request. Here the poller says once that a socket has
//! something to read, and is not spoken to again until the next wait.
//!
//! A [`Pool`] is the clients of one thread. Its sides have a file each: [`connect`] brings connections about, [`load`]
//! sends requests and reads replies, [`pace`] keeps to a schedule where there is one, and [`lose`] decides what becomes of
//! a client whose connection is gone.

mod connect;
mod hear;
mod load;
mod lose;
mod pace;
mod places;
mod slot;

use super::alarm::{ALARM, Alarm};
use super::failure;
use super::stream::Stream;
use crate::engine::dialer::Dialer;
use crate::engine::timers::Timers;
use crate::engine::worker::{Greeting, Worker};
use crate::plan::{OnError, PipelineMode};
use crate::recording::Failure;
use crate::resp::scan::LINE_BYTES_MAX;
use crate::target::Endpoint;
use crate::units::{Draws, Nanos};
use hear::Answer;
use mio::{Events, Poll};
use places::Places;
use slot::{Slot, Stage};
use std::io;
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Room for a whole line that was held back, and as much again of what comes behind it.
const BUFFER_BYTES: usize = 2 * LINE_BYTES_MAX;

/// Readiness that one wait brings home at the most.
const EVENTS_MAX: usize = 1024;

/// The longest wait: how soon a thread sees that it is to stop, that a reply is overdue, or that a server has moved.
const WAIT_MAX: Duration = Duration::from_millis(50);

/// The longest turn that finds nothing to do. What takes longer was spent without a processor.
const SPUN_MAX: Nanos = Nanos(10_000);

/// How long a run that was stopped listens for replies: an answer to Ctrl-C is to be seen at once.
const HEAR_OUT: Duration = Duration::from_millis(200);

/// Drives all clients of `worker` to their end.
pub fn drive(worker: &mut Worker) -> Result<(), Failure> {
    let poll = Poll::new().and_then(|poll| {
        let alarm = worker.open_loop.as_ref().map(|_| Alarm::new(poll.registry()));
        Ok((poll, alarm.transpose()?))
    });
    let mut pool = match poll.map_err(|error| failure::cannot_poll(&error)) {
        Ok((poll, alarm)) => Pool::new(worker, poll, alarm),
        Err(error) => {
            worker.start_together();
            return Err(error);
        }
    };
    let connected = pool.connect_all();
    if connected.is_err() {
        pool.worker.common.failed.store(true, Ordering::Relaxed);
    }
    // Waited for even after a failure: the other threads wait, too.
    let started = pool.worker.start_together();
    connected?;
    let ran = if started { pool.run() } else { Ok(()) };
    pool.leave();
    ran
}

/// The clients of one load thread.
struct Pool<'w, 'c> {
    worker: &'w mut Worker<'c>,
    poll: Poll,
    slots: Vec<Slot>,
    /// Read into by all connections in turn.
    buffer: Box<[u8]>,
    places: Places,
    dialer: Dialer,
    timers: Timers,
    /// Wakes the poller to the microsecond. There when there is a schedule to keep.
    alarm: Option<Alarm>,
    /// Where waits before another try are drawn from.
    draws: Draws,
    on_error: OnError,
    pipeline_mode: PipelineMode,
    /// Requests that arrive together, in an open loop.
    arrival_len: u64,
    /// Whether each reply has to be brought together with its request.
    understands: bool,
    /// What the replies of a read said, and the keys of a request: memory that is used again and again.
    answers: Vec<Answer>,
    keys: Vec<u64>,
    /// Of each command of a mix, the replies of a read that are alike: one look at a histogram counts them all.
    accepted: Vec<u64>,
    refused: Vec<u64>,
    /// Requests that a connection is made for.
    lifetime: u64,
    think_time: Nanos,
    connect_timeout: Nanos,
    reply_timeout: Nanos,
    /// Clients that have not had their first connection, before the start.
    unready: usize,
    /// Clients that have not sent their last request and read its reply.
    working: usize,
    /// Batches that were drawn for a connection which then was not to be had.
    orphans: Vec<Range<u64>>,
    /// Since when there is nothing to do but to look for something. None while there is.
    idle_since: Option<Nanos>,
    /// Since when requests have waited for longer than they may.
    hopeless_since: Option<Nanos>,
    /// Clients with more to read than one turn has time for.
    unread: Vec<usize>,
    next_sweep: Nanos,
    /// When a client was last seen whose connection is good for something.
    heard: Nanos,
}

impl<'w, 'c> Pool<'w, 'c> {
    fn new(worker: &'w mut Worker<'c>, poll: Poll, alarm: Option<Alarm>) -> Self {
        let plan = worker.common.plan;
        let clients = worker.clients.len();
        // Threads share the rate.
        let rate = plan.connect_rate.map(|rate| crate::units::Rate(rate.0 / f64::from(plan.load_threads())));
        let mut pool = Pool {
            slots: std::iter::repeat_with(Slot::default).take(clients).collect(),
            poll,
            buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
            places: Places::of(worker.common.directory, &mut worker.batch),
            dialer: Dialer::new(rate),
            timers: Timers::default(),
            alarm,
            idle_since: None,
            hopeless_since: None,
            draws: worker.common.seed.child(worker.clients.start as u64).draws(0),
            on_error: plan.on_error,
            pipeline_mode: plan.pipeline_mode,
            arrival_len: worker.arrival_len(),
            understands: plan.pipeline_mode == PipelineMode::Window || worker.batch.has_to_be_understood(),
            answers: Vec::new(),
            keys: Vec::new(),
            accepted: vec![0; worker.batch.commands().len()],
            refused: vec![0; worker.batch.commands().len()],
            lifetime: plan.connection_lifetime(),
            think_time: plan.think_time,
            connect_timeout: plan.connect_timeout,
            reply_timeout: plan.reply_timeout,
            unready: clients,
            working: clients,
            orphans: Vec::new(),
            unread: Vec::new(),
            next_sweep: Nanos::ZERO,
            heard: worker.common.clock.now(),
            worker,
        };
        for index in 0..clients {
            pool.settle(index);
        }
        pool
    }

    /// The place in the roster that a client belongs to: they are dealt out over the places in turn.
    fn settle(&mut self, index: usize) {
        self.slots[index].place = self.places.of_client(self.worker.clients.start + index);
    }

    /// Opens the connection of every client, a few hundred at a time.
    fn connect_all(&mut self) -> Result<(), Failure> {
        let mut events = Events::with_capacity(EVENTS_MAX);
        for index in 0..self.slots.len() {
            if !self.adopt(index) {
                self.dialer.want(index);
            }
        }
        while self.unready > 0 && !self.worker.common.is_halted() {
            self.turn(&mut events)?;
        }
        Ok(())
    }

    /// Sends requests until there are none left, and reads all replies.
    fn run(&mut self) -> Result<(), Failure> {
        let mut events = Events::with_capacity(EVENTS_MAX);
        self.heard = self.now();
        for index in 0..self.slots.len() {
            if self.slots[index].stage == Stage::Open {
                let now = self.now();
                let sent = self.send(index, now);
                self.bear(index, sent)?;
            }
        }
        self.keep_pace()?;
        while self.working > 0 && !self.worker.common.is_halted() && !self.worker.is_over() {
            self.turn(&mut events)?;
        }
        if !self.worker.common.is_halted() {
            // Nothing is left, unless all clients of this thread are lost; those of others carry their share.
            self.worker.share.give_back(self.orphans.drain(..));
        }
        self.hear_out(&mut events)
    }

    /// Sends nothing more, and waits for the replies to what was sent: for a moment when the run was stopped, else for
    /// as long as replies are given.
    fn hear_out(&mut self, events: &mut Events) -> Result<(), Failure> {
        // Now, and not when the last reply has come, which finds clients free and nothing that they may send.
        self.count_unsent();
        self.worker.share.close();
        self.orphans.clear();
        let patience = if self.worker.common.is_halted() { Nanos::from(HEAR_OUT) } else { self.reply_timeout };
        let until = self.now() + patience;
        while self.slots.iter().any(|slot| slot.client.in_flight() > 0) && self.now() < until {
            self.turn(events)?;
        }
        Ok(())
    }

    /// What is still in flight when the run ends was sent, and nobody knows what becomes of it. Connections on which
    /// nothing is are left to whoever wants them.
    fn leave(&mut self) {
        self.leave_standing();
        self.count_unsent();
        for slot in &mut self.slots {
            self.worker.recorder.at(slot.client.began()).unknown += slot.client.abandon();
        }
    }

    #[inline]
    fn now(&self) -> Nanos {
        self.worker.common.clock.now()
    }

    /// Waits for readiness once, and serves every client that is ready.
    fn turn(&mut self, events: &mut Events) -> Result<(), Failure> {
        self.dial()?;
        let patience = self.patience()?;
        let spins = patience.is_zero() && self.unread.is_empty() && self.alarm.is_some();
        match self.poll.poll(events, Some(patience)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(failure::cannot_poll(&error)),
        }
        let woken = (!events.is_empty()).then(|| self.now());
        for event in &*events {
            if event.token() == ALARM {
                continue;
            }
            let index = event.token().0;
            let served = match self.slots[index].stage {
                Stage::Open => self.serve(index, event),
                Stage::Connecting { since } => self.connected(index, since),
                Stage::Securing { since, connected } => self.secured(index, since, connected),
                Stage::Greeting { since, replies_left } => self.greeted(index, since, replies_left),
                Stage::Closed | Stage::Done => Ok(()),
            };
            self.bear(index, served)?;
        }
        for index in std::mem::take(&mut self.unread) {
            if self.slots[index].stage == Stage::Open {
                // An end that was told of before would not be told of again.
                let received = self.receive(index, true);
                self.bear(index, received)?;
            }
        }
        let now = self.now();
        if let Some(woken) = woken {
            self.worker.recorder.turned(woken, now);
        }
        let idle_since = self.idle_since.take().filter(|_| spins && woken.is_none());
        if let Some(since) = idle_since {
            self.worker.spun((now - since).min(SPUN_MAX));
            self.idle_since = Some(now);
        }
        self.worker.recorder.tick(now);
        if self.worker.turn_page(now) {
            // What was drawn for one part is not sent in the next.
            self.orphans.clear();
            self.slots.iter_mut().for_each(|slot| slot.next = None);
        }
        while let Some(index) = self.timers.next(now) {
            let woken = self.woken(index, now);
            self.bear(index, woken)?;
        }
        self.keep_pace()?;
        if now >= self.next_sweep {
            self.sweep(now)?;
            self.next_sweep = now + Nanos::from(WAIT_MAX);
        }
        Ok(())
    }

    /// How long to wait for readiness: until somebody's moment comes.
    fn patience(&self) -> Result<Duration, Failure> {
        if !self.unread.is_empty() {
            return Ok(Duration::ZERO);
        }
        if let Some(alarm) = &self.alarm
            && self.sets_alarm(alarm)?
        {
            return Ok(Duration::ZERO);
        }
        let due = match (self.timers.due(), self.dialer.due()) {
            (None, None) => return Ok(WAIT_MAX),
            (one, other) => one.into_iter().chain(other).min().unwrap_or_default(),
        };
        // The poller counts in milliseconds, and rounds up.
        Ok(Duration::from(due - self.now()).min(WAIT_MAX))
    }

    /// A client's moment has come: it is to try again, or has thought enough.
    fn woken(&mut self, index: usize, now: Nanos) -> Result<(), Failure> {
        match self.slots[index].stage {
            Stage::Closed => self.dialer.want(index),
            Stage::Open if self.room(index) > 0 => return self.send(index, now),
            _ => {}
        }
        Ok(())
    }

    /// Looks for whoever has waited too long, and for servers that have moved.
    fn sweep(&mut self, now: Nanos) -> Result<(), Failure> {
        for index in 0..self.slots.len() {
            let slot = &self.slots[index];
            if slot.stage == Stage::Open && slot.attempts == 0 {
                self.heard = now;
            }
            if slot.stage.dialing_since().is_some_and(|since| now - since > self.connect_timeout) {
                let late = failure::not_connected(self.endpoint(index), self.connect_timeout);
                self.bear(index, Err(late))?;
            } else if slot.stage == Stage::Open && slot.client.is_overdue(now, self.reply_timeout) {
                let late = failure::not_replied(self.endpoint(index), self.reply_timeout);
                self.bear(index, Err(late))?;
            }
        }
        if self.places.version() != self.worker.common.directory.version() {
            self.move_along()?;
        }
        self.check_hope(now)?;
        self.check_overload(now)
    }

    /// Where a client is connected, or was about to be.
    fn endpoint(&self, index: usize) -> &Endpoint {
        let slot = &self.slots[index];
        slot.endpoint.as_ref().unwrap_or_else(|| self.places.endpoint(slot.place, slot.attempts))
    }

    fn greeting(&self, index: usize) -> &Greeting {
        match self.places.reads_a_copy(self.slots[index].place) {
            true => &self.worker.greetings.to_replica,
            false => &self.worker.greetings.to_primary,
        }
    }
}
