//! Sending requests, and reading replies: what a benchmark does all day.

use super::{BUFFER_BYTES, Pool, Stage};
use crate::engine::drivers::failure;
use crate::plan::OnError;
use crate::recording::{ErrorKind, Failure};
use crate::resp::{Malformed, Reply};
use crate::units::Nanos;
use mio::event::Event;
use std::io;
use std::ops::Range;

/// Buffers that are read for one client before the others have their turn: a reply may be as long as memory, and one
/// that never ends must not keep us from seeing that it is late.
const READS_MAX: usize = 64;

/// How soon after a redirection to look whether servers have moved.
const REDIRECTED: Nanos = Nanos::from_millis(2);

/// What a read brought.
#[derive(Default)]
struct Scanned {
    /// Replies that are no error.
    replies: u64,
    /// Replies that are, of which the run goes on.
    refused: u64,
    /// The reply that ends it.
    fatal: Option<Vec<u8>>,
    /// Bytes behind which nothing makes sense.
    malformed: Option<Malformed>,
}

impl Pool<'_, '_> {
    /// Serves a client that is ready to be read from, or written to.
    #[inline]
    pub(super) fn serve(&mut self, index: usize, event: &Event) -> Result<(), Failure> {
        if event.is_writable() {
            self.flush(index)?;
        }
        if event.is_readable() { self.receive(index, event.is_read_closed()) } else { Ok(()) }
    }

    /// The next batch that is to be sent. None when all are.
    #[inline]
    pub(super) fn next_batch(&mut self) -> Option<Range<u64>> {
        if self.orphans.is_empty() { self.worker.share.next_batch() } else { self.orphans.pop() }
    }

    /// Sends the client's next batch. Without one, the client is done. Where there is a schedule to keep, it is free.
    #[inline]
    pub(super) fn send(&mut self, index: usize, now: Nanos) -> Result<(), Failure> {
        if let Some(open_loop) = &mut self.worker.open_loop {
            open_loop.release(index);
            return Ok(());
        }
        match self.next_batch() {
            Some(numbers) => self.send_batch(index, numbers, now),
            None => {
                self.retire(index);
                Ok(())
            }
        }
    }

    #[inline]
    pub(super) fn send_batch(&mut self, index: usize, numbers: Range<u64>, now: Nanos) -> Result<(), Failure> {
        self.send_batch_due(index, numbers, now, now)
    }

    #[inline]
    pub(super) fn send_batch_due(
        &mut self,
        index: usize,
        numbers: Range<u64>,
        now: Nanos,
        due: Nanos,
    ) -> Result<(), Failure> {
        let count = numbers.end - numbers.start;
        let slot = &mut self.slots[index];
        let batch = &mut self.worker.batch;
        let bytes = match self.places.slots(slot.place) {
            None => batch.fill(numbers.start, count as usize),
            Some(slots) => batch.fill_for(numbers.start, count as usize, slots),
        };
        slot.client.sent(count, now, due);
        slot.served += count;
        let is_open_loop = self.worker.open_loop.is_some();
        let counts = self.worker.recorder.at(due);
        if is_open_loop {
            counts.slip.get_or_insert_default().record(now - due, count);
        }
        counts.sent += count;
        counts.bytes_sent += bytes.len() as u64;
        let stream = slot.stream.as_mut().expect("a client that sends has a socket");
        match stream.write(bytes) {
            Ok(written) if written == bytes.len() => Ok(()),
            Ok(written) => {
                slot.connection.keep_unsent(&bytes[written..]);
                self.flush(index)
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                slot.connection.keep_unsent(bytes);
                self.flush(index)
            }
            // Some of it may have left this machine, of a secured stream in particular: to send it once more on another
            // connection could do it twice.
            Err(error) => Err(self.last_words(index, error)),
        }
    }

    /// Writes what did not fit.
    #[inline]
    pub(super) fn flush(&mut self, index: usize) -> Result<(), Failure> {
        let slot = &self.slots[index];
        let holds = slot.stream.as_ref().is_some_and(super::Stream::holds_unwritten);
        if slot.connection.has_unsent() || holds { self.write_unsent(index) } else { Ok(()) }
    }

    fn write_unsent(&mut self, index: usize) -> Result<(), Failure> {
        let slot = &mut self.slots[index];
        let stream = slot.stream.as_mut().expect("a client that writes has a socket");
        let mut written = stream.flush();
        while written.is_ok() && slot.connection.has_unsent() {
            match stream.write(slot.connection.unsent()) {
                Ok(taken) => slot.connection.advance(taken),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => written = Err(error),
            }
        }
        written.map_err(|error| self.last_words(index, error))
    }

