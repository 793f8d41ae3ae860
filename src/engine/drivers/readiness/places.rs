//! The servers that the clients of a thread connect to, as the directory had them last.

use crate::target::access::TlsAccess;
use crate::target::{Directory, Endpoint, Node, Roster};
use crate::workload::{Batch, Slots};
use std::sync::Arc;

pub struct Places {
    roster: Arc<Roster>,
    version: u64,
    /// The slots of each place. None outside of a cluster.
    slots: Option<Vec<Slots>>,
    /// The places that requests go to: all of them, unless their keys belong to some alone.
    served: Vec<usize>,
}

impl Places {
    /// As `directory` has them now, for the requests of `batch`.
    pub fn of(directory: &Directory, batch: &mut Batch) -> Places {
        // The version first: a change in between is then seen at the next look.
        let version = directory.version();
        let roster = directory.roster();
        let slots: Option<Vec<Slots>> = directory
            .access
            .server
            .cluster
            .map(|_| roster.nodes.iter().map(|node| Slots::of_ranges(&node.slots)).collect());
        let all = 0..roster.nodes.len();
        let served = match &slots {
            Some(slots) => all.clone().filter(|&place| batch.reaches(&slots[place])).collect(),
            None => Vec::new(),
        };
        // Keys that belong to nobody go to anybody, who will say so.
        let served = if served.is_empty() { all.collect() } else { served };
        Places { roster, version, slots, served }
    }

    pub fn version(&self) -> u64 {
        self.version
    }

    /// Where client number `client` of the whole run belongs.
    pub fn of_client(&self, client: usize) -> usize {
        self.served[client % self.served.len()]
    }

    fn node(&self, place: usize) -> &Node {
        &self.roster.nodes[place]
    }

    /// Where to try for the `attempt`th time in a row: each address of a name has its turn.
    pub fn endpoint(&self, place: usize, attempt: u32) -> &Endpoint {
        let endpoints = &self.node(place).endpoints;
        &endpoints[attempt as usize % endpoints.len()]
    }

    /// Whether `endpoint` is where `place` is to be found.
    pub fn is_at(&self, place: usize, endpoint: &Endpoint) -> bool {
        self.node(place).endpoints.contains(endpoint)
    }

    /// What TLS needs there. A name that no certificate could be for was refused before the run.
    pub fn tls(&self, directory: &Directory, place: usize, endpoint: &Endpoint) -> Option<TlsAccess> {
        directory.access.tls_to(self.node(place).host.as_deref(), endpoint).ok().flatten()
    }

    /// Whether a cluster's node has to be told that a copy will do.
    pub fn reads_a_copy(&self, place: usize) -> bool {
        self.slots.is_some() && self.node(place).is_replica
    }

    /// The slots of a place, in a cluster.
    #[inline]
    pub fn slots(&self, place: usize) -> Option<&Slots> {
        self.slots.as_ref().map(|slots| &slots[place])
    }

    pub fn is_cluster(&self) -> bool {
        self.slots.is_some()
    }
}
