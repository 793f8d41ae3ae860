//! A socket of either kind, plain or secured, without waiting.

use super::secured::Secured;
use crate::target::access::TlsAccess;
use crate::target::{Endpoint, SocketOptions};
use mio::event::Source;
use mio::net::{TcpStream, UnixStream};
use mio::{Interest, Registry, Token};
use std::io::{self, Read, Write};

pub enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    // Behind a pointer: it is large, and the others are not to grow for it.
    Secured(Box<Secured>),
}

impl Stream {
    /// Begins to connect to `endpoint`, and registers the socket, once and for all, under `token`.
    pub fn open(
        endpoint: &Endpoint,
        options: &SocketOptions,
        tls: Option<&TlsAccess>,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Stream> {
        let mut stream = match endpoint {
            Endpoint::Tcp(address) => {
                let socket = options.socket(address)?;
                match socket.connect(&(*address).into()) {
                    Err(error) if error.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {
                        return Err(error);
                    }
                    _ => {}
                }
                let stream = TcpStream::from_std(socket.into());
                match tls {
                    Some(tls) => Stream::Secured(Box::new(Secured::new(stream, tls)?)),
                    None => Stream::Tcp(stream),
                }
            }
            Endpoint::Unix(path) => Stream::Unix(UnixStream::connect(path)?),
        };
        stream.source().register(registry, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(stream)
    }

    /// Registers a connection that stands with another poller, after [`Stream::release`].
    pub fn adopt(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        self.source().register(registry, token, Interest::READABLE | Interest::WRITABLE)
    }

    /// Takes leave of its poller.
    pub fn release(&mut self, registry: &Registry) -> io::Result<()> {
        self.source().deregister(registry)
    }

    fn source(&mut self) -> &mut dyn Source {
        match self {
            Stream::Tcp(stream) => stream,
            Stream::Unix(stream) => stream,
            Stream::Secured(stream) => stream.socket(),
        }
    }

    /// Whether the connection stands by now.
    ///
    /// # Errors
    /// Why it will not.
    pub fn is_connected(&mut self) -> io::Result<bool> {
        let stream = match self {
            Stream::Tcp(stream) => stream,
            Stream::Secured(stream) => stream.socket(),
            Stream::Unix(stream) => return stream.take_error()?.map_or(Ok(true), Err),
        };
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
        match stream.peer_addr() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Goes on with the handshake of a connection that stands. True when there is none, or it is done.
    pub fn shake_hands(&mut self) -> io::Result<bool> {
        match self {
            Stream::Tcp(_) | Stream::Unix(_) => Ok(true),
            Stream::Secured(stream) => stream.shake_hands(),
        }
    }

    /// Whether there can be more to read after a read that did not fill its buffer.
    #[inline]
    pub fn reads_in_records(&self) -> bool {
        matches!(self, Stream::Secured(_))
    }

    /// Whether bytes that were taken are still to be written.
    pub fn holds_unwritten(&self) -> bool {
        match self {
            Stream::Tcp(_) | Stream::Unix(_) => false,
            Stream::Secured(stream) => stream.holds_unwritten(),
        }
    }

    /// Writes what it holds, as far as the socket takes it.
    pub fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Tcp(_) | Stream::Unix(_) => Ok(()),
            Stream::Secured(stream) => stream.flush(),
        }
    }

    #[inline]
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(buffer),
            Stream::Unix(stream) => stream.read(buffer),
            Stream::Secured(stream) => stream.read(buffer),
        }
    }

    #[inline]
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.write(bytes),
            Stream::Unix(stream) => stream.write(bytes),
            Stream::Secured(stream) => stream.write(bytes),
        }
    }
}
