//! How many connections this process may open.

use rustix::process::{Resource, getrlimit, setrlimit};
use thiserror::Error;

/// Files that a run needs beside its connections: standard streams, pollers, the control connection, documents.
const SPARE: u64 = 64;

/// The system allows fewer open files than a run needs.
#[derive(Debug, Error)]
#[error(
    "{connections} connections need {needed} open files, but the hard limit is {limit}; lower -c, or raise the limit (ulimit -Hn {needed})"
)]
pub struct TooManyConnections {
    connections: u64,
    needed: u64,
    limit: u64,
}

/// Open files that a run with `connections` connections needs.
pub fn needed(connections: u64) -> u64 {
    connections.saturating_add(SPARE)
}

/// Open files that this process may have, and how far it may raise that itself. `u64::MAX` is without a limit.
pub fn open_files() -> (u64, u64) {
    let limit = getrlimit(Resource::Nofile);
    (limit.current.unwrap_or(u64::MAX), limit.maximum.unwrap_or(u64::MAX))
}

/// Raises the soft limit on open files as far as `connections` connections need.
///
/// # Errors
/// [`TooManyConnections`] when the hard limit stands in the way.
pub fn allow_connections(connections: u64) -> Result<(), TooManyConnections> {
    let needed = needed(connections);
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let refused = TooManyConnections { connections, needed, limit: limit.maximum.unwrap_or(u64::MAX) };
    if limit.maximum.is_some_and(|maximum| maximum < needed) {
        return Err(refused);
    }
    limit.current = Some(needed);
    setrlimit(Resource::Nofile, limit).map_err(|_| refused)
}
