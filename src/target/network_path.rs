//! What lies between this machine and a server: seen from both ends of one connection.

use super::control::Ends;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// The way to a server, with the evidence.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkPath {
    pub kind: PathKind,
    /// Our end of the connection, as this machine sees it.
    pub local: Option<SocketAddr>,
    /// The other end, as this machine sees it.
    pub peer: Option<SocketAddr>,
    /// Who is connected, as the server sees it.
    pub client: Option<String>,
    /// Its own end, as the server sees it.
    pub server: Option<String>,
    /// The `run_id` of each server that answered on one of several connections, the first in front. More than one when
    /// whatever lies between spreads connections over servers.
    pub servers_seen: Vec<String>,
}

/// What lies between.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathKind {
    /// Nothing: both ends see the same two addresses.
    Direct,
    /// The server's address is another than the one that was connected to, as behind the address of a service (DNAT).
    Service,
    /// Neither end sees the other: a TCP proxy, or both translations at once.
    Proxy,
    /// The server sees another client than us (SNAT).
    Snat,
    /// A socket in the file system.
    Socket,
    /// The server would not tell what it sees.
    #[default]
    Unknown,
}

impl NetworkPath {
    /// What `ends` of a socket and `client_info`, the server's reply to `CLIENT INFO`, say of the way between them.
    pub fn of(ends: Option<Ends>, client_info: Option<&str>) -> NetworkPath {
        let field = |name: &str| {
            let info = client_info?;
            info.split_whitespace().find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
        };
        // `addr` is also the end of `laddr`; fields are whole words, so they are told apart.
        let (client, server) = (field("addr"), field("laddr"));
        let same = |seen: &Option<String>, ours: SocketAddr| {
            seen.as_ref()
                .and_then(|seen| seen.parse::<SocketAddr>().ok())
                .map(|seen| canonical(seen) == canonical(ours))
        };
        let kind = match ends {
            None => PathKind::Socket,
            Some(Ends { local, peer }) => match (same(&client, local), same(&server, peer)) {
                (Some(true), Some(true)) => PathKind::Direct,
                (Some(true), Some(false)) => PathKind::Service,
                (Some(false), Some(true)) => PathKind::Snat,
                (Some(false), Some(false)) => PathKind::Proxy,
                _ => PathKind::Unknown,
            },
        };
        let (local, peer) = (ends.map(|ends| ends.local), ends.map(|ends| ends.peer));
        NetworkPath { kind, local, peer, client, server, servers_seen: Vec::new() }
    }

    /// Whether other connections may end at other servers.
    pub fn may_fan_out(&self) -> bool {
        matches!(self.kind, PathKind::Service | PathKind::Proxy)
    }
}

/// An IPv4 address that came in the clothes of IPv6 is the same address.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a connection looks like from both ends on five ways, as they were seen.
    #[test]
    fn the_way_is_told_from_what_both_ends_see() {
        for (local, peer, info, kind) in [
            (":52853", "10:7300", "addr=127.0.73.77:52853 laddr=127.0.73.10:7300", PathKind::Direct),
            (":59107", "50:7300", "addr=127.0.73.77:59107 laddr=127.0.73.11:7300", PathKind::Service),
            (":45987", "20:7300", "addr=127.0.73.20:51564 laddr=127.0.73.10:7300", PathKind::Proxy),
            (":58345", "12:7300", "addr=127.0.73.60:58345 laddr=127.0.73.12:7300", PathKind::Snat),
            (":58345", "12:7300", "id=3 name= age=0", PathKind::Unknown),
        ] {
            let ends = Ends {
                local: format!("127.0.73.77{local}").parse().unwrap(),
                peer: format!("127.0.73.{peer}").parse().unwrap(),
            };
            assert_eq!(NetworkPath::of(Some(ends), Some(info)).kind, kind, "{info}");
        }
        assert_eq!(NetworkPath::of(None, Some("addr=/tmp/s:0 laddr=/tmp/s:0")).kind, PathKind::Socket);
    }
}
