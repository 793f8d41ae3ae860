//! A server as the user names it.

use super::secret::Secret;
use crate::resp::encode;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// How to reach a server and what it takes to get in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    pub address: Address,
    /// Kept out of every document.
    #[serde(skip)]
    pub credentials: Option<Credentials>,
    pub database: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Address {
    /// A name or a numeric address, IPv6 without brackets.
    Tcp { host: String, port: u16 },
    /// A socket in the file system.
    Unix { path: PathBuf },
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

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Address::Tcp { host, port } => write!(f, "{host}:{port}"),
            Address::Unix { path } => write!(f, "{}", path.display()),
        }
    }
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
        let server = Server {
            address: Address::Tcp { host: "h".into(), port: 1 },
            credentials: Some(Credentials { user: Some("u".into()), password: Secret::new("hunter2") }),
            database: 0,
        };
        assert!(!serde_json::to_string(&server).unwrap().contains("hunter2"));
    }
}
