//! One client's connection: what it sent and was not understood yet, what it is owed and did not take yet.

use super::arguments::Arguments;
use super::commands;
use super::state::State;
use crate::resp::request::Parser;
use mio::event::Event;
use mio::net::TcpStream;
use std::io::{self, Read, Write};

const READ_BYTES: usize = 64 * 1024;

// A client that does not read its replies is not read from while it is owed more than this.
const UNSENT_BYTES_MAX: usize = 1024 * 1024;

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
        if self.owed(scratch) > 0 {
            self.flush(scratch)?;
        }
        if self.owed(scratch) < UNSENT_BYTES_MAX && !self.closing {
            if self.stalled {
                self.execute_received(scratch, state)?;
            } else if self.readable {
                self.read(scratch, state)?;
            }
        }
        self.flush(scratch)?;
        Ok(match self.owed(scratch) {
            0 if self.closing => Next::Close,
            owed if owed < UNSENT_BYTES_MAX && !self.closing && (self.stalled || self.readable) => Next::Again,
            _ => Next::Wait,
        })
    }

    fn read(&mut self, scratch: &mut Scratch, state: &mut State) -> io::Result<()> {
        let count = match self.stream.read(&mut scratch.input) {
            Ok(0) => {
                self.readable = false;
                self.closing = true;
                return Ok(());
            }
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.readable = false;
                return Ok(());
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error),
        };
        state.stats.input_bytes += count as u64;
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
                    if !arguments.is_empty() {
                        commands::dispatch(state, self.client, arguments, &mut scratch.output);
                    }
                    executed += length;
                }
                Ok(None) => {
                    self.parser = Some(Box::new(std::mem::take(&mut scratch.parser)));
                    break;
                }
                Err(malformed) => {
                    scratch.parser = Parser::default();
                    scratch.output.extend_from_slice(format!("-ERR {malformed}\r\n").as_bytes());
                    self.closing = true;
                    return Ok(bytes.len());
                }
            }
            if state.session(self.client).closing {
                self.closing = true;
                return Ok(bytes.len());
            }
            if self.owed(scratch) >= UNSENT_BYTES_MAX {
                self.flush(scratch)?;
                if self.owed(scratch) >= UNSENT_BYTES_MAX {
                    self.stalled = executed < bytes.len();
                    break;
                }
            }
        }
        Ok(executed)
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
