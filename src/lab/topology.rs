//! Who there is in a lab and where each is found. As in Kubernetes every pod has an address of its own and all have the
//! same ports: what tells pods apart by address alone, as the proxy's check does, is put to the test.

use crate::units::Nanos;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};

/// The name under which the sentinels know the master.
pub const MASTER_NAME: &str = "mymaster";

/// Pods with a redis and a sentinel in each.
pub const PODS: usize = 3;

/// Sentinels that must agree that the master is down.
pub const QUORUM: usize = 2;

/// More proxies than anybody has in front of three servers.
pub const PROXIES_MAX: usize = 16;

/// Everything about a lab that its configuration depends on, but for the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topology {
    pub network: Network,
    pub ports: Ports,
    pub proxies: usize,
    /// How long the master must be silent before a sentinel holds it for down.
    pub down_after: Nanos,
    /// Replicas without which the master takes no writes.
    pub min_replicas: usize,
}

/// A network of loopback, `127.0.N.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Network(pub u8);

impl Network {
    pub fn host(self, host: u8) -> Ipv4Addr {
        Ipv4Addr::new(127, 0, self.0, host)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "127.0.{}", self.0)
    }
}

/// The ports of every pod, and those of every proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    pub redis: u16,
    pub sentinel: u16,
    /// The proxy's way to the master.
    pub proxy: u16,
    /// The proxy's way to the replicas.
    pub read_only: u16,
    /// Statistics and Prometheus metrics of the proxy, over HTTP.
    pub stats: u16,
    /// Whether the proxy is alive, over HTTP.
    pub health: u16,
}

impl Ports {
    /// The ports of the redis-ha chart, all moved up by `shift`: a server that listens on a port of all addresses takes
    /// it away from every network of loopback at once.
    pub fn shifted_by(shift: u16) -> Ports {
        Ports {
            redis: 6379 + shift,
            sentinel: 26379 + shift,
            proxy: 6379 + shift,
            read_only: 6380 + shift,
            stats: 9101 + shift,
            health: 8888 + shift,
        }
    }
}

/// What a member of a lab is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Redis,
    Sentinel,
    Haproxy,
}

/// One program of a lab: `redis-0`, `sentinel-2`, `haproxy-1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub kind: Kind,
    pub index: usize,
    /// Where it answers; a proxy, for the master.
    pub address: SocketAddrV4,
}

impl Place {
    pub fn name(&self) -> String {
        let kind = match self.kind {
            Kind::Redis => "redis",
            Kind::Sentinel => "sentinel",
            Kind::Haproxy => "haproxy",
        };
        format!("{kind}-{}", self.index)
    }
}

impl Topology {
    /// The address of a pod.
    pub fn pod(&self, index: usize) -> Ipv4Addr {
        self.network.host(u8::try_from(10 + index).expect("there are few pods"))
    }

    /// The address of a proxy.
    pub fn proxy(&self, index: usize) -> Ipv4Addr {
        self.network.host(u8::try_from(20 + index).expect("there are at most PROXIES_MAX"))
    }

    /// Everybody, in the order in which they are started: servers, sentinels, proxies.
    pub fn places(&self) -> Vec<Place> {
        let place = |kind, index, address, port| Place { kind, index, address: SocketAddrV4::new(address, port) };
        let ports = self.ports;
        let redis = (0..PODS).map(|index| place(Kind::Redis, index, self.pod(index), ports.redis));
        let sentinels = (0..PODS).map(|index| place(Kind::Sentinel, index, self.pod(index), ports.sentinel));
        let proxies = (0..self.proxies).map(|index| place(Kind::Haproxy, index, self.proxy(index), ports.proxy));
        redis.chain(sentinels).chain(proxies).collect()
    }

    /// Every address that somebody will listen on.
    pub fn listeners(&self) -> Vec<SocketAddrV4> {
        let Ports { read_only, stats, health, .. } = self.ports;
        let more = (0..self.proxies)
            .flat_map(|index| [read_only, stats, health].map(|port| SocketAddrV4::new(self.proxy(index), port)));
        self.places().iter().map(|place| place.address).chain(more).collect()
    }
}
