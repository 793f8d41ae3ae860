//! From a host name to the addresses that it has.

use super::error::{TargetError, rounded};
use super::resolve::Endpoint;
use super::server::{KnownName, host_port};
use std::net::SocketAddr;
use tokio::time::{Instant, timeout_at};

/// Every address of `host`, each once, in the order of the system's resolver, or as the user gave them.
///
/// # Errors
/// [`TargetError`] when nobody knows the name, or nobody answers before `deadline`.
pub async fn look_up(
    host: &str,
    port: u16,
    known: &[KnownName],
    deadline: Instant,
) -> Result<Vec<Endpoint>, TargetError> {
    if let Some(known) = known.iter().find(|known| known.host.eq_ignore_ascii_case(host)) {
        return Ok(each_once(known.addresses.iter().map(|address| SocketAddr::new(*address, port))));
    }
    let name = host_port(host, port);
    let patience = deadline.saturating_duration_since(Instant::now());
    match timeout_at(deadline, tokio::net::lookup_host((host, port))).await {
        Ok(Ok(found)) => match each_once(found) {
            none if none.is_empty() => Err(TargetError::Lookup { name, cause: "the name has no address".to_owned() }),
            endpoints => Ok(endpoints),
        },
        Ok(Err(error)) => {
            // The library says "failed to lookup address information: Name or service not known".
            let text = error.to_string();
            let cause = text.rsplit(": ").next().unwrap_or(&text).to_owned();
            Err(TargetError::Lookup { name, cause })
        }
        Err(_) => Err(TargetError::LookupTimeout { name, seconds: rounded(patience) }),
    }
}

fn each_once(found: impl Iterator<Item = SocketAddr>) -> Vec<Endpoint> {
    let mut endpoints = Vec::new();
    for endpoint in found.map(Endpoint::Tcp) {
        if !endpoints.contains(&endpoint) {
            endpoints.push(endpoint);
        }
    }
    endpoints
}
