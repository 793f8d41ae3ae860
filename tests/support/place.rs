//! Addresses and ports that nobody else uses.

use std::net::{Ipv4Addr, TcpListener};

/// A port of `address` that is free, below those that the system hands out to clients: a server that is started again
/// must find its port as it left it. So is the port 10000 above it, on which nodes of a cluster talk to each other.
pub fn free_port(address: &str) -> u16 {
    let mut ports = (0..1000).map(|_| rand::random_range(10_000..22_000));
    ports.find(|port| TcpListener::bind((address, *port)).is_ok()).expect("one of many ports is free")
}

/// A network of loopback, `127.X.Y.0/24`, that other tests most likely do not use: 62,000 to choose from.
///
/// Servers of one set have one address each and the same port, like the pods of Kubernetes: what tells them apart by
/// address only is put to the test.
pub struct Network {
    x: u8,
    y: u8,
}

impl Network {
    pub fn any() -> Network {
        Network { x: rand::random_range(10..=250), y: rand::random_range(1..=254) }
    }

    pub fn address(&self, host: u8) -> String {
        Ipv4Addr::new(127, self.x, self.y, host).to_string()
    }
}
