//! `-I`: connections that are opened and then say nothing.

use super::drivers::failure;
use super::drivers::stream::Stream;
use crate::recording::Failure;
use crate::target::{Directory, Endpoint};
use mio::{Events, Poll, Token};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A connection that says nothing.
struct Idle {
    stream: Stream,
    endpoint: Endpoint,
    is_connected: bool,
    stands: bool,
}

/// Opens `clients` connections to the servers in `directory` and holds them until `interrupted`. `report` is told how
/// many stand, whenever that changes.
///
/// # Errors
/// [`Failure`] when a connection cannot be made, or is closed by the other side.
pub fn hold(
    directory: &Directory,
    clients: usize,
    interrupted: &AtomicBool,
    mut report: impl FnMut(usize),
) -> Result<(), Failure> {
    let mut poll = Poll::new().map_err(|error| failure::cannot_poll(&error))?;
    let mut events = Events::with_capacity(1024);
    let mut idle: Vec<Idle> = Vec::with_capacity(clients);
    while !interrupted.load(Ordering::Relaxed) {
        for _ in 0..64.min(clients - idle.len()) {
            idle.push(open(directory, &poll, idle.len())?);
        }
        match poll.poll(&mut events, Some(Duration::from_millis(50))) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(failure::cannot_poll(&error)),
            _ => {}
        }
        for event in &events {
            idle[event.token().0].attend(directory, event.is_readable())?;
        }
        report(idle.iter().filter(|idle| idle.stands).count());
    }
    Ok(())
}

fn open(directory: &Directory, poll: &Poll, index: usize) -> Result<Idle, Failure> {
    let roster = directory.roster();
    let node = &roster.nodes[index % roster.nodes.len()];
    let endpoint = node.endpoints[0].clone();
    let options = &directory.access.server.sockets;
    // A name that no certificate could be for was refused before.
    let tls = directory.access.tls_to(node.host.as_deref(), &endpoint).ok().flatten();
    let stream = Stream::open(&endpoint, options, tls.as_ref(), poll.registry(), Token(index))
        .map_err(|error| failure::of_connecting(&error, &endpoint, options))?;
    Ok(Idle { stream, endpoint, is_connected: false, stands: false })
}

impl Idle {
    fn attend(&mut self, directory: &Directory, is_readable: bool) -> Result<(), Failure> {
        if !self.is_connected {
            let options = &directory.access.server.sockets;
            let connected = self.stream.is_connected();
            self.is_connected = connected.map_err(|error| failure::of_connecting(&error, &self.endpoint, options))?;
        }
        if self.is_connected && !self.stands {
            let done = self.stream.shake_hands();
            self.stands = done.map_err(|error| failure::of_handshake(&error, &self.endpoint))?;
        }
        if self.stands && is_readable { self.hear() } else { Ok(()) }
    }

    /// An idle connection has nothing to hear but its end.
    fn hear(&mut self) -> Result<(), Failure> {
        let mut buffer = [0; 512];
        match self.stream.read(&mut buffer) {
            Ok(0) => Err(failure::closed(&self.endpoint)),
            Ok(read) => {
                // The sign of an error reply is not part of its text.
                let line = &buffer[..read];
                Err(failure::refused(line.strip_prefix(b"-").unwrap_or(line), &self.endpoint))
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(()),
            Err(error) => Err(failure::of_socket(&error, &self.endpoint)),
        }
    }
}
