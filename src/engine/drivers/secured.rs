//! TLS over a socket, without waiting: rustls does the work, and is handed bytes as they come.

use crate::target::access::TlsAccess;
use mio::net::TcpStream;
use rustls::{ClientConnection, Error};
use std::io::{self, Read, Write};
use std::sync::Arc;

pub struct Secured {
    socket: TcpStream,
    session: ClientConnection,
}

impl Secured {
    pub fn new(socket: TcpStream, tls: &TlsAccess) -> io::Result<Secured> {
        let session = ClientConnection::new(Arc::clone(&tls.config), tls.name.clone()).map_err(failed)?;
        Ok(Secured { socket, session })
    }

    pub fn socket(&mut self) -> &mut TcpStream {
        &mut self.socket
    }

    /// Goes on with the handshake. True when it is done.
    pub fn shake_hands(&mut self) -> io::Result<bool> {
        loop {
            self.flush()?;
            if !self.session.is_handshaking() {
                return Ok(true);
            }
            match self.take_in() {
                Ok(0) => return Err(failed(Error::General("the other side hung up".to_owned()))),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads from the socket once, and makes sense of what came.
    fn take_in(&mut self) -> io::Result<usize> {
        let read = self.session.read_tls(&mut self.socket)?;
        if let Err(error) = self.session.process_new_packets() {
            // The other side is told why, if it still listens.
            let _ = self.flush();
            return Err(failed(error));
        }
        Ok(read)
    }

    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.session.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // A connection that is cut without a farewell has ended all the same.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
                done => return done,
            }
            if self.take_in()? == 0 {
                return Ok(0);
            }
            if self.session.wants_write() {
                self.flush()?;
            }
        }
    }

    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.session.writer().write(bytes)?;
        self.flush()?;
        match taken {
            0 if !bytes.is_empty() => Err(io::ErrorKind::WouldBlock.into()),
            taken => Ok(taken),
        }
    }

    pub fn holds_unwritten(&self) -> bool {
        self.session.wants_write()
    }

    pub fn flush(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut self.socket) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// What rustls says, as what a socket would say.
fn failed(error: Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
