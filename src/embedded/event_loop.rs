//! Which socket is ready: the listener, the poller, and whose turn it is.

use super::alarm::Alarm;
use super::arrival;
use super::behaviour::{Behaviour, Behaviours, Wait};
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
const ALARM: Token = Token(2);
const FIRST_CLIENT: usize = 3;

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
    behaving: Option<(Behaviours, Alarm)>,
}

impl EventLoop {
    /// A loop that listens on `address`, and the waker that stops it.
    pub fn bind(address: SocketAddr, behaviours: Option<Behaviours>) -> io::Result<(EventLoop, Waker)> {
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
        let behaving = match behaviours {
            Some(behaviours) => Some((behaviours, Alarm::new(poll.registry(), ALARM)?)),
            None => None,
        };
        Ok((EventLoop { poll, listener, address, behaving }, waker))
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the waker is woken.
    pub fn run(self) -> io::Result<()> {
        let EventLoop { mut poll, listener, address, behaving } = self;
        let mut clients = Clients { connections: Vec::new(), free: Vec::new(), again: Vec::new() };
        let mut state = State::new(address);
        let mut alarm = None;
        if let Some((behaviours, timer)) = behaving {
            state.behaviour = Some(Box::new(Behaviour::new(behaviours)));
            alarm = Some(timer);
        }
        let mut scratch = Scratch::default();
        let mut events = Events::with_capacity(1024);
        let mut accepting = true;
        let mut turns = Vec::new();
        loop {
            let for_release = match &mut alarm {
                Some(alarm) => until_release(&mut state, alarm)?,
                None => None,
            };
            let timeout = match () {
                () if !clients.again.is_empty() => Some(Duration::ZERO),
                () if for_release.is_some() => for_release,
                () if !accepting => Some(ACCEPT_RETRY),
                () => None,
            };
            match poll.poll(&mut events, timeout) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            }
            state.read_clock();
            clients.release(&mut scratch, &mut state);
            // Those with more to read come before the newly ready, each once: no client starves another.
            std::mem::swap(&mut turns, &mut clients.again);
            for index in turns.drain(..) {
                clients.serve(index, &mut scratch, &mut state);
                clients.release(&mut scratch, &mut state);
            }
            for event in &events {
                match event.token() {
                    LISTENER => accepting = false,
                    STOP => return Ok(()),
                    // It has done its work.
                    ALARM => {}
                    Token(token) => {
                        let index = token - FIRST_CLIENT;
                        if let Some(connection) = &mut clients.connections[index] {
                            connection.note(event);
                            clients.serve(index, &mut scratch, &mut state);
                            clients.release(&mut scratch, &mut state);
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

/// The timeout to poll with in order to be there when the next reply is due that is held back.
fn until_release(state: &mut State, alarm: &mut Alarm) -> io::Result<Option<Duration>> {
    match state.behaviour.as_mut().map_or(Wait::ForOthers, |behaviour| behaviour.wait()) {
        Wait::ForOthers => Ok(None),
        Wait::For(span) => alarm.set(span),
        Wait::Spin => Ok(Some(Duration::ZERO)),
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
            let noted = if state.behaviour.is_some() { arrival::note(&stream) } else { Ok(()) };
            if stream.set_nodelay(true).and(watched).and(noted).is_err() {
                continue;
            }
            if self.free.pop().is_none() {
                self.connections.push(None);
            }
            state.open_session(index, peer);
            self.connections[index] = Some(Connection::new(stream, index));
        }
    }

    /// Gives a turn to those whose replies were held back and are due.
    #[inline]
    fn release(&mut self, scratch: &mut Scratch, state: &mut State) {
        while let Some(index) = state.behaviour.as_mut().and_then(|behaviour| behaviour.next_due()) {
            self.serve(index, scratch, state);
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
