//! Sending requests, and reading replies: what a benchmark does all day.

use super::hear::{Fatal, Hearing, Scanned, Understanding};
use super::{BUFFER_BYTES, Pool, Stage};
use crate::engine::client::Answered;
use crate::engine::drivers::failure;
use crate::plan::PipelineMode;
use crate::recording::{ErrorKind, Failure};
use crate::units::Nanos;
use mio::event::Event;
use std::io;
use std::ops::Range;

/// Buffers that are read for one client before the others have their turn: a reply may be as long as memory, and one
/// that never ends must not keep us from seeing that it is late.
const READS_MAX: usize = 64;

/// How soon after a redirection to look whether servers have moved.
const REDIRECTED: Nanos = Nanos::from_millis(2);

impl Pool<'_, '_> {
    /// Serves a client that is ready to be read from, or written to.
    #[inline]
    pub(super) fn serve(&mut self, index: usize, event: &Event) -> Result<(), Failure> {
        if event.is_writable() {
            self.flush(index)?;
        }
        if event.is_readable() { self.receive(index, event.is_read_closed()) } else { Ok(()) }
    }

    /// The next requests that are to be sent, at most `room` of them. None when all are.
    #[inline]
    pub(super) fn next_batch(&mut self, room: u64) -> Option<Range<u64>> {
        match self.orphans.pop() {
            None => self.worker.share.next_batch(room),
            Some(mut orphan) => {
                if orphan.end - orphan.start > room {
                    self.orphans.push(orphan.start + room..orphan.end);
                    orphan.end = orphan.start + room;
                }
                Some(orphan)
            }
        }
    }

    /// Sends what the client has room for. When nothing is left, the client is done as soon as all is answered. Where
    /// there is a schedule to keep, it is free.
    #[inline]
    pub(super) fn send(&mut self, index: usize, now: Nanos) -> Result<(), Failure> {
        let room = self.room(index);
        if let Some(open_loop) = &mut self.worker.open_loop {
            if room >= self.arrival_len {
                open_loop.release(index);
            }
            return Ok(());
        }
        match self.next_batch(room) {
            Some(numbers) => self.send_batch(index, numbers, now),
            None => {
                if self.slots[index].client.is_ready() {
                    self.retire(index);
                }
                Ok(())
            }
        }
    }

