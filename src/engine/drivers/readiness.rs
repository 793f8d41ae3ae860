//! One readiness loop per load thread: each socket is registered once, and a batch costs one read and one write.
//!
//! redis-benchmark arms and disarms its poller around every request. Here the poller says once that a socket has
//! something to read, and is not spoken to again until the next wait.

use super::failure;
use super::stream::Stream;
use crate::engine::client::Client;
use crate::engine::connection::Connection;
use crate::engine::worker::Worker;
use crate::recording::Failure;
use crate::resp::Reply;
use crate::resp::scan::LINE_BYTES_MAX;
use crate::target::Endpoint;
use crate::units::Nanos;
use mio::{Events, Poll, Token};
use std::io;
use std::ops::Range;
use std::time::Duration;

/// Room for a whole line that was held back, and as much again of what comes behind it.
const BUFFER_BYTES: usize = 2 * LINE_BYTES_MAX;

/// Readiness that one wait brings home at the most.
const EVENTS_MAX: usize = 1024;

/// Connections in the making at one time: a listener's backlog is finite, and what it drops comes back a second later.
const CONNECTING_MAX: usize = 256;

/// The longest wait: how soon a thread sees that it is to stop, or that a reply is overdue.
const WAIT_MAX: Duration = Duration::from_millis(50);

/// Drives all clients of `worker` to their end.
pub fn drive(worker: &mut Worker) -> Result<(), Failure> {
    let poll = Poll::new().map_err(|error| failure::cannot_poll(&error));
    let mut pool = match poll {
        Ok(poll) => Pool::new(worker, poll),
        Err(error) => {
            worker.start_together();
            return Err(error);
        }
    };
    let connected = pool.connect_all();
    if connected.is_err() {
        pool.worker.common.failed.store(true, std::sync::atomic::Ordering::Relaxed);
    }
    // Waited for even after a failure: the other threads wait, too.
    let started = pool.worker.start_together();
    connected?;
    if started { pool.run() } else { Ok(()) }
}

/// The clients of one load thread.
struct Pool<'w, 'c> {
    worker: &'w mut Worker<'c>,
    poll: Poll,
    slots: Vec<Slot>,
    /// Read into by all connections in turn.
    buffer: Box<[u8]>,
    endpoint: &'c Endpoint,
    keep_alive: bool,
    connect_timeout: Nanos,
    reply_timeout: Nanos,
    /// Clients whose connection does not stand yet, before the start.
    unready: usize,
    /// Clients that have not sent their last request and read its reply.
    working: usize,
    next_sweep: Nanos,
}

/// A client and its connection.
struct Slot {
    stage: Stage,
    stream: Option<Stream>,
    connection: Connection,
    client: Client,
    /// The batch that a connection is being made for, when each has its own.
    next: Option<Range<u64>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Not connected, and not on the way.
    Closed,
    Connecting {
        since: Nanos,
    },
    Greeting {
        since: Nanos,
        replies_left: u32,
    },
    Open,
    /// Connected, with nothing left to send. What becomes of the connection does not matter any more.
    Done,
}

impl<'w, 'c> Pool<'w, 'c> {
    fn new(worker: &'w mut Worker<'c>, poll: Poll) -> Self {
        let plan = worker.common.plan;
        let slot = || Slot {
            stage: Stage::Closed,
            stream: None,
            connection: Connection::default(),
            client: Client::default(),
            next: None,
        };
        Pool {
            slots: std::iter::repeat_with(slot).take(worker.clients).collect(),
            poll,
            buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
            endpoint: &worker.common.target.endpoint,
            keep_alive: plan.keep_alive,
            connect_timeout: plan.connect_timeout,
            reply_timeout: plan.reply_timeout,
            unready: worker.clients,
            working: worker.clients,
            next_sweep: Nanos::ZERO,
            worker,
        }
    }

    /// Connects and greets with every client. Nothing else is sent.
    fn connect_all(&mut self) -> Result<(), Failure> {
        let mut events = Events::with_capacity(EVENTS_MAX);
        let mut opened = 0;
        while self.unready > 0 && !self.worker.common.is_halted() {
            let standing = self.slots.len() - self.unready;
            while opened < self.slots.len() && opened - standing < CONNECTING_MAX {
                self.open(opened)?;
                opened += 1;
            }
            self.turn(&mut events)?;
        }
        Ok(())
    }

    /// Sends requests until there are none left, and reads all replies.
    fn run(&mut self) -> Result<(), Failure> {
        let mut events = Events::with_capacity(EVENTS_MAX);
        for index in 0..self.slots.len() {
            let now = self.now();
            self.send(index, now)?;
        }
        while self.working > 0 && !self.worker.common.is_halted() {
            self.turn(&mut events)?;
        }
        Ok(())
    }

    #[inline]
    fn now(&self) -> Nanos {
        self.worker.common.clock.now()
    }

