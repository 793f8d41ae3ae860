//! Bringing connections about: dialing, TLS, and the greeting.

use super::{Pool, Slot, Stage};
use crate::engine::connection::{Connection, Each};
use crate::engine::drivers::failure;
use crate::engine::drivers::standing::Kept;
use crate::engine::drivers::stream::Stream;
use crate::recording::Failure;
use crate::resp::Reply;
use crate::units::Nanos;
use mio::Token;
use std::io;

/// Reads for a greeting: its replies are a few short lines, though messages may come between.
const READS_MAX: usize = 64;

impl Pool<'_, '_> {
    /// Begins to connect whoever's turn it is.
    pub(super) fn dial(&mut self) -> Result<(), Failure> {
        while let Some(index) = self.dialer.next(self.now()) {
            let opened = self.open(index);
            self.bear(index, opened)?;
        }
        Ok(())
    }

    fn open(&mut self, index: usize) -> Result<(), Failure> {
        let since = self.now();
        let slot = &mut self.slots[index];
        slot.stage = Stage::Connecting { since };
        let endpoint = self.places.endpoint(slot.place, slot.attempts);
        let directory = self.worker.common.directory;
        let tls = self.places.tls(directory, slot.place, endpoint);
        let options = &directory.access.server.sockets;
        let stream = Stream::open(endpoint, options, tls.as_ref(), self.poll.registry(), Token(index));
        slot.endpoint = Some(endpoint.clone());
        slot.stream = Some(stream.map_err(|error| failure::of_connecting(&error, endpoint, options))?);
        slot.connection = Connection::default();
        slot.served = 0;
        Ok(())
    }

    /// Takes over the connection that an earlier run left for this client, if it is good for anything still.
    pub(super) fn adopt(&mut self, index: usize) -> bool {
        let client = self.worker.clients.start + index;
        let Some(Kept { mut stream, endpoint }) = self.worker.common.standing.and_then(|them| them.take(client)) else {
            return false;
        };
        let is_there = self.places.is_at(self.slots[index].place, &endpoint)
            && stream.adopt(self.poll.registry(), Token(index)).is_ok();
        // Whoever was silent so far has neither hung up nor said what nobody asked for.
        let is_silent = is_there
            && matches!(stream.read(&mut self.buffer), Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        if is_silent {
            let slot = &mut self.slots[index];
            (slot.stream, slot.endpoint, slot.stage) = (Some(stream), Some(endpoint), Stage::Open);
            self.be_ready(index);
        }
        is_silent
    }

    /// Leaves connections to the next run, where there is to be one.
    pub(super) fn leave_standing(&mut self) {
        let Some(standing) = self.worker.common.standing.filter(|_| self.lifetime == u64::MAX) else { return };
        for (index, slot) in self.slots.iter_mut().enumerate() {
            let is_idle = slot.client.in_flight() == 0 && slot.connection.is_idle();
            let (Stage::Open | Stage::Done, true, Some(endpoint)) = (slot.stage, is_idle, slot.endpoint.take()) else {
                continue;
            };
            if let Some(mut stream) = slot.stream.take().filter(|stream| !stream.holds_unwritten())
                && stream.release(self.poll.registry()).is_ok()
            {
                standing.keep(self.worker.clients.start + index, Kept { stream, endpoint });
            }
        }
    }

    /// Goes on once the connection stands.
    pub(super) fn connected(&mut self, index: usize, since: Nanos) -> Result<(), Failure> {
        let slot = &mut self.slots[index];
        match slot.stream().is_connected() {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => {
                let options = &self.worker.common.directory.access.server.sockets;
                return Err(failure::of_connecting(&error, self.endpoint(index), options));
            }
        }
        let connected = self.now();
        self.slots[index].stage = Stage::Securing { since, connected };
        self.secured(index, since, connected)
    }

    /// Goes on with the handshake, if there is one, and from there with the greeting, if there is one.
    pub(super) fn secured(&mut self, index: usize, since: Nanos, connected: Nanos) -> Result<(), Failure> {
        let stream = self.slots[index].stream();
        let secured = stream.reads_in_records();
        match stream.shake_hands() {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => return Err(failure::of_handshake(&error, self.endpoint(index))),
        }
        if secured {
            let took = self.now() - connected;
            self.worker.recorder.at(since).handshake.get_or_insert_default().record(took, 1);
        }
        let replies_left = self.greeting(index).replies;
        if replies_left == 0 {
            return self.stands(index, since);
        }
        let bytes = self.greeting(index).bytes.clone();
        let slot = &mut self.slots[index];
        slot.stage = Stage::Greeting { since, replies_left };
        slot.connection.keep_unsent(&bytes);
        self.flush(index)?;
        // A secured stream may have taken in the reply already: the socket will not tell of it again.
        if secured { self.greeted(index, since, replies_left) } else { Ok(()) }
    }

    /// Reads replies to the greeting.
    pub(super) fn greeted(&mut self, index: usize, since: Nanos, mut replies_left: u32) -> Result<(), Failure> {
        self.flush(index)?;
        for reads in 1.. {
            let (held, read) = self.read(index)?;
            let Some(read) = read else { break };
            if reads > READS_MAX {
                return Err(failure::unasked(self.endpoint(index)));
            }
            let bytes = &self.buffer[..held + read];
            let mut refusal = None;
            let mut listener = Each(|reply: Reply| {
                match reply {
                    Reply::Error(line) => refusal = Some(line.to_vec()),
                    Reply::Push => {}
                    _ => replies_left = replies_left.saturating_sub(1),
                }
                refusal.is_none()
            });
            let taken = self.slots[index].connection.replies(bytes, &mut listener);
            if let Some(line) = refusal {
                return Err(self.refused(index, &line, self.now()));
            }
            taken.map_err(|error| failure::malformed(&error, self.endpoint(index)))?;
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
        self.dialer.done();
        self.worker.recorder.at(since).connect.record(now - since, 1);
        self.be_ready(index);
        if self.worker.started.is_none() {
            return Ok(());
        }
        match self.slots[index].next.take() {
            Some(numbers) => self.send_batch(index, numbers, now),
            None => self.send(index, now),
        }
    }

    /// The start need not wait for this client any more.
    pub(super) fn be_ready(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        if !slot.is_ready {
            slot.is_ready = true;
            self.unready -= 1;
        }
    }

    /// The connection has served its time: the next batch gets one of its own.
    pub(super) fn reopen(&mut self, index: usize) {
        let next = if self.worker.open_loop.is_none() { self.next_batch(self.room(index)) } else { None };
        let slot = &mut self.slots[index];
        slot.stream = None;
        slot.stage = Stage::Closed;
        // Drawn before the connection is made: others could take the last batch meanwhile, and leave a connection that
        // has nothing to send.
        slot.next = next;
        if slot.next.is_none() && self.worker.open_loop.is_none() {
            self.retire(index);
        } else if self.think_time > Nanos::ZERO {
            self.timers.set(index, self.now() + self.think_time);
        } else {
            self.dialer.want(index);
        }
    }
}

impl Slot {
    pub(super) fn stream(&mut self) -> &mut Stream {
        self.stream.as_mut().expect("a client that is connecting, or connected, has a socket")
    }
}
