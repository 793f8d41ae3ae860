//! Which socket is ready: the listener, the poller, and whose turn it is.

use super::connection::{Connection, Next, Scratch};
use super::state::State;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token, Waker};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

const LISTENER: Token = Token(0);
const STOP: Token = Token(1);
const FIRST_CLIENT: usize = 2;

// A load generator opens its connections all at once. The kernel cuts this down to net.core.somaxconn.
const BACKLOG: i32 = 4096;

// Without file descriptors for another connection, the listener is asked again after this long: descriptors can come
// free elsewhere in the process, of which the poller says nothing.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// Everything the server's thread starts from.
pub struct EventLoop {
    poll: Poll,
    listener: TcpListener,
    address: SocketAddr,
}

impl EventLoop {
    /// A loop that listens on `address`, and the waker that stops it.
    pub fn bind(address: SocketAddr) -> io::Result<(EventLoop, Waker)> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let mut listener = TcpListener::from_std(socket.into());
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let waker = Waker::new(poll.registry(), STOP)?;
        let address = listener.local_addr()?;
        Ok((EventLoop { poll, listener, address }, waker))
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the waker is woken.
    pub fn run(self) -> io::Result<()> {
        let EventLoop { mut poll, listener, address } = self;
        let mut clients = Clients { connections: Vec::new(), free: Vec::new(), again: Vec::new() };
        let mut state = State::new(address);
        let mut scratch = Scratch::default();
        let mut events = Events::with_capacity(1024);
        let mut accepting = true;
        let mut turns = Vec::new();
        loop {
            let timeout = match () {
                () if !clients.again.is_empty() => Some(Duration::ZERO),
                () if !accepting => Some(ACCEPT_RETRY),
                () => None,
            };
            match poll.poll(&mut events, timeout) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            }
            state.read_clock();
            // Those with more to read come before the newly ready, each once: no client starves another.
            std::mem::swap(&mut turns, &mut clients.again);
            for index in turns.drain(..) {
                clients.serve(index, &mut scratch, &mut state);
            }
            for event in &events {
                match event.token() {
                    LISTENER => accepting = false,
                    STOP => return Ok(()),
                    Token(token) => {
                        let index = token - FIRST_CLIENT;
                        if let Some(connection) = &mut clients.connections[index] {
                            connection.note(event);
                            clients.serve(index, &mut scratch, &mut state);
                        }
                    }
                }
            }
            if !accepting {
                accepting = clients.accept(&listener, &poll, &mut state);
            }
        }
    }
}

/// The open connections, each in the slot that its token and its session have too.
struct Clients {
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    /// Those who stopped for the sake of the others, and have more to read.
    again: Vec<usize>,
}

impl Clients {
    /// Accepts whoever waits. False when there may be more whom the process has no means to accept now.
    fn accept(&mut self, listener: &TcpListener, poll: &Poll, state: &mut State) -> bool {
        loop {
            let (mut stream, peer) = match listener.accept() {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(error) if is_of_the_peer(&error) => continue,
                Err(_) => return false,
            };
            let index = self.free.last().copied().unwrap_or(self.connections.len());
            let interest = Interest::READABLE | Interest::WRITABLE;
            // A peer that is gone already, or that can't be watched, loses its connection and nothing else.
            let watched = poll.registry().register(&mut stream, Token(index + FIRST_CLIENT), interest);
            if stream.set_nodelay(true).and(watched).is_err() {
                continue;
            }
            if self.free.pop().is_none() {
                self.connections.push(None);
            }
            state.open_session(index, peer);
            self.connections[index] = Some(Connection::new(stream, index));
        }
    }

    fn serve(&mut self, index: usize, scratch: &mut Scratch, state: &mut State) {
        let Some(connection) = &mut self.connections[index] else { return };
        match connection.serve(scratch, state) {
            Next::Wait => {}
            Next::Again => {
                if !connection.queued {
                    connection.queued = true;
                    self.again.push(index);
                }
            }
            Next::Close => {
                // Closing the socket takes it out of the poller, too. An event for it that was fetched already can only
                // reach its successor in the slot, as a false alarm.
                self.connections[index] = None;
                self.free.push(index);
                state.close_session(index);
            }
        }
    }
}

/// Whether a failed accept says something of one connection and nothing of the next.
fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}