    /// How many requests the client may send: whole sequences.
    #[inline]
    pub(super) fn room(&self, index: usize) -> u64 {
        let (batch, in_flight) = (&self.worker.batch, self.slots[index].client.in_flight());
        match in_flight {
            0 => batch.len() as u64,
            _ => {
                let sequence = batch.sequence_len() as u64;
                (batch.len() as u64).saturating_sub(in_flight) / sequence * sequence
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
        let (first, count) = (numbers.start, numbers.end - numbers.start);
        let slot = &mut self.slots[index];
        let batch = &mut self.worker.batch;
        let bytes = match self.places.slots(slot.place) {
            None => batch.fill(first, count as usize),
            Some(slots) => batch.fill_for(first, count as usize, slots),
        };
        slot.client.sent(numbers, now, due);
        slot.served += count;
        let is_open_loop = self.worker.open_loop.is_some();
        let counts = self.worker.recorder.at(due);
        if is_open_loop {
            counts.slip.get_or_insert_default().record(now - due, count);
        }
        counts.sent += count;
        counts.bytes_sent += bytes.len() as u64;
        if slot.connection.has_unsent() {
            // Behind what is still to be written of a batch before.
            slot.connection.keep_unsent(bytes);
            return self.flush(index);
        }
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
            if scanned.answered() > 0 {
                self.slots[index].attempts = 0;
                if let Some(done) = self.go_on(index, now) {
                    return done;
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

    /// What a client does whose requests were answered: it sends more, if it may. Says how it went when its connection
    /// is not to be read from any more.
    #[inline]
    fn go_on(&mut self, index: usize, now: Nanos) -> Option<Result<(), Failure>> {
        let slot = &mut self.slots[index];
        let is_ready = slot.client.is_ready();
        if slot.served >= self.lifetime {
            if is_ready {
                self.reopen(index);
                return Some(self.dial());
            }
            return None;
        }
        if !is_ready && self.pipeline_mode == PipelineMode::Batch {
            return None;
        }
        if self.think_time > Nanos::ZERO {
            self.timers.set(index, now + self.think_time);
            return None;
        }
        self.send(index, now).err().map(Err)
    }

    /// Counts what a read brought.
    #[inline]
    fn record(&mut self, index: usize, scanned: &Scanned, now: Nanos) -> Result<(), Failure> {
        if self.understands {
            self.record_each(index, now)?
        } else {
            self.record_alike(index, scanned, now)?
        }
        match &scanned.fatal {
            Some(Fatal::Refused(line)) => return Err(self.refused(index, line, now)),
            Some(Fatal::Wrong(told)) => return Err(failure::wrong_value(told, self.endpoint(index))),
            Some(Fatal::Unasked) => return Err(failure::unasked(self.endpoint(index))),
            None => {}
        }
        match &scanned.malformed {
            Some(error) => Err(failure::malformed(error, self.endpoint(index))),
            None => Ok(()),
        }
    }

    /// Counts replies that all answer one batch, and of which nothing more is to be known.
    #[inline]
    fn record_alike(&mut self, index: usize, scanned: &Scanned, now: Nanos) -> Result<(), Failure> {
        let replies = scanned.answered();
        if replies == 0 {
            return Ok(());
        }
        let answered = self.slots[index].client.answered(replies).ok().filter(|answered| answered.requests == replies);
        let Some(Answered { sent, began, .. }) = answered else {
            return Err(failure::unasked(self.endpoint(index)));
        };
        let counts = self.worker.recorder.at(began);
        counts.completed += scanned.replies;
        if scanned.replies > 0 {
            counts.service.record(now - sent, scanned.replies);
            if self.worker.open_loop.is_some() {
                counts.response.get_or_insert_default().record(now - began, scanned.replies);
            }
        }
        if self.worker.recorder.is_measured(began) {
            self.worker.last_reply = now;
        }
        Ok(())
    }

    /// Counts replies one by one: each may answer another command.
    fn record_each(&mut self, index: usize, now: Nanos) -> Result<(), Failure> {
        let answers = std::mem::take(&mut self.answers);
        let (commands, is_open_loop) = (self.worker.batch.commands().len(), self.worker.open_loop.is_some());
        let is_mix = self.worker.batch.is_mix();
        let mut rest = &answers[..];
        while !rest.is_empty() {
            let Ok(Answered { requests, sent, began }) = self.slots[index].client.answered(rest.len() as u64) else {
                return Err(failure::unasked(self.endpoint(index)));
            };
            let these;
            (these, rest) = rest.split_at(requests as usize);
            let completed = these.iter().filter(|answer| !answer.is_refused).count() as u64;
            let (service, response) = (now - sent, is_open_loop.then_some(now - began));
            let counts = self.worker.recorder.at(began);
            counts.completed += completed;
            if completed > 0 {
                counts.service.record(service, completed);
                if let Some(response) = response {
                    counts.response.get_or_insert_default().record(response, completed);
                }
            }
            for answer in these {
                counts.reads.add(answer.reads);
                if is_mix {
                    let command = answer.command as usize;
                    counts.of_commands(commands)[command].reads.add(answer.reads);
                    let tally = if answer.is_refused { &mut self.refused } else { &mut self.accepted };
                    tally[command] += 1;
                }
            }
            if is_mix {
                let tallies = self.accepted.iter_mut().zip(&mut self.refused);
                for (command, (accepted, refused)) in counts.of_commands(commands).iter_mut().zip(tallies) {
                    command.refused += std::mem::take(refused);
                    match std::mem::take(accepted) {
                        0 => {}
                        replies => command.complete(replies, service, response),
                    }
                }
            }
            if self.worker.recorder.is_measured(began) {
                self.worker.last_reply = now;
            }
        }
        // Its memory is used again.
        self.answers = answers;
        self.answers.clear();
        Ok(())
    }

    /// Hears the replies in the first `seen` bytes of the buffer, up to one that ends the run or the connection.
    #[inline]
    fn scan(&mut self, index: usize, seen: usize) -> Scanned {
        let slot = &mut self.slots[index];
        let mut hearing = Hearing {
            places: &self.places,
            directory: self.worker.common.directory,
            on_error: self.on_error,
            errors: &mut self.worker.recorder.at(slot.client.began()).errors,
            in_flight: slot.client.in_flight(),
            scanned: Scanned::default(),
        };
        let bytes = &self.buffer[..seen];
        let (heard, mut scanned) = if self.understands {
            let mut understanding =
                Understanding::new(hearing, &self.worker.batch, &slot.client, &mut self.answers, &mut self.keys);
            let heard = slot.connection.replies(bytes, &mut understanding);
            let (scanned, part) = understanding.end();
            slot.client.set_part(part);
            (heard, scanned)
        } else {
            (slot.connection.replies(bytes, &mut hearing), hearing.scanned)
        };
        scanned.malformed = heard.err();
        if scanned.redirected {
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
            if let (Err(said), Some(_)) = (recorded, &scanned.fatal) {
                return said;
            }
        }
        failure::of_socket(&error, self.endpoint(index))
    }

    /// Counts an error reply that ends a connection, with its code.
    #[cold]
    pub(super) fn refused(&mut self, index: usize, line: &[u8], now: Nanos) -> Failure {
        let began = self.slots[index].client.began();
        let is_answer = self.slots[index].client.answered(1).is_ok();
        let errors = &mut self.worker.recorder.at(if is_answer { began } else { now }).errors;
        // Without a request that it answers, it is the connection that the server refused.
        errors.count(if is_answer { ErrorKind::Reply } else { ErrorKind::ConnectFailed });
        errors.count_code(line);
        failure::refused(line, self.endpoint(index))
    }
}
