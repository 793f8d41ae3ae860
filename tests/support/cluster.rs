//! A cluster of redis-servers: three masters with a replica each, or one node that has all slots.

use super::place::{Network, free_port};
use super::server::Place;
use super::{RedisServer, Value, wait_until};
use std::collections::BTreeMap;

pub const SLOTS: u16 = 16384;

/// Servers of one cluster, at one address each and the same port. Nodes 0 to 2 begin as masters, and node `i + 3` as
/// the replica of node `i`.
pub struct Cluster {
    pub nodes: Vec<RedisServer>,
}

impl Cluster {
    /// Six nodes. A machine that is busy with other things keeps none of them waiting for so long that it is given up.
    pub fn start() -> Cluster {
        Cluster::with(&[])
    }

    pub fn with(arguments: &[&str]) -> Cluster {
        let cluster = Cluster::of(6, arguments);
        let names: Vec<_> = cluster.nodes.iter().map(|node| node.ask(&["CLUSTER", "MYID"]).text()).collect();
        for (index, master) in cluster.nodes[..3].iter().enumerate() {
            let (first, next) = (SLOTS as usize * index / 3, SLOTS as usize * (index + 1) / 3);
            master.tell(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &(next - 1).to_string()]);
        }
        for (index, replica) in cluster.nodes[3..].iter().enumerate() {
            let of = &["CLUSTER", "REPLICATE", &names[index]];
            wait_until("the replica knows its master", || replica.ask(of).is_ok());
        }
        cluster.settle();
        cluster
    }

    /// One node that has all slots and no replica.
    pub fn single() -> Cluster {
        let cluster = Cluster::of(1, &[]);
        cluster.nodes[0].tell(&["CLUSTER", "ADDSLOTSRANGE", "0", &(SLOTS - 1).to_string()]);
        wait_until("the node serves all slots", || cluster.is_ok());
        cluster
    }

    /// Nodes that know each other, and have no slots.
    fn of(count: u8, arguments: &[&str]) -> Cluster {
        let nodes = (0..10).find_map(|_| try_nodes(count, arguments)).expect("one of ten networks is free");
        let cluster = Cluster { nodes };
        // Nodes that are told apart by their epochs from the start have nothing to agree upon later.
        for (index, node) in cluster.nodes.iter().enumerate() {
            node.tell(&["CLUSTER", "SET-CONFIG-EPOCH", &(index + 1).to_string()]);
        }
        for node in &cluster.nodes {
            // Each is introduced to each: gossip alone takes seconds.
            for other in cluster.nodes.iter().filter(|other| other.address != node.address) {
                node.tell(&["CLUSTER", "MEET", &other.address, &other.port.to_string()]);
            }
        }
        wait_until("each node knows each", || {
            let ids: Vec<_> = cluster.nodes.iter().map(|node| node.ask(&["CLUSTER", "MYID"]).text()).collect();
            cluster.nodes.iter().all(|node| {
                let known = node.ask(&["CLUSTER", "NODES"]).text();
                known.lines().count() == ids.len()
                    && ids.iter().all(|id| known.contains(id.as_str()))
                    && !known.contains("handshake")
            })
        });
        cluster
    }

    /// Waits until all six nodes say the same: all slots are served, and each master has its replica.
    fn settle(&self) {
        wait_until("the cluster is whole", || {
            self.is_ok()
                && self.nodes.iter().all(|node| {
                    let ranges = node.ask(&["CLUSTER", "SLOTS"]).array();
                    // First and last slot, a master, a replica.
                    ranges.len() == 3 && ranges.into_iter().all(|range| range.array().len() == 4)
                })
                && self.nodes[..3]
                    .iter()
                    .all(|master| master.info("slave0").is_some_and(|replica| replica.contains("state=online")))
                && self.nodes[3..].iter().all(|replica| replica.info("master_link_status").as_deref() == Some("up"))
        });
        self.give_up_after("30000");
        for node in &self.nodes {
            node.ask(&["CONFIG", "RESETSTAT"]);
        }
    }

    /// From now on a node that is silent for a second has failed, and its replica takes over.
    pub fn fail_over_soon(&self) {
        self.give_up_after("1000");
    }

    fn give_up_after(&self, milliseconds: &str) {
        for node in &self.nodes {
            node.tell(&["CONFIG", "SET", "cluster-node-timeout", milliseconds]);
        }
    }

    fn is_ok(&self) -> bool {
        self.nodes.iter().all(|node| node.ask(&["CLUSTER", "INFO"]).text().contains("cluster_state:ok"))
    }

    /// How to get to the cluster through its first node, and `line` behind it.
    pub fn arguments(&self, line: &str) -> Vec<String> {
        self.nodes[0].arguments(&format!("--cluster {line}"))
    }

    /// The index of the node that serves `slot`, as node `witness` sees it.
    pub fn master_of(&self, slot: u16, witness: usize) -> usize {
        let ranges = self.nodes[witness].ask(&["CLUSTER", "SLOTS"]).array();
        let serves = |range: Vec<Value>| {
            let bounds = range[0].clone().number()..=range[1].clone().number();
            bounds.contains(&i64::from(slot)).then(|| range[2].clone().array()[0].clone().text())
        };
        let address = ranges.into_iter().find_map(|range| serves(range.array())).expect("somebody serves the slot");
        self.nodes.iter().position(|node| node.address == address).expect("it is one of ours")
    }

    /// Moves `slot` with its keys to node `to`, as redis-cli does it, while clients go on.
    pub fn move_slot(&self, slot: u16, to: usize) {
        let from = self.master_of(slot, to);
        let (source, sink) = (&self.nodes[from], &self.nodes[to]);
        let [from_id, to_id] = [source, sink].map(|node| node.ask(&["CLUSTER", "MYID"]).text());
        let slot = slot.to_string();
        sink.tell(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]);
        source.tell(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]);
        let port = sink.port.to_string();
        loop {
            let keys = source.ask(&["CLUSTER", "GETKEYSINSLOT", &slot, "100"]).texts();
            if keys.is_empty() {
                break;
            }
            // REPLACE, because a client that was sent over with ASK may have made the key there.
            let mut command = vec!["MIGRATE", &sink.address, &port, "", "0", "5000", "REPLACE", "KEYS"];
            command.extend(keys.iter().map(String::as_str));
            let reply = source.ask(&command);
            assert!(matches!(&reply, Value::Text(text) if text == b"OK" || text == b"NOKEY"), "{reply:?}");
        }
        for master in [sink, source] {
            master.tell(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]);
        }
    }

    /// How often each node was called with `name`, housekeeping and what masters pass on to replicas left out.
    pub fn calls_of(&self, name: &str) -> Vec<u64> {
        self.nodes[..3.min(self.nodes.len())].iter().map(|node| node.calls_of(name)).collect()
    }

    /// How many keys node `index` has in each of its slots that is not empty.
    pub fn keys_by_slot(&self, index: usize) -> BTreeMap<i64, u64> {
        let node = &self.nodes[index];
        let mut slots = BTreeMap::new();
        for key in node.keys() {
            *slots.entry(node.ask(&["CLUSTER", "KEYSLOT", &key]).number()).or_default() += 1;
        }
        slots
    }
}

/// Starts nodes in a network of their own. None when one of their ports is in use.
fn try_nodes(count: u8, arguments: &[&str]) -> Option<Vec<RedisServer>> {
    let network = Network::any();
    let port = free_port(&network.address(1));
    let start = |host: u8| {
        let address = network.address(host);
        let mut all = vec!["--cluster-enabled", "yes", "--cluster-announce-ip", &address];
        all.extend([
            // Nodes get to know each other in so much time. What they get afterwards is told them in `settle`.
            "--cluster-node-timeout",
            "1000",
            "--repl-diskless-sync-delay",
            "0",
            "--repl-ping-replica-period",
            "1",
        ]);
        all.extend(["--cluster-allow-replica-migration", "no"]);
        all.extend(arguments);
        RedisServer::try_start(Place { address: address.clone(), port, tls: false }, &all)
    };
    (1..=count).map(start).collect()
}