    /// Waits for readiness once, and serves every client that is ready.
    fn turn(&mut self, events: &mut Events) -> Result<(), Failure> {
        match self.poll.poll(events, Some(WAIT_MAX)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(failure::cannot_poll(&error)),
        }
        for event in &*events {
            let index = event.token().0;
            match self.slots[index].stage {
                Stage::Open => {
                    if event.is_writable() && self.slots[index].connection.has_unsent() {
                        self.flush(index)?;
                    }
                    if event.is_readable() {
                        self.receive(index, event.is_read_closed())?;
                    }
                }
                Stage::Connecting { since } => self.connected(index, since)?,
                Stage::Greeting { since, replies_left } => self.greeted(index, since, replies_left)?,
                Stage::Closed | Stage::Done => {}
            }
        }
        let now = self.now();
        self.worker.recorder.tick(now);
        if now >= self.next_sweep {
            self.sweep(now)?;
            self.next_sweep = now + Nanos::from(WAIT_MAX);
        }
        Ok(())
    }

    /// Begins to connect.
    fn open(&mut self, index: usize) -> Result<(), Failure> {
        let since = self.now();
        let stream = Stream::open(self.endpoint, self.poll.registry(), Token(index));
        let slot = &mut self.slots[index];
        slot.stream = Some(stream.map_err(|error| failure::of_socket(&error, self.endpoint))?);
        slot.connection = Connection::default();
        slot.stage = Stage::Connecting { since };
        Ok(())
    }

    /// Goes on once the connection stands: with the greeting, if there is one.
    fn connected(&mut self, index: usize, since: Nanos) -> Result<(), Failure> {
        let slot = &mut self.slots[index];
        let stream = slot.stream.as_mut().expect("a client that connects has a socket");
        match stream.is_connected() {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => return Err(failure::of_socket(&error, self.endpoint)),
        }
        if self.worker.greeting.replies == 0 {
            return self.stands(index, since);
        }
        slot.stage = Stage::Greeting { since, replies_left: self.worker.greeting.replies };
        slot.connection.keep_unsent(&self.worker.greeting.bytes);
        self.flush(index)
    }

    /// Reads replies to the greeting.
    fn greeted(&mut self, index: usize, since: Nanos, mut replies_left: u32) -> Result<(), Failure> {
        if self.slots[index].connection.has_unsent() {
            self.flush(index)?;
        }
        loop {
            let (held, read) = self.read(index)?;
            let Some(read) = read else { break };
            let bytes = &self.buffer[..held + read];
            let mut refusal = None;
            let taken = self.slots[index].connection.replies(bytes, |reply| {
                match reply {
                    Reply::Error(line) => refusal = Some(line.to_vec()),
                    Reply::Push => {}
                    _ => replies_left = replies_left.saturating_sub(1),
                }
                refusal.is_none()
            });
            if let Some(line) = refusal {
                return Err(self.refused(&line));
            }
            taken.map_err(|error| failure::malformed(&error, self.endpoint))?;
            if replies_left == 0 {
                return self.stands(index, since);
            }
        }
        self.slots[index].stage = Stage::Greeting { since, replies_left };
        Ok(())
    }

    /// The connection is ready for requests.
    fn stands(&mut self, index: usize, since: Nanos) -> Result<(), Failure> {
        let now = self.now();
        self.slots[index].stage = Stage::Open;
        self.worker.recorder.counts.connect.record(now - since, 1);
        if self.worker.started.is_none() {
            self.unready -= 1;
            return Ok(());
        }
        match self.slots[index].next.take() {
            Some(numbers) => self.send_batch(index, numbers, now),
            None => self.send(index, now),
        }
    }

    /// Sends the client's next batch. Without one, the client is done.
    #[inline]
    fn send(&mut self, index: usize, now: Nanos) -> Result<(), Failure> {
        let Some(numbers) = self.worker.share.next_batch() else {
            self.slots[index].stage = Stage::Done;
            self.working -= 1;
            return Ok(());
        };
        self.send_batch(index, numbers, now)
    }

    #[inline]
    fn send_batch(&mut self, index: usize, numbers: Range<u64>, now: Nanos) -> Result<(), Failure> {
        let count = numbers.end - numbers.start;
        let bytes = self.worker.batch.fill(numbers.start, count as usize);
        let slot = &mut self.slots[index];
        slot.client.sent(count, now);
        let counts = &mut self.worker.recorder.counts;
        counts.sent += count;
        counts.bytes_sent += bytes.len() as u64;
        let stream = slot.stream.as_mut().expect("a client that sends has a socket");
        match stream.write(bytes) {
            Ok(written) if written == bytes.len() => Ok(()),
            Ok(written) => {
                slot.connection.keep_unsent(&bytes[written..]);
                Ok(())
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                slot.connection.keep_unsent(bytes);
                self.flush(index)
            }
            Err(error) => Err(self.last_words(index, error)),
        }
    }

