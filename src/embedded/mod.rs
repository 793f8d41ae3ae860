//! An in-process RESP server: the target of the quick start, and the ceiling that a load generator is calibrated on.
//!
//! One thread, one readiness loop, real data: what a SET stored a GET finds. It speaks RESP2, and RESP3 after `HELLO 3`.
//! It keeps nothing on disk and replicates nothing.
//!
//! A request passes through the files in this order: `event_loop` learns that a socket is ready, `connection` reads,
//! parses and in the end writes, `commands` look up what is asked for in one registry, `database` holds the keys, and
//! `reply` spells the answer. A server that is told to be slow or to fail asks its `behaviour` in between, and `alarm`
//! wakes it when a reply is due that it held back.

mod alarm;
mod arguments;
mod arrival;
mod behaviour;
mod commands;
mod connection;
mod database;
mod event_loop;
mod failure;
mod reply;
mod sorted_set;
mod state;
mod stream;
#[cfg(test)]
mod tests;

pub use behaviour::{Behaviours, Refused};

use event_loop::EventLoop;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stopper: Stopper,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Server {
    /// Listens on `address` (port 0 takes any free port) and serves from a thread of its own, named `embedded`.
    ///
    /// # Errors
    /// Those of binding the address, of the poller, and of starting a thread.
    pub fn start(address: SocketAddr) -> io::Result<Server> {
        Server::behaving(address, None)
    }

    /// Like [`Server::start`], for a server that does on purpose what `behaviours` say. Its thread keeps a processor busy
    /// for the last 60 µs before each reply that it holds back.
    ///
    /// # Errors
    /// Those of [`Server::start`].
    pub fn behaving(address: SocketAddr, behaviours: Option<Behaviours>) -> io::Result<Server> {
        let (event_loop, waker) = EventLoop::bind(address, behaviours)?;
        let address = event_loop.address();
        let thread = thread::Builder::new().name("embedded".to_owned()).spawn(move || event_loop.run())?;
        Ok(Server { address, stopper: Stopper(Arc::new(waker)), thread: Some(thread) })
    }

    /// Where the server listens, with the port it was given.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A handle that stops the server from elsewhere, such as from a signal handler's thread.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Stops the server, closes its connections, and returns when its thread has ended.
    ///
    /// # Errors
    /// Those of [`Server::wait`].
    pub fn stop(self) -> io::Result<()> {
        self.stopper.stop();
        self.wait()
    }

    /// Serves until a [`Stopper`] stops it.
    ///
    /// # Errors
    /// Those of the poller, which end the server early.
    pub fn wait(mut self) -> io::Result<()> {
        self.join()
    }

    fn join(&mut self) -> io::Result<()> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the embedded server panicked")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopper.stop();
        // Whoever wants to hear of an error calls `stop`.
        let _ = self.join();
    }
}

/// Stops a [`Server`] that someone else owns.
#[derive(Debug, Clone)]
pub struct Stopper(Arc<mio::Waker>);

impl Stopper {
    /// Asks the server to stop; it may still be running when this returns.
    pub fn stop(&self) {
        // Waking fails only when the poller is gone, and the server with it.
        let _ = self.0.wake();
    }
}
