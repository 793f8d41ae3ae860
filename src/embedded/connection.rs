//! One client's connection: what it sent and was not understood yet, what it is owed and did not take yet.

use super::arguments::Arguments;
use super::arrival;
use super::behaviour::{Fate, Held, Verdict};
use super::commands;
use super::state::State;
use crate::resp::request::Parser;
use crate::units::Nanos;
use mio::event::Event;
use mio::net::TcpStream;
use std::io::{self, Read, Write};

const READ_BYTES: usize = 64 * 1024;

// A client that does not read its replies is not read from while it is owed more than this.
const UNSENT_BYTES_MAX: usize = 1024 * 1024;

// Nor is one whose replies are held back, when they are this many: requests wait in the socket then, as they do before
// a server that is overloaded.
const HELD_BYTES_MAX: usize = 16 * 1024 * 1024;

// client-query-buffer-limit of redis-server.
const PARTIAL_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// Buffers that all connections take turns in, so that an idle one owns none.
pub struct Scratch {
    input: Box<[u8]>,
    output: Vec<u8>,
    parser: Parser,
}

impl Default for Scratch {
    fn default() -> Scratch {
        Scratch { input: vec![0; READ_BYTES].into(), output: Vec::new(), parser: Parser::default() }
    }
}

/// What a connection wants after its turn.
pub enum Next {
    Wait,
    Again,
    Close,
}

pub struct Connection {
    stream: TcpStream,
    client: usize,
    /// Received and not executed: part of a request, or whole ones while the client is owed too much.
    received: Vec<u8>,
    /// How far the parser got with `received`.
    parser: Option<Box<Parser>>,
    unsent: Vec<u8>,
    sent: usize,
    // Readiness is told once and stays true until the socket says otherwise.
    readable: bool,
    writable: bool,
    /// The peer has closed its side, so that a short read is not the end of what there is to read.
    read_closed: bool,
    /// `received` may hold whole requests.
    stalled: bool,
    /// Nothing more is read; what is unsent is still sent.
    closing: bool,
    /// When the last bytes were read, of a server that behaves.
    arrival: Nanos,
    /// Replies that are not due, which come after those in `unsent`.
    held: Option<Box<Held>>,
    /// Waits for a further turn already.
    pub queued: bool,
}

impl Connection {
    pub fn new(stream: TcpStream, client: usize) -> Connection {
        Connection {
            stream,
            client,
            received: Vec::new(),
            parser: None,
            unsent: Vec::new(),
            sent: 0,
            readable: false,
            writable: true,
            read_closed: false,
            stalled: false,
            closing: false,
            arrival: Nanos::ZERO,
            held: None,
            queued: false,
        }
    }

    /// Takes note of what the poller says.
    pub fn note(&mut self, event: &Event) {
        self.readable |= event.is_readable() || event.is_read_closed() || event.is_error();
        self.writable |= event.is_writable();
        self.read_closed |= event.is_read_closed() || event.is_error();
    }

    /// Reads once, executes what arrived whole, and writes once.
    pub fn serve(&mut self, scratch: &mut Scratch, state: &mut State) -> Next {
        self.queued = false;
        let turn = self.turn(scratch, state);
        scratch.output.clear();
        // One enormous reply must not stay in memory for ever.
        if scratch.output.capacity() > 4 * UNSENT_BYTES_MAX {
            scratch.output = Vec::new();
        }
        turn.unwrap_or(Next::Close)
    }

    fn turn(&mut self, scratch: &mut Scratch, state: &mut State) -> io::Result<Next> {
        if self.held.is_some() {
            self.release(scratch, state);
        }
        if self.owed(scratch) > 0 {
            self.flush(scratch)?;
        }
        if !self.is_owed_too_much(scratch) && !self.closing {
            if self.stalled {
                self.execute_received(scratch, state)?;
            } else if self.readable {
                self.read(scratch, state)?;
            }
        }
        self.flush(scratch)?;
        Ok(if self.closing {
            if self.owed(scratch) == 0 && self.holds_nothing() { Next::Close } else { Next::Wait }
        } else if !self.is_owed_too_much(scratch) && (self.stalled || self.readable) {
            Next::Again
        } else {
            Next::Wait
        })
    }

