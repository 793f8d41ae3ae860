//! What goes wrong on a connection, in words.

use crate::recording::{ErrorKind, Failure};
use crate::resp::Malformed;
use crate::target::Endpoint;
use crate::target::control::in_words;
use crate::target::{SocketOptions, tls};
use crate::units::Nanos;
use std::io;

/// What an error of a socket that is being connected to `endpoint` means.
pub fn of_connecting(error: &io::Error, endpoint: &Endpoint, options: &SocketOptions) -> Failure {
    if error.kind() != io::ErrorKind::AddrNotAvailable {
        return of_socket(error, endpoint);
    }
    let message = match options.bind {
        Some(bind) => format!(
            "cannot connect to {endpoint} from {bind}: it is no address of this machine, or all of its ports are taken; \
             check --bind, keep connections alive (-k 1) or widen net.ipv4.ip_local_port_range"
        ),
        None => format!(
            "no local port is free to connect to {endpoint} (EADDRNOTAVAIL): closed connections hold theirs for a minute; \
             keep connections alive (-k 1), open fewer (-c, --connect-rate), connect from another address (--bind), \
             or widen net.ipv4.ip_local_port_range"
        ),
    };
    Failure { kind: ErrorKind::OutOfResources, message }
}

/// What an error in a handshake means.
pub fn of_handshake(error: &io::Error, endpoint: &Endpoint) -> Failure {
    let message = format!("cannot connect to {endpoint} over TLS: {}", tls::handshake_in_words(error));
    Failure { kind: ErrorKind::Tls, message }
}

/// What an error of a socket means for a client of `endpoint`.
pub fn of_socket(error: &io::Error, endpoint: &Endpoint) -> Failure {
    use io::ErrorKind as Io;
    if tls::inside(error).is_some() {
        return Failure { kind: ErrorKind::Tls, message: format!("{endpoint}: {}", tls::handshake_in_words(error)) };
    }
    let (kind, message) = match error.kind() {
        Io::ConnectionRefused | Io::NotFound => {
            (ErrorKind::ConnectRefused, format!("cannot connect to {endpoint}: {}", in_words(error)))
        }
        Io::ConnectionReset | Io::ConnectionAborted | Io::BrokenPipe => {
            (ErrorKind::Reset, format!("{endpoint} reset the connection"))
        }
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

/// How much of a server's words is told.
const SHOWN_BYTES_MAX: usize = 300;

/// The server replied with an error: `line`, without its sign.
pub fn refused(line: &[u8], endpoint: &Endpoint) -> Failure {
    // Whatever a server sends, it is one line of a reasonable length.
    let text: String = String::from_utf8_lossy(&line[..line.len().min(SHOWN_BYTES_MAX)])
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    let cut = if line.len() > SHOWN_BYTES_MAX { "…" } else { "" };
    let message = format!("{endpoint} replied with an error: {}{cut}{}", text.trim_end(), way_out(line));
    Failure { kind: ErrorKind::Reply, message }
}

/// What to do about errors that have but one cause.
fn way_out(line: &[u8]) -> &'static str {
    match line.split(|byte| *byte == b' ').next().unwrap_or_default() {
        // In a cluster that is known to be one, a redirection is followed.
        b"MOVED" | b"ASK" => "; it is a node of a cluster: add --cluster",
        b"CROSSSLOT" => "; put the same {tag} into all keys of the command",
        _ => "",
    }
}

/// What was read is not what was written; `told` says where.
pub fn wrong_value(told: &str, endpoint: &Endpoint) -> Failure {
    Failure { kind: ErrorKind::Verify, message: format!("{endpoint}: {told}") }
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

/// The server that was meant is now elsewhere, and a reply was still due.
pub fn moved_away(from: &Endpoint, to: &Endpoint) -> Failure {
    let message = format!("requests go to {to} now, and {from} had not replied");
    Failure { kind: ErrorKind::MovedAway, message }
}

/// Nobody got through for `after`.
pub fn given_up(after: Nanos, last: Option<Failure>) -> Failure {
    let last = last.unwrap_or(Failure { kind: ErrorKind::ConnectFailed, message: "no reply".to_owned() });
    let message = format!("given up after {} s without a reply: {}", after.as_secs(), last.message);
    Failure { message, ..last }
}

/// More is due than the server takes: `waiting` requests, for longer than `limit`.
pub fn overloaded(waiting: u64, limit: Nanos) -> Failure {
    let message = format!(
        "{waiting} requests wait for a free connection, for longer than {} s: more is asked for than the server, or -c, can do",
        limit.as_secs()
    );
    Failure { kind: ErrorKind::Overload, message }
}

/// The system does not let us wait for sockets.
pub fn cannot_poll(error: &io::Error) -> Failure {
    Failure { kind: ErrorKind::OutOfResources, message: format!("cannot wait for sockets: {error}") }
}
