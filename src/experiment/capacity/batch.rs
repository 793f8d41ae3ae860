//! What a step went through for a second, or a fraction of it, and what of that stops a search.

use crate::recording::Latencies;
use crate::units::Nanos;
use serde::{Deserialize, Serialize};

/// Batches follow each other without gaps, and are of about the same length: at least three to a step.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    pub span: Nanos,
    /// Requests that fell due.
    pub offered: u64,
    /// Requests that were answered, and not by an error.
    pub completed: u64,
    pub errors: u64,
    /// Requests that were due and not sent at the end of the batch.
    pub unsent: u64,
    /// From due to reply.
    pub response: &'a Latencies,
    pub slip_ns_p99: Option<Nanos>,
    /// The share of time in which the busiest load thread ran, or waited for a processor.
    pub client_busy: Option<f64>,
    /// Keys that the server evicted.
    pub evicted: u64,
    /// How far the replica that is furthest behind is behind, in bytes of the replication stream.
    pub replica_lag_bytes: Option<u64>,
    /// Connections that were refused because the server has as many as it takes.
    pub clients_refused: u64,
}

/// What a server in production is not to be driven into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guards {
    /// A cache that evicts all the time, before any of our load, is not guarded against it.
    pub evictions: bool,
    pub replica_lag_bytes_max: Option<u64>,
}

impl Default for Guards {
    /// The lag is what a replica makes up for within a second or so on a slow network, and a sixteenth of what
    /// redis.conf advises as the hard limit of a replica's output buffer.
    fn default() -> Guards {
        Guards { evictions: true, replica_lag_bytes_max: Some(16 << 20) }
    }
}

/// What stopped a search although higher rates might keep the promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// Keys.
    Evicted(u64),
    /// Bytes.
    ReplicaLag(u64),
    /// Connections.
    ClientsRefused(u64),
}

impl Guards {
    /// What of `batch` is not to be gone on with.
    pub fn stopped_by(&self, batch: &Batch) -> Option<Guard> {
        let lag = batch.replica_lag_bytes.filter(|lag| self.replica_lag_bytes_max.is_some_and(|max| *lag > max));
        (self.evictions && batch.evicted > 0)
            .then_some(Guard::Evicted(batch.evicted))
            .or(lag.map(Guard::ReplicaLag))
            .or((batch.clients_refused > 0).then_some(Guard::ClientsRefused(batch.clients_refused)))
    }
}