    /// Reads once into the buffer, behind what was held back: how much that was, and how much was read. None when
    /// there is nothing to read.
    #[inline]
    pub(super) fn read(&mut self, index: usize) -> Result<(usize, Option<usize>), Failure> {
        let slot = &mut self.slots[index];
        let held = slot.connection.restore(&mut self.buffer);
        let stream = slot.stream.as_mut().expect("a client that reads has a socket");
        loop {
            match stream.read(&mut self.buffer[held..]) {
                Ok(0) => return Err(failure::closed(self.endpoint(index))),
                Ok(read) => return Ok((held, Some(read))),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    slot.connection.hold(&self.buffer[..held]);
                    return Ok((held, None));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failure::of_socket(&error, self.endpoint(index))),
            }
        }
    }

    /// Reads replies, and sends the next batch when all of this one are there. `closed` when the other side has said
    /// that nothing will follow.
    #[inline]
    pub(super) fn receive(&mut self, index: usize, closed: bool) -> Result<(), Failure> {
        for _ in 0..READS_MAX {
            let (held, read) = self.read(index)?;
            let Some(read) = read else { return Ok(()) };
            let now = self.now();
            let seen = held + read;
            let began = self.slots[index].client.began();
            self.worker.recorder.at(began).bytes_received += read as u64;
            let scanned = self.scan(index, seen);
            self.record(index, &scanned, now)?;
            let slot = &mut self.slots[index];
            if scanned.replies + scanned.refused > 0 && slot.client.is_ready() {
                slot.attempts = 0;
                if slot.served >= self.lifetime {
                    self.reopen(index);
                    return self.dial();
                }
                if self.think_time > Nanos::ZERO {
                    self.timers.set(index, now + self.think_time);
                } else {
                    self.send(index, now)?;
                }
            }
            let slot = &self.slots[index];
            // A read that did not fill the buffer emptied the socket, and what comes later is told of anew. Only an end
            // that was told of together with the bytes before it would not be, and a secured stream holds more.
            let emptied = seen < BUFFER_BYTES && !closed && !slot.stream.as_ref().is_some_and(|s| s.reads_in_records());
            if emptied || slot.stage == Stage::Done {
                return Ok(());
            }
        }
        self.unread.push(index);
        Ok(())
    }

    /// Counts what a read brought.
    #[inline]
    fn record(&mut self, index: usize, scanned: &Scanned, now: Nanos) -> Result<(), Failure> {
        let slot = &mut self.slots[index];
        let began = slot.client.began();
        let counts = self.worker.recorder.at(began);
        let replies = scanned.replies + scanned.refused;
        if replies > 0 {
            let Ok(latency) = slot.client.received(replies, now) else {
                return Err(failure::unasked(self.endpoint(index)));
            };
            counts.completed += scanned.replies;
            if scanned.replies > 0 {
                counts.service.record(latency, scanned.replies);
                if self.worker.open_loop.is_some() {
                    let counts = self.worker.recorder.at(began);
                    counts.response.get_or_insert_default().record(now - began, scanned.replies);
                }
            }
            if self.worker.recorder.is_measured(began) {
                self.worker.last_reply = now;
            }
        }
        if let Some(line) = &scanned.fatal {
            return Err(self.refused(index, line, now));
        }
        match &scanned.malformed {
            Some(error) => Err(failure::malformed(error, self.endpoint(index))),
            None => Ok(()),
        }
    }

    /// Counts the replies in the first `seen` bytes of the buffer, up to one that ends the run or the connection.
    #[inline]
    fn scan(&mut self, index: usize, seen: usize) -> Scanned {
        let (mut scanned, mut redirected) = (Scanned::default(), false);
        let slot = &mut self.slots[index];
        let in_flight = slot.client.in_flight();
        let (counts, places) = (self.worker.recorder.at(slot.client.began()), &self.places);
        let (on_error, directory) = (self.on_error, self.worker.common.directory);
        let taken = slot.connection.replies(&self.buffer[..seen], |reply| match reply {
            Reply::Value | Reply::Null => {
                scanned.replies += 1;
                true
            }
            Reply::Push => true,
            Reply::Error(line) => {
                let moved = places.is_cluster() && (line.starts_with(b"MOVED ") || line.starts_with(b"ASK "));
                redirected |= moved;
                if moved || line.starts_with(b"READONLY") {
                    directory.ask_again();
                }
                // One that nobody asked for is the server's last word on this connection, whatever the policy.
                let asked = scanned.replies + scanned.refused < in_flight;
                if asked && (moved || on_error != OnError::Abort) {
                    counts.errors.count_reply(line);
                    scanned.refused += 1;
                    return true;
                }
                scanned.fatal = Some(line.to_vec());
                false
            }
        });
        scanned.malformed = taken.err();
        if redirected {
            // Where to go instead is known in a moment: whoever looks for it then saves many a redirection.
            self.next_sweep = self.next_sweep.min(self.now() + REDIRECTED);
        }
        scanned
    }

    /// Why a connection broke while we wrote: often the other side has said so before it hung up.
    #[cold]
    fn last_words(&mut self, index: usize, error: io::Error) -> Failure {
        if let Ok((held, Some(read))) = self.read(index) {
            let scanned = self.scan(index, held + read);
            let recorded = self.record(index, &scanned, self.now());
            if let (Err(said), Some(_)) = (recorded, scanned.fatal) {
                return said;
            }
        }
        failure::of_socket(&error, self.endpoint(index))
    }

    /// Counts an error reply that ends a connection, with its code.
    #[cold]
    pub(super) fn refused(&mut self, index: usize, line: &[u8], now: Nanos) -> Failure {
        let began = self.slots[index].client.began();
        let is_answer = self.slots[index].client.received(1, now).is_ok();
        let errors = &mut self.worker.recorder.at(if is_answer { began } else { now }).errors;
        // Without a request that it answers, it is the connection that the server refused.
        errors.count(if is_answer { ErrorKind::Reply } else { ErrorKind::ConnectFailed });
        errors.count_code(line);
        failure::refused(line, self.endpoint(index))
    }
}
