//! A socket of either kind, without waiting.

use crate::target::Endpoint;
use mio::event::Source;
use mio::net::{TcpStream, UnixStream};
use mio::{Interest, Registry, Token};
use std::io::{self, Read, Write};

pub enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    /// Begins to connect to `endpoint`, and registers the socket, once and for all, under `token`.
    pub fn open(endpoint: &Endpoint, registry: &Registry, token: Token) -> io::Result<Stream> {
        let mut stream = match endpoint {
            Endpoint::Tcp(address) => Stream::Tcp(TcpStream::connect(*address)?),
            Endpoint::Unix(path) => Stream::Unix(UnixStream::connect(path)?),
        };
        stream.source().register(registry, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(stream)
    }

    fn source(&mut self) -> &mut dyn Source {
        match self {
            Stream::Tcp(stream) => stream,
            Stream::Unix(stream) => stream,
        }
    }

    /// Whether the connection stands by now.
    ///
    /// # Errors
    /// Why it will not.
    pub fn is_connected(&self) -> io::Result<bool> {
        match self {
            Stream::Tcp(stream) => {
                if let Some(error) = stream.take_error()? {
                    return Err(error);
                }
                match stream.peer_addr() {
                    Ok(_) => {
                        stream.set_nodelay(true)?;
                        Ok(true)
                    }
                    Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
                    Err(error) => Err(error),
                }
            }
            Stream::Unix(stream) => match stream.take_error()? {
                Some(error) => Err(error),
                None => Ok(true),
            },
        }
    }

    #[inline]
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(buffer),
            Stream::Unix(stream) => stream.read(buffer),
        }
    }

    #[inline]
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.write(bytes),
            Stream::Unix(stream) => stream.write(bytes),
        }
    }
}
