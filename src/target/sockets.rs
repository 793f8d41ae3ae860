//! How sockets are made: where they come from, and how they are kept.

use serde::{Deserialize, Serialize};
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Options of every TCP connection that is made, of the load and beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketOptions {
    /// Send at once, and do not wait for more to send.
    pub nodelay: bool,
    pub keepalive: Option<KeepAlive>,
    /// The address to connect from. None leaves it to the system.
    pub bind: Option<IpAddr>,
}

/// When the system asks whether the other side is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeepAlive {
    /// Silence before the first probe, in seconds.
    pub idle_secs: u32,
    /// Between probes, in seconds. None is the system's default.
    pub interval_secs: Option<u32>,
    /// Probes without an answer before the connection is given up. None is the system's default.
    pub count: Option<u32>,
}

impl Default for SocketOptions {
    fn default() -> SocketOptions {
        SocketOptions { nodelay: true, keepalive: None, bind: None }
    }
}

impl SocketOptions {
    /// A socket that does not block, ready to be connected to `address`.
    pub fn socket(&self, address: &SocketAddr) -> io::Result<Socket> {
        let kind = Type::STREAM.nonblocking().cloexec();
        let socket = Socket::new(Domain::for_address(*address), kind, Some(Protocol::TCP))?;
        if self.nodelay {
            socket.set_tcp_nodelay(true)?;
        }
        if let Some(keepalive) = &self.keepalive {
            socket.set_tcp_keepalive(&keepalive.parameters())?;
        }
        if let Some(bind) = self.bind {
            socket.bind(&SocketAddr::new(bind, 0).into())?;
        }
        Ok(socket)
    }
}

impl KeepAlive {
    fn parameters(&self) -> TcpKeepalive {
        let mut parameters = TcpKeepalive::new().with_time(Duration::from_secs(self.idle_secs.into()));
        if let Some(interval) = self.interval_secs {
            parameters = parameters.with_interval(Duration::from_secs(interval.into()));
        }
        if let Some(count) = self.count {
            parameters = parameters.with_retries(count);
        }
        parameters
    }
}
