//! `-I`: connections that are opened and then say nothing.

use super::drivers::failure;
use super::drivers::stream::Stream;
use crate::recording::Failure;
use crate::target::Endpoint;
use mio::{Events, Poll, Token};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Opens `clients` connections to `endpoint` and holds them until `interrupted`. `report` is told how many stand,
/// whenever that changes.
///
/// # Errors
/// [`Failure`] when a connection cannot be made, or is closed by the other side.
pub fn hold(
    endpoint: &Endpoint,
    clients: usize,
    interrupted: &AtomicBool,
    mut report: impl FnMut(usize),
) -> Result<(), Failure> {
    let words = |error: io::Error| failure::of_socket(&error, endpoint);
    let mut poll = Poll::new().map_err(words)?;
    let mut events = Events::with_capacity(1024);
    let mut streams = Vec::with_capacity(clients);
    let mut standing = vec![false; clients];
    while !interrupted.load(Ordering::Relaxed) {
        for _ in 0..64.min(clients - streams.len()) {
            let token = Token(streams.len());
            streams.push(Stream::open(endpoint, poll.registry(), token).map_err(words)?);
        }
        match poll.poll(&mut events, Some(Duration::from_millis(50))) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(words(error)),
            _ => {}
        }
        for event in &events {
            let index = event.token().0;
            if !standing[index] {
                standing[index] = streams[index].is_connected().map_err(words)?;
            }
            if event.is_readable() && standing[index] {
                heard(&mut streams[index], endpoint)?;
            }
        }
        report(standing.iter().filter(|&&stands| stands).count());
    }
    Ok(())
}

/// An idle connection has nothing to hear but its end.
fn heard(stream: &mut Stream, endpoint: &Endpoint) -> Result<(), Failure> {
    let mut buffer = [0; 512];
    match stream.read(&mut buffer) {
        Ok(0) => Err(failure::closed(endpoint)),
        Ok(read) => {
            // The sign of an error reply is not part of its text.
            let line = &buffer[..read];
            Err(failure::refused(line.strip_prefix(b"-").unwrap_or(line), endpoint))
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(()),
        Err(error) => Err(failure::of_socket(&error, endpoint)),
    }
}
