//! Where the servers of a run are at the moment. Whoever connects looks here; whoever learns of a change writes it here.

use super::access::Access;
use super::resolve::Endpoint;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Notify;

/// One server that connections are made to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it is called, also when its address changes.
    pub name: String,
    /// The host name in it, which a certificate must be for. None when it is known by its address alone.
    pub host: Option<String>,
    /// Where it answers, the best first. Never empty.
    pub endpoints: Vec<Endpoint>,
    /// The hash slots that it serves: first and last of each range. Empty outside of a cluster.
    pub slots: Vec<(u16, u16)>,
    /// Whether it is a copy, which a cluster's client must say that it wants to read from.
    pub is_replica: bool,
}

/// The servers of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    /// Never empty.
    pub nodes: Vec<Node>,
    /// Of two rosters the one with the lower epoch is the older: a sentinel that missed a failover goes on to name the old
    /// master. 0 where nobody counts.
    pub epoch: u64,
}

impl Roster {
    /// Of servers that nobody counts the epochs of.
    pub fn of(nodes: Vec<Node>) -> Roster {
        Roster { nodes, epoch: 0 }
    }
}

/// The roster as it is now.
#[derive(Debug)]
pub struct Directory {
    pub access: Access,
    roster: RwLock<Arc<Roster>>,
    version: AtomicU64,
    wanted: Notify,
    failed_look_ups: AtomicU64,
    /// Second ways to servers that are in the roster already: they would be counted twice.
    second_ways: Vec<Endpoint>,
}

impl Directory {
    pub fn new(access: Access, roster: Roster) -> Directory {
        Directory {
            access,
            roster: RwLock::new(Arc::new(roster)),
            version: AtomicU64::new(0),
            wanted: Notify::new(),
            failed_look_ups: AtomicU64::new(0),
            second_ways: Vec::new(),
        }
    }

    /// As it is, and for good without nodes that are at `second_ways` alone.
    pub fn without(self, second_ways: Vec<Endpoint>) -> Directory {
        Directory { second_ways, ..self }
    }

    pub fn roster(&self) -> Arc<Roster> {
        Arc::clone(&self.roster.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Grows whenever the roster changes. Costs no more than reading a number.
    #[inline]
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Says that the roster may not be right any more. Never waits.
    pub fn ask_again(&self) {
        self.wanted.notify_one();
    }

    /// Waits until somebody asks.
    pub async fn asked(&self) {
        self.wanted.notified().await;
    }

    /// Writes down what was found out, unless something newer is known.
    pub fn update(&self, mut found: Roster) {
        found.nodes.retain(|node| !node.endpoints.iter().all(|endpoint| self.second_ways.contains(endpoint)));
        if found.nodes.is_empty() {
            return;
        }
        let mut roster = self.roster.write().unwrap_or_else(PoisonError::into_inner);
        if found.epoch < roster.epoch {
            return;
        }
        let merged = merge(&roster, found);
        if **roster != merged {
            *roster = Arc::new(merged);
            self.version.fetch_add(1, Ordering::Release);
        }
    }

    pub fn count_failed_look_up(&self) {
        self.failed_look_ups.fetch_add(1, Ordering::Relaxed);
    }

    /// Look-ups that came to nothing since this was last asked.
    pub fn take_failed_look_ups(&self) -> u64 {
        self.failed_look_ups.swap(0, Ordering::Relaxed)
    }
}

/// `found` in the order of `known`: who stays keeps its place, and a newcomer takes the place of one that is gone, as a
/// promoted replica takes that of its master. So only the clients of servers that changed have to move.
fn merge(known: &Roster, found: Roster) -> Roster {
    let mut newcomers: Vec<Node> = Vec::new();
    let mut places: Vec<Option<Node>> = vec![None; known.nodes.len()];
    for node in found.nodes {
        match known.nodes.iter().position(|old| old.name == node.name) {
            Some(place) if places[place].is_none() => places[place] = Some(node),
            _ => newcomers.push(node),
        }
    }
    let mut newcomers = newcomers.into_iter();
    let mut nodes: Vec<Node> = places.into_iter().filter_map(|place| place.or_else(|| newcomers.next())).collect();
    nodes.extend(newcomers);
    Roster { nodes, epoch: found.epoch }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roster(names: &[&str]) -> Roster {
        let node = |name: &&str| Node {
            name: (*name).to_owned(),
            host: None,
            endpoints: vec![Endpoint::Unix((*name).into())],
            slots: Vec::new(),
            is_replica: false,
        };
        Roster::of(names.iter().map(node).collect())
    }

    #[test]
    fn who_stays_keeps_its_place_and_a_newcomer_takes_an_empty_one() {
        for (known, found, merged) in [
            (&["a", "b", "c"][..], &["c", "a", "b"][..], &["a", "b", "c"][..]),
            (&["a", "b", "c"], &["c", "a", "d"], &["a", "d", "c"]),
            (&["a", "b"], &["a", "b", "c"], &["a", "b", "c"]),
            (&["a", "b", "c"], &["c"], &["c"]),
        ] {
            assert_eq!(merge(&roster(known), roster(found)), roster(merged), "{known:?} {found:?}");
        }
    }

    #[test]
    fn what_is_older_than_what_is_known_is_not_believed() {
        let access = Access::of(&crate::target::Server::at(crate::target::Address::Unix { path: "s".into() })).unwrap();
        let directory = Directory::new(access, Roster { epoch: 3, ..roster(&["old"]) });
        directory.update(Roster { epoch: 4, ..roster(&["new"]) });
        directory.update(Roster { epoch: 3, ..roster(&["old"]) });
        assert_eq!((directory.roster().nodes[0].name.as_str(), directory.version()), ("new", 1));
    }
}