    /// Writes what did not fit.
    fn flush(&mut self, index: usize) -> Result<(), Failure> {
        let slot = &mut self.slots[index];
        let stream = slot.stream.as_mut().expect("a client that writes has a socket");
        while slot.connection.has_unsent() {
            match stream.write(slot.connection.unsent()) {
                Ok(written) => slot.connection.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.last_words(index, error)),
            }
        }
        Ok(())
    }

    /// Reads once into the buffer, behind what was held back: how much that was, and how much was read. None when
    /// there is nothing to read.
    #[inline]
    fn read(&mut self, index: usize) -> Result<(usize, Option<usize>), Failure> {
        let slot = &mut self.slots[index];
        let held = slot.connection.restore(&mut self.buffer);
        let stream = slot.stream.as_mut().expect("a client that reads has a socket");
        loop {
            match stream.read(&mut self.buffer[held..]) {
                Ok(0) => return Err(failure::closed(self.endpoint)),
                Ok(read) => return Ok((held, Some(read))),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    slot.connection.hold(&self.buffer[..held]);
                    return Ok((held, None));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failure::of_socket(&error, self.endpoint)),
            }
        }
    }

    /// Reads replies, and sends the next batch when all of this one are there. `closed` when the other side has said
    /// that nothing will follow.
    #[inline]
    fn receive(&mut self, index: usize, closed: bool) -> Result<(), Failure> {
        loop {
            let (held, read) = self.read(index)?;
            let Some(read) = read else { return Ok(()) };
            let now = self.now();
            let seen = held + read;
            let (replies, refusal) = self.scan(index, seen)?;
            let slot = &mut self.slots[index];
            let counts = &mut self.worker.recorder.counts;
            counts.bytes_received += read as u64;
            if replies > 0 {
                let Ok(latency) = slot.client.received(replies, now) else {
                    return Err(failure::unasked(self.endpoint));
                };
                counts.completed += replies;
                counts.service.record(latency, replies);
                self.worker.last_reply = now;
            }
            if let Some(line) = refusal {
                return Err(self.refused(&line));
            }
            if replies > 0 && slot.client.is_ready() {
                if !self.keep_alive {
                    return self.reopen(index);
                }
                self.send(index, now)?;
            }
            // A read that did not fill the buffer emptied the socket, and what comes later is told of anew. Only an end
            // that was told of together with the bytes before it would not be.
            if (seen < BUFFER_BYTES && !closed) || self.slots[index].stage == Stage::Done {
                return Ok(());
            }
        }
    }

    /// Counts the replies in the first `seen` bytes of the buffer, up to one that is an error.
    #[inline]
    fn scan(&mut self, index: usize, seen: usize) -> Result<(u64, Option<Vec<u8>>), Failure> {
        let (mut replies, mut refusal) = (0, None);
        let scanned = self.slots[index].connection.replies(&self.buffer[..seen], |reply| match reply {
            Reply::Value | Reply::Null => {
                replies += 1;
                true
            }
            Reply::Push => true,
            Reply::Error(line) => {
                refusal = Some(line.to_vec());
                false
            }
        });
        match scanned {
            Ok(()) => Ok((replies, refusal)),
            Err(error) => Err(failure::malformed(&error, self.endpoint)),
        }
    }

    /// Keep-alive is off: the next batch gets a connection of its own.
    fn reopen(&mut self, index: usize) -> Result<(), Failure> {
        let slot = &mut self.slots[index];
        slot.stream = None;
        slot.stage = Stage::Closed;
        // Drawn before the connection is made: others could take the last batch meanwhile, and leave a connection that
        // has nothing to send.
        slot.next = self.worker.share.next_batch();
        if slot.next.is_none() {
            self.working -= 1;
            return Ok(());
        }
        self.open(index)
    }

    /// Looks for whoever has waited too long.
    fn sweep(&mut self, now: Nanos) -> Result<(), Failure> {
        for slot in &self.slots {
            match slot.stage {
                Stage::Connecting { since } | Stage::Greeting { since, .. } if now - since > self.connect_timeout => {
                    return Err(failure::not_connected(self.endpoint, self.connect_timeout));
                }
                Stage::Open if slot.client.is_overdue(now, self.reply_timeout) => {
                    return Err(failure::not_replied(self.endpoint, self.reply_timeout));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Why a connection broke while we wrote: often the other side has said so before it hung up.
    fn last_words(&mut self, index: usize, error: io::Error) -> Failure {
        if let Ok((held, Some(read))) = self.read(index)
            && let Ok((_, Some(line))) = self.scan(index, held + read)
        {
            return self.refused(&line);
        }
        failure::of_socket(&error, self.endpoint)
    }

    /// Counts an error reply, with its code, wherever it was read.
    fn refused(&mut self, line: &[u8]) -> Failure {
        self.worker.recorder.counts.errors.count_reply(line);
        failure::refused(line, self.endpoint)
    }
}
