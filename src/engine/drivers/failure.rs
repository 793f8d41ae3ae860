//! What goes wrong on a connection, in words.

use crate::recording::{ErrorKind, Failure};
use crate::resp::Malformed;
use crate::target::Endpoint;
use crate::target::control::in_words;
use crate::units::Nanos;
use std::io;

/// What an error of a socket means for a client of `endpoint`.
pub fn of_socket(error: &io::Error, endpoint: &Endpoint) -> Failure {
    use io::ErrorKind as Io;
    let (kind, message) = match error.kind() {
        Io::ConnectionRefused | Io::NotFound => {
            (ErrorKind::ConnectRefused, format!("cannot connect to {endpoint}: {}", in_words(error)))
        }
        Io::ConnectionReset | Io::ConnectionAborted | Io::BrokenPipe => {
            (ErrorKind::Reset, format!("{endpoint} reset the connection"))
        }
        Io::AddrNotAvailable => (
            ErrorKind::OutOfResources,
            format!(
                "no local port is free to connect to {endpoint}: closed connections hold theirs for a minute; \
                 keep connections alive (-k 1) or widen net.ipv4.ip_local_port_range"
            ),
        ),
        _ if error.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error()) => {
            (ErrorKind::OutOfResources, "too many open files; lower -c or raise the limit (ulimit -n)".to_owned())
        }
        Io::TimedOut => (ErrorKind::ConnectTimeout, format!("{endpoint} does not answer: {}", in_words(error))),
        _ => (ErrorKind::ConnectFailed, format!("connection to {endpoint}: {}", in_words(error))),
    };
    Failure { kind, message }
}

/// The other side ended the connection.
pub fn closed(endpoint: &Endpoint) -> Failure {
    Failure { kind: ErrorKind::Eof, message: format!("{endpoint} closed the connection") }
}

/// The server replied with an error: `line`, without its sign.
pub fn refused(line: &[u8], endpoint: &Endpoint) -> Failure {
    let message = format!("{endpoint} replied with an error: {}", String::from_utf8_lossy(line).trim_end());
    Failure { kind: ErrorKind::Reply, message }
}

pub fn malformed(error: &Malformed, endpoint: &Endpoint) -> Failure {
    Failure { kind: ErrorKind::Protocol, message: format!("{endpoint}: {error}") }
}

pub fn unasked(endpoint: &Endpoint) -> Failure {
    let message = format!("{endpoint} sent a reply that nobody had asked for");
    Failure { kind: ErrorKind::Protocol, message }
}

pub fn not_connected(endpoint: &Endpoint, after: Nanos) -> Failure {
    let message = format!("{endpoint}: no connection within {} s", after.as_secs());
    Failure { kind: ErrorKind::ConnectTimeout, message }
}

pub fn not_replied(endpoint: &Endpoint, after: Nanos) -> Failure {
    let message = format!("{endpoint} did not reply within {} s", after.as_secs());
    Failure { kind: ErrorKind::ReplyTimeout, message }
}

/// The system does not let us wait for sockets.
pub fn cannot_poll(error: &io::Error) -> Failure {
    Failure { kind: ErrorKind::OutOfResources, message: format!("cannot wait for sockets: {error}") }
}
