//! The highly available topology on loopback, from the installed programs: three redis, a master and two replicas; three
//! sentinels; and one or more stateless HAProxy in front, as the redis-ha chart has it in Kubernetes.
//!
//! A lab belongs to whoever has it up, and ends with it, unless it is detached. What it consists of is written down in
//! its directory, so that another rbench can find it, strike its members, and end it. Nobody is ever struck who was not
//! started by the lab: a process is known by its number and by the time of its start.
//!
//! This is for Linux: the loopback of other systems has one address.

mod address;
mod config;
mod error;
mod options;
mod process;
mod programs;
mod proxy;
mod ready;
mod registry;
mod state;
mod status;
mod strike;
mod topology;
mod up;

pub use error::LabError;
pub use options::Options;
pub use programs::Programs;
pub use status::{Role, Status};
pub use strike::Blow;
pub use topology::{Kind, MASTER_NAME, Network, Ports, Topology};

use crate::target::{Address, Credentials, Secret, Server};
use address::Claim;
use process::Process;
use rustix::process::Signal;
use serde::Serialize;
use state::State;
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;
use topology::Place;

/// A lab that is up, or was. Ends with the value when [`Lab::up`] made it.
#[derive(Debug)]
pub struct Lab {
    directory: PathBuf,
    state: State,
    password: Option<Secret>,
    /// Members that we started ourselves, by name: they are ours to bury.
    children: BTreeMap<String, Child>,
    ends_with_us: bool,
    /// There while the lab comes up.
    claim: Option<Claim>,
}

/// One program of a lab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// `redis-0`, `sentinel-2`, `haproxy-1`.
    pub name: String,
    pub kind: Kind,
    /// Where it answers; a proxy, for the master.
    pub address: SocketAddrV4,
    /// None when it is dead.
    pub pid: Option<u32>,
    /// The other ways into a proxy.
    pub doors: Option<Doors>,
}

/// Where a proxy answers beside its way to the master.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Doors {
    /// The way to the replicas.
    pub read_only: SocketAddrV4,
    /// `http://127.0.73.20:9101/stats`, and `/stats;csv` for programs.
    pub stats: String,
    /// For Prometheus.
    pub metrics: String,
    pub health: String,
    /// The admin socket.
    pub stats_socket: PathBuf,
}

/// How long a process may take to do as a signal says.
const PATIENCE: Duration = Duration::from_secs(5);

