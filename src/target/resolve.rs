//! From a server's name to an address that answers.

use super::control::{self, ControlError};
use super::facts::ServerFacts;
use super::server::{Address, Server};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;
use tokio::time::{Instant, timeout};

/// An address after look-up: what a client connects to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Tcp(address) => address.fmt(f),
            Endpoint::Unix(path) => path.display().fmt(f),
        }
    }
}

/// A server that was reached: where it is and what it says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The server in the user's words.
    pub name: String,
    pub endpoint: Endpoint,
    pub server: ServerFacts,
}

/// Why a server could not be reached, or would not let us in.
#[derive(Debug, Error)]
pub enum TargetError {
    #[error("cannot find {name}: {cause}; is the host name right?")]
    Lookup { name: String, cause: String },
    #[error("cannot find {name}: no answer to the look-up within {seconds} s; is the name server up?")]
    LookupTimeout { name: String, seconds: f64 },
    #[error("cannot reach {name}: {cause}; is the server up, and are host and port right?")]
    Unreachable { name: String, cause: String },
    #[error("cannot reach {name}: no connection within {seconds} s; is the address right, or a firewall in between?")]
    ConnectTimeout { name: String, seconds: f64 },
    #[error(
        "{name} took the connection but said nothing within {seconds} s; is it a Redis server, and is it not stalled?"
    )]
    Mute { name: String, seconds: f64 },
    #[error("{name} refused the password: {reply}")]
    Refused { name: String, reply: String },
    #[error("{name} asks for a password: {reply}; give it with -a or REDISCLI_AUTH")]
    PasswordNeeded { name: String, reply: String },
    #[error("{name} cannot switch to database {database}: {reply}")]
    Database { name: String, database: u32, reply: String },
    #[error("{name} does not speak the Redis protocol: {cause}")]
    NotRedis { name: String, cause: String },
}

/// Finds `server`, gets in, and asks it who it is: all within `patience`.
///
/// # Errors
/// [`TargetError`] when there is no such server, or none that lets us in. A server that would not tell its facts is no
/// error: the facts say why they are missing.
pub async fn resolve(server: &Server, patience: Duration) -> Result<Target, TargetError> {
    let name = server.address.to_string();
    let deadline = Instant::now() + patience;
    let endpoints = look_up(&server.address, patience).await?;
    let mut refused = None;
    for endpoint in endpoints {
        match control::introduce(&endpoint, server, deadline).await {
            Ok(facts) => return Ok(Target { name, endpoint, server: facts }),
            // Another address of the same name may well answer: `localhost` has two.
            Err(ControlError::Unreachable(cause)) => {
                refused = Some(TargetError::Unreachable { name: name.clone(), cause })
            }
            Err(error) => return Err(explain(error, name, server, patience)),
        }
    }
    Err(refused.unwrap_or(TargetError::Lookup { name, cause: "the name has no address".to_owned() }))
}

fn explain(error: ControlError, name: String, server: &Server, patience: Duration) -> TargetError {
    let seconds = patience.as_secs_f64();
    match error {
        ControlError::Unreachable(cause) => TargetError::Unreachable { name, cause },
        ControlError::ConnectTimeout => TargetError::ConnectTimeout { name, seconds },
        ControlError::Mute => TargetError::Mute { name, seconds },
        ControlError::Refused(reply) => TargetError::Refused { name, reply },
        ControlError::PasswordNeeded(reply) => TargetError::PasswordNeeded { name, reply },
        ControlError::Database(reply) => TargetError::Database { name, database: server.database, reply },
        ControlError::NotRedis(cause) => TargetError::NotRedis { name, cause },
    }
}

/// Every endpoint of a name, in the order of the system's resolver.
async fn look_up(address: &Address, patience: Duration) -> Result<Vec<Endpoint>, TargetError> {
    let (host, port) = match address {
        Address::Unix { path } => return Ok(vec![Endpoint::Unix(path.clone())]),
        Address::Tcp { host, port } => (host.as_str(), *port),
    };
    let name = address.to_string();
    match timeout(patience, tokio::net::lookup_host((host, port))).await {
        Ok(Ok(found)) => {
            let mut endpoints = Vec::new();
            for endpoint in found.map(Endpoint::Tcp) {
                if !endpoints.contains(&endpoint) {
                    endpoints.push(endpoint);
                }
            }
            Ok(endpoints)
        }
        Ok(Err(error)) => {
            // The library says "failed to lookup address information: Name or service not known".
            let text = error.to_string();
            let cause = text.rsplit(": ").next().unwrap_or(&text).to_owned();
            Err(TargetError::Lookup { name, cause })
        }
        Err(_) => Err(TargetError::LookupTimeout { name, seconds: patience.as_secs_f64() }),
    }
}
