//! What a load thread counts of each command of a mix.

use super::latencies::Latencies;
use crate::units::Nanos;
use serde::{Deserialize, Serialize};

/// Reads by what they found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reads {
    /// Keys, or fields, that were there.
    pub hits: u64,
    pub misses: u64,
}

impl Reads {
    pub fn add(&mut self, other: Reads) {
        self.hits += other.hits;
        self.misses += other.misses;
    }

    pub fn total(self) -> u64 {
        self.hits + self.misses
    }

    /// The share of reads that found something, from 0 to 1. None when nothing was read.
    pub fn hit_rate(self) -> Option<f64> {
        (self.total() > 0).then(|| self.hits as f64 / self.total() as f64)
    }
}

/// Counts of one command over a stretch of time.
#[derive(Debug, Clone, Default)]
pub struct CommandCounts {
    /// Requests that got a reply which was not an error.
    pub completed: u64,
    /// Requests that were answered with an error.
    pub refused: u64,
    pub reads: Reads,
    /// Sent to reply received, per reply that was not an error.
    pub service: Latencies,
    /// Due to reply received. None in a closed loop.
    pub response: Option<Latencies>,
}

impl CommandCounts {
    /// Counts replies that came so long after their requests were sent, and in an open loop so long after they were due.
    #[inline]
    pub fn complete(&mut self, replies: u64, service: Nanos, response: Option<Nanos>) {
        self.completed += replies;
        self.service.record(service, replies);
        if let Some(response) = response {
            self.response.get_or_insert_default().record(response, replies);
        }
    }

    /// Forgets all counts, and keeps the memory of histograms.
    pub fn clear(&mut self) {
        let CommandCounts { mut service, mut response, .. } = std::mem::take(self);
        service.clear();
        response.iter_mut().for_each(Latencies::clear);
        *self = CommandCounts { service, response, ..CommandCounts::default() };
    }

    pub fn add(&mut self, other: &CommandCounts) {
        self.completed += other.completed;
        self.refused += other.refused;
        self.reads.add(other.reads);
        self.service.add(&other.service);
        if let Some(more) = other.response.as_ref().filter(|more| more.count() > 0) {
            self.response.get_or_insert_default().add(more);
        }
    }
}
