//! A server as the user names it.

use super::secret::Secret;
use super::sockets::SocketOptions;
use super::tls::Tls;
use crate::resp::encode;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

/// How to reach a server and what it takes to get in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    pub address: Address,
    /// Which of the addresses of a name are meant.
    #[serde(default)]
    pub addresses: Addresses,
    /// Not a single server but the cluster that it is a part of.
    pub cluster: Option<Cluster>,
    /// Kept out of every document.
    #[serde(skip)]
    pub credentials: Option<Credentials>,
    pub database: u32,
    /// None is a plain connection.
    pub tls: Option<Tls>,
    #[serde(default)]
    pub sockets: SocketOptions,
    /// Addresses given by the user in place of the system's answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub look_up: Vec<KnownName>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Address {
    /// A name or a numeric address, IPv6 without brackets.
    Tcp { host: String, port: u16 },
    /// A socket in the file system.
    Unix { path: PathBuf },
    /// Whom the sentinels of a master say.
    Sentinel(Sentinels),
}

/// A group of servers that sentinels watch over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sentinels {
    /// Host and port of each.
    pub sentinels: Vec<(String, u16)>,
    pub master_name: String,
    pub role: Role,
    /// What it takes to be let in by the sentinels themselves. Kept out of every document.
    #[serde(skip)]
    pub credentials: Option<Credentials>,
}

/// Which servers of a group are meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    #[default]
    Master,
    Replica,
    Any,
}

/// What to do with a name that has several addresses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Addresses {
    /// Connect to the first that answers, as clients do.
    #[default]
    First,
    /// Spread the connections over all of them.
    All,
    /// Measure them one after the other.
    Each,
}

/// How a cluster is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    pub read_from: ReadFrom,
}

/// Which nodes of a cluster requests go to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadFrom {
    #[default]
    Primaries,
    Replicas,
    All,
}

/// A name and the addresses to take it for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownName {
    pub host: String,
    pub addresses: Vec<IpAddr>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The server's default user when None.
    pub user: Option<String>,
    pub password: Secret,
}

impl Credentials {
    /// Appends the AUTH request to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match &self.user {
            Some(user) => encode(&["AUTH", user, self.password.expose()], out),
            None => encode(&["AUTH", self.password.expose()], out),
        }
    }
}

impl Server {
    /// The server at `address`, with nothing else said of it.
    pub fn at(address: Address) -> Server {
        Server {
            address,
            addresses: Addresses::First,
            cluster: None,
            credentials: None,
            database: 0,
            tls: None,
            sockets: SocketOptions::default(),
            look_up: Vec::new(),
        }
    }

    /// The sentinels to ask for it, if it is to be asked for.
    pub fn sentinels(&self) -> Option<&Sentinels> {
        match &self.address {
            Address::Sentinel(sentinels) => Some(sentinels),
            _ => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp { host, port } => f.write_str(&host_port(host, *port)),
            Address::Unix { path } => write!(f, "{}", path.display()),
            Address::Sentinel(sentinels) => {
                write!(f, "{} '{}'", sentinels.role, sentinels.master_name)
            }
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Master => "master",
            Role::Replica => "replicas of",
            Role::Any => "any server of",
        })
    }
}

/// `host:port`, an IPv6 address in brackets.
pub fn host_port(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_address_is_shown_in_brackets() {
        assert_eq!(Address::Tcp { host: "::1".into(), port: 6379 }.to_string(), "[::1]:6379");
        assert_eq!(Address::Tcp { host: "redis".into(), port: 1 }.to_string(), "redis:1");
    }

    #[test]
    fn a_document_holds_no_credentials() {
        let credentials = Some(Credentials { user: Some("u".into()), password: Secret::new("hunter2") });
        let sentinels = Sentinels {
            sentinels: vec![("h".into(), 26379)],
            master_name: "mymaster".into(),
            role: Role::Master,
            credentials: credentials.clone(),
        };
        let server = Server { credentials, ..Server::at(Address::Sentinel(sentinels)) };
        let json = serde_json::to_string(&server).unwrap();
        assert!(json.contains("mymaster") && !json.contains("hunter2"), "{json}");
    }
}
