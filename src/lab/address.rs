//! A network of loopback for a lab alone, and the claim that keeps others away while a lab is made or changed.

use super::error::LabError;
use super::topology::{Network, Ports, Topology};
use std::io;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::thread;
use std::time::Duration;

/// The right to start or end members of the lab in one network. It goes with the process that holds it, however that
/// ends, and counts for all users of the loopback that it is about: it is a name in the abstract space of sockets.
#[derive(Debug)]
pub struct Claim {
    _name: UnixListener,
}

impl Claim {
    /// None when another has it.
    fn take(network: Network) -> Option<Claim> {
        let name = SocketAddr::from_abstract_name(format!("rbench-lab-{network}")).ok()?;
        Some(Claim { _name: UnixListener::bind_addr(&name).ok()? })
    }

    /// Waits for another to be done, but not for long: only while a lab comes up is a claim held for seconds.
    pub fn wait_for(network: Network) -> Option<Claim> {
        for _ in 0..100 {
            if let Some(claim) = Claim::take(network) {
                return Some(claim);
            }
            thread::sleep(Duration::from_millis(50));
        }
        None
    }
}

/// Where labs are looked for first: the network that examples have.
const FIRST: u8 = 73;

/// By how much ports are moved, in turn, when those of Kubernetes are taken on all networks.
const SHIFTS: [u16; 10] = [0, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000];

/// Finds a network and ports for `wanted` that nobody uses and nobody is about to use. `is_spoken_for` knows of networks
/// that belong to somebody although nobody listens there.
///
/// # Errors
/// [`LabError::NoNetwork`].
pub fn claim(
    mut wanted: Topology,
    mut is_spoken_for: impl FnMut(Network) -> bool,
) -> Result<(Topology, Claim), LabError> {
    let (mut tried, mut cause) = (0, "others claim them all".to_owned());
    for shift in SHIFTS {
        wanted.ports = Ports::shifted_by(shift);
        for number in (FIRST..=254).chain(1..FIRST) {
            wanted.network = Network(number);
            let Some(claim) = Claim::take(wanted.network).filter(|_| !is_spoken_for(wanted.network)) else { continue };
            tried += 1;
            match are_free(&wanted) {
                Ok(()) => return Ok((wanted, claim)),
                Err(error) => cause = error,
            }
        }
    }
    Err(LabError::NoNetwork { tried, cause })
}

/// Whether everybody could listen where they are to.
fn are_free(topology: &Topology) -> Result<(), String> {
    let listening: Result<Vec<TcpListener>, (io::Error, std::net::SocketAddrV4)> =
        topology.listeners().into_iter().map(|at| TcpListener::bind(at).map_err(|error| (error, at))).collect();
    listening.map(drop).map_err(|(error, address)| format!("{address}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Nanos;

    fn wanted() -> Topology {
        let (network, ports) = (Network(0), Ports::shifted_by(0));
        Topology { network, ports, proxies: 1, down_after: Nanos::from_secs(1), min_replicas: 1 }
    }

    #[test]
    fn two_labs_never_have_the_same_network() {
        let (one, _first) = claim(wanted(), |_| false).unwrap();
        let (other, _second) = claim(wanted(), |_| false).unwrap();
        assert_ne!(one.network, other.network);
    }

    #[test]
    fn a_network_that_is_spoken_for_or_in_use_is_passed_over() {
        let (one, first) = claim(wanted(), |_| false).unwrap();
        drop(first);
        let (other, _second) = claim(wanted(), |network| network == one.network).unwrap();
        assert_ne!(other.network, one.network);
        // Another test may have a look at that very address in this moment.
        let taken = (0..1000).find_map(|_| TcpListener::bind((one.proxy(0), one.ports.stats)).ok());
        assert!(taken.is_some());
        let (third, _third) = claim(wanted(), |_| false).unwrap();
        assert_ne!(third.network, one.network);
    }

    #[test]
    fn a_claim_ends_with_its_holder() {
        let network = Network(255);
        let claim = Claim::take(network);
        assert!(claim.is_some() && Claim::take(network).is_none());
        drop(claim);
        assert!(Claim::take(network).is_some());
    }
}
