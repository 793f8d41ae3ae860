//! What the system tells of itself. Anything that cannot be learned is missing, never guessed.

use crate::observe::cgroup::Quota;
use crate::observe::{Machine, ProcessorUse};

/// Everything that the rules judge by.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Connections that a run is to have.
    pub clients: u64,
    pub machine: Machine,
    /// Open files that this process may have, and how far it may raise that itself.
    pub open_files: (u64, u64),
    /// `fs.nr_open`: the most that anybody can be allowed.
    pub open_files_max: Option<u64>,
    /// `net.core.somaxconn`.
    pub somaxconn: Option<u64>,
    /// `net.ipv4.tcp_max_syn_backlog`.
    pub syn_backlog: Option<u64>,
    /// `net.ipv4.ip_local_port_range`, both ends included.
    pub ports: Option<(u64, u64)>,
    /// `net.ipv4.tcp_tw_reuse`: 0 never, 1 always, 2 on loopback.
    pub tw_reuse: Option<u64>,
    /// Processors of the machine that are online.
    pub cores_online: Option<usize>,
    /// The frequency governors of the processors, each once.
    pub governors: Vec<String>,
    /// Clock sources that the kernel could use.
    pub clocksources: Vec<String>,
    /// None when no control group limits this process.
    pub quota: Option<Quota>,
    /// Periods in which the quota had this process's control group stopped, since the group began.
    pub throttled_periods: Option<u64>,
    /// A second in which rbench did nothing.
    pub second: Option<ProcessorUse>,
    /// Who made the machine, when it is a virtual one.
    pub hypervisor: Option<String>,
    /// Whether the processor says that there is a hypervisor. None when it cannot be asked.
    pub is_virtual: Option<bool>,
    /// `net.ipv4.tcp_slow_start_after_idle`.
    pub slow_start_after_idle: Option<u64>,
    /// The largest receive and send buffers that TCP gives a connection by itself, in bytes.
    pub buffers_max: Option<(u64, u64)>,
    pub congestion_control: Option<String>,
    /// `always`, `madvise` or `never`.
    pub huge_pages: Option<String>,
    /// Whether a redis or valkey server runs here. None when processes cannot be listed.
    pub redis_runs: Option<bool>,
    /// Bytes of swap that are in use.
    pub swap_used_bytes: Option<u64>,
    /// `kernel.io_uring_disabled`: 0 for nobody, 1 for those without a privilege, 2 for all.
    pub io_uring_disabled: Option<u64>,
    /// Whether a filter of system calls is on this process.
    pub is_filtered: Option<bool>,
    /// The programs of the lab. None where there is no lab.
    pub programs: Option<Installed>,
}

/// Whether programs are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Installed {
    /// With their versions, for people.
    Yes(String),
    /// Why not, and the way out.
    No { why: String, remedy: String },
}