impl Lab {
    /// The lab in `directory`, or the only one that runs. It goes on when the value ends.
    ///
    /// # Errors
    /// [`LabError`] when there is none, or more than one.
    pub fn find(directory: Option<&Path>) -> Result<Lab, LabError> {
        let directory = match directory {
            Some(named) => fs::canonicalize(named).map_err(|_| LabError::NoLab { directory: named.to_owned() })?,
            None => registry::only()?,
        };
        let state = State::read(&directory)?;
        let password = state::read_password(&directory);
        Ok(Lab { directory, state, password, children: BTreeMap::new(), ends_with_us: false, claim: None })
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    pub fn topology(&self) -> &Topology {
        &self.state.topology
    }

    /// Everybody: servers, sentinels, proxies.
    pub fn members(&self) -> Vec<Member> {
        let state = self.news();
        state.topology.places().iter().map(|place| self.member(place, &state)).collect()
    }

    fn member(&self, place: &Place, state: &State) -> Member {
        let name = place.name();
        let process = state.processes.get(&name).filter(|process| process.is_alive());
        let doors = (place.kind == Kind::Haproxy).then(|| self.doors(place));
        Member { pid: process.map(|process| process.pid), name, kind: place.kind, address: place.address, doors }
    }

    fn doors(&self, place: &Place) -> Doors {
        let (address, ports) = (place.address.ip(), self.topology().ports);
        let url = |port, path| format!("http://{address}:{port}/{path}");
        Doors {
            read_only: SocketAddrV4::new(*address, ports.read_only),
            stats: url(ports.stats, "stats"),
            metrics: url(ports.stats, "metrics"),
            health: url(ports.health, "healthz"),
            stats_socket: self.directory.join(place.name()).join(config::STATS_SOCKET),
        }
    }

    /// The password of the redis servers.
    pub fn password(&self) -> Option<&Secret> {
        self.password.as_ref()
    }

    /// What it takes to talk to a member.
    pub fn server(&self, member: &Member) -> Server {
        let password = self.password.clone().filter(|_| member.kind != Kind::Sentinel);
        let credentials = password.map(|password| Credentials { user: None, password });
        let address = Address::Tcp { host: member.address.ip().to_string(), port: member.address.port() };
        Server { credentials, ..Server::at(address) }
    }

    /// Whether the lab is still there: another rbench may have ended it.
    pub fn is_there(&self) -> bool {
        State::read(&self.directory).is_ok_and(|state| state.id == self.state.id)
    }

    /// Lets the lab go on when this value, and our own process, end.
    ///
    /// # Errors
    /// [`LabError`] when that cannot be written down. The lab then ends.
    pub fn detach(mut self) -> Result<(), LabError> {
        self.state = self.news();
        self.state.owner = None;
        self.state.write(&self.directory)?;
        self.ends_with_us = false;
        Ok(())
    }

    /// Ends all members and removes what the lab has written. Returns whom it left alone, because they are not the
    /// processes that were started.
    ///
    /// # Errors
    /// [`LabError`] when somebody does not end, or something cannot be removed.
    pub fn down(mut self) -> Result<Vec<LabError>, LabError> {
        if self.claim.is_none() {
            self.claim = Some(self.wait_for_claim()?);
        }
        self.ends_with_us = false;
        let left_alone = self.end()?;
        // Whoever has it up sees that it is gone, and ends. It is nobody of ours to strike.
        let owner = self.state.owner.filter(|owner| owner.pid != std::process::id());
        if let Some(owner) = owner {
            owner.wait_until(PATIENCE, |_| !owner.is_alive());
        }
        Ok(left_alone)
    }

    fn wait_for_claim(&self) -> Result<Claim, LabError> {
        let claim = Claim::wait_for(self.topology().network);
        claim.ok_or_else(|| LabError::Busy { directory: self.directory.clone() })
    }

    /// The state as it is now: another rbench may have started somebody anew.
    fn news(&self) -> State {
        State::read(&self.directory).ok().filter(|state| state.id == self.state.id).unwrap_or(self.state.clone())
    }

    /// Ends everybody, whoever has started them, and removes the files, if they are still those of this lab.
    fn end(&mut self) -> Result<Vec<LabError>, LabError> {
        let is_there = self.is_there() || self.claim.is_some();
        self.state = self.news();
        let mut left_alone = Vec::new();
        for (name, process) in &self.state.processes {
            match process.condition() {
                process::Condition::Dead => {}
                process::Condition::Foreign => {
                    left_alone.push(LabError::Foreign { name: name.clone(), pid: process.pid });
                }
                // One that ends by itself in this moment is no error; one that stays is found below.
                _ => drop(process.signal(Signal::KILL)),
            }
        }
        for (name, process) in &self.state.processes {
            if !process.wait_until(PATIENCE, |_| !process.is_alive()) {
                return Err(unmoved(name, *process, "it does not end"));
            }
        }
        std::mem::take(&mut self.children).into_values().for_each(bury);
        if is_there {
            registry::leave(&self.directory, &self.state)?;
        }
        Ok(left_alone)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if self.ends_with_us {
            // Another that is at work on this lab for so long must not keep it alive.
            self.claim = self.claim.take().or_else(|| Claim::wait_for(self.topology().network));
            let _ = self.end();
        }
    }
}

/// Ends a process that we have started, if it has not ended, and takes note of that.
fn bury(mut child: Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn unmoved(name: &str, process: Process, cause: &str) -> LabError {
    LabError::Unmoved { name: name.to_owned(), pid: process.pid, cause: cause.to_owned() }
}
