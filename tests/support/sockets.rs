//! What the system says of connections, where the server cannot be asked.

use std::fs;

/// A connection as a client has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    pub local_port: u16,
    /// Whether a timer runs that will ask whether the other side is still there.
    pub keep_alive: bool,
}

/// The established connections to `port` of any loopback address, on the client's side.
pub fn to_port(port: u16) -> Vec<Socket> {
    let table = fs::read_to_string("/proc/net/tcp").expect("the table of connections");
    table.lines().skip(1).filter_map(|line| socket(line, port)).collect()
}

fn socket(line: &str, port: u16) -> Option<Socket> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [local, remote, state, timer] = [1, 2, 3, 5].map(|at| fields[at]);
    let port_of = |address: &str| u16::from_str_radix(address.split_once(':')?.1, 16).ok();
    let established = state == "01" && port_of(remote) == Some(port);
    established.then_some(Socket { local_port: port_of(local)?, keep_alive: timer.starts_with("02:") })
}