    fn read(&mut self, scratch: &mut Scratch, state: &mut State) -> io::Result<()> {
        let read = match &state.behaviour {
            None => self.stream.read(&mut scratch.input).map(|count| (count, Nanos::ZERO)),
            Some(_) => arrival::read(&mut self.stream, &mut scratch.input),
        };
        let (count, age) = match read {
            Ok((0, _)) => {
                self.readable = false;
                self.closing = true;
                return Ok(());
            }
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.readable = false;
                return Ok(());
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error),
        };
        state.stats.input_bytes += count as u64;
        if let Some(behaviour) = &mut state.behaviour {
            self.arrival = behaviour.read_clock() - age;
        }
        // A short read emptied the socket, and what comes later is told anew. Only the end of the stream may have been
        // told together with these bytes.
        self.readable = count == scratch.input.len() || self.read_closed;
        if !self.received.is_empty() {
            self.received.extend_from_slice(&scratch.input[..count]);
            return self.execute_received(scratch, state);
        }
        // The buffer steps aside so that the rest of `scratch` can be written to.
        let input = std::mem::take(&mut scratch.input);
        let executed = self.execute(&input[..count], scratch, state);
        if let Ok(executed) = executed {
            self.received.extend_from_slice(&input[executed..count]);
        }
        scratch.input = input;
        executed.map(|_| ())
    }

    fn execute_received(&mut self, scratch: &mut Scratch, state: &mut State) -> io::Result<()> {
        let received = std::mem::take(&mut self.received);
        let executed = self.execute(&received, scratch, state)?;
        if executed == 0 {
            self.received = received;
        } else {
            self.received.extend_from_slice(&received[executed..]);
        }
        if self.received.len() > PARTIAL_BYTES_MAX {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        Ok(())
    }

    /// Executes the whole requests at the front of `bytes`, and returns how many bytes they take.
    fn execute(&mut self, bytes: &[u8], scratch: &mut Scratch, state: &mut State) -> io::Result<usize> {
        self.stalled = false;
        if let Some(parser) = self.parser.take() {
            scratch.parser = *parser;
        }
        let mut executed = 0;
        while executed < bytes.len() {
            let request = &bytes[executed..];
            match scratch.parser.parse(request) {
                Ok(Some(length)) => {
                    let arguments = Arguments::new(request, scratch.parser.arguments());
                    if arguments.is_empty() {
                        // Nothing is asked for.
                    } else if state.behaviour.is_none() {
                        commands::dispatch(state, self.client, arguments, &mut scratch.output);
                    } else {
                        self.behave(arguments, &mut scratch.output, state);
                    }
                    executed += length;
                }
                Ok(None) => {
                    self.parser = Some(Box::new(std::mem::take(&mut scratch.parser)));
                    break;
                }
                Err(malformed) => {
                    scratch.parser = Parser::default();
                    let start = scratch.output.len();
                    scratch.output.extend_from_slice(format!("-ERR {malformed}\r\n").as_bytes());
                    if !self.holds_nothing() {
                        self.hold(Nanos::ZERO, start, &mut scratch.output, state);
                    }
                    self.closing = true;
                    return Ok(bytes.len());
                }
            }
            if state.session(self.client).closing {
                self.closing = true;
                return Ok(bytes.len());
            }
            if self.is_owed_too_much(scratch) {
                self.flush(scratch)?;
                if self.is_owed_too_much(scratch) {
                    self.stalled = executed < bytes.len();
                    break;
                }
            }
        }
        Ok(executed)
    }

    /// Executes a request of a server that behaves, and holds its reply back for as long as that takes.
    fn behave(&mut self, arguments: Arguments, out: &mut Vec<u8>, state: &mut State) {
        let start = out.len();
        let is_for_data = commands::is_for_data(state, arguments);
        let verdict = match &mut state.behaviour {
            Some(behaviour) if is_for_data => behaviour.judge(self.arrival),
            _ => Verdict { due: Nanos::ZERO, fate: Fate::Answer },
        };
        match verdict.fate {
            Fate::Answer => commands::dispatch(state, self.client, arguments, out),
            Fate::Fail(text) => commands::fail(state, self.client, arguments, text, out),
            // Those before it are answered; what came behind it is lost.
            Fate::Drop => state.session(self.client).closing = true,
        }
        if verdict.due > self.arrival || !self.holds_nothing() {
            self.hold(verdict.due, start, out, state);
        }
    }

    /// Takes the reply that begins at `start` out of `out`, until it is due and those before it are sent.
    fn hold(&mut self, due: Nanos, start: usize, out: &mut Vec<u8>, state: &mut State) {
        let due = self.held.get_or_insert_default().push(due, &out[start..]);
        out.truncate(start);
        if let (Some(due), Some(behaviour)) = (due, &mut state.behaviour) {
            behaviour.remember(due, self.client);
        }
    }

    /// Puts what is due into the output.
    fn release(&mut self, scratch: &mut Scratch, state: &mut State) {
        let (Some(held), Some(behaviour)) = (&mut self.held, &mut state.behaviour) else { return };
        while let Some((due, reply)) = held.pop(behaviour.now()) {
            behaviour.count_held(due);
            scratch.output.extend_from_slice(&reply);
        }
    }

    fn holds_nothing(&self) -> bool {
        self.held.as_ref().is_none_or(|held| held.is_empty())
    }

    /// Whether the client has to take replies, or to wait for some, before it is read from again.
    fn is_owed_too_much(&self, scratch: &Scratch) -> bool {
        self.owed(scratch) >= UNSENT_BYTES_MAX || self.held.as_ref().is_some_and(|held| held.bytes() >= HELD_BYTES_MAX)
    }

    /// How many bytes of replies the client has not taken.
    fn owed(&self, scratch: &Scratch) -> usize {
        self.unsent.len() - self.sent + scratch.output.len()
    }

    /// Writes what is owed as far as the socket takes it, and keeps the rest.
    fn flush(&mut self, scratch: &mut Scratch) -> io::Result<()> {
        if self.unsent.is_empty() {
            let written = write(&mut self.stream, &mut self.writable, &scratch.output)?;
            if written < scratch.output.len() {
                self.unsent.extend_from_slice(&scratch.output[written..]);
            }
        } else {
            self.unsent.extend_from_slice(&scratch.output);
            self.sent += write(&mut self.stream, &mut self.writable, &self.unsent[self.sent..])?;
            if self.sent == self.unsent.len() {
                self.unsent = Vec::new();
                self.sent = 0;
            } else if self.sent > self.unsent.len() / 2 {
                self.unsent.drain(..self.sent);
                self.sent = 0;
            }
        }
        scratch.output.clear();
        Ok(())
    }
}

/// Writes until all of `bytes` is written or the socket takes no more, and returns how much was written.
fn write(stream: &mut TcpStream, writable: &mut bool, bytes: &[u8]) -> io::Result<usize> {
    let mut written = 0;
    while *writable && written < bytes.len() {
        match stream.write(&bytes[written..]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => *writable = false,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(written)
}
