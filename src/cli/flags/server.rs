//! Whom to measure, and what it takes to get in.

use crate::cli::paths::{NamedPath, named_path};
use crate::cli::values::{self, addresses};
use crate::embedded::Behaviours;
use crate::observe::StatsAddress;
use crate::target::{Addresses, KnownName, ReadFrom, Role};
use clap::{Args, ValueEnum};
use std::net::IpAddr;
use std::path::PathBuf;

#[derive(Args, Clone)]
#[command(next_help_heading = "Server")]
pub struct ServerFlags {
    /// Server name or address
    #[arg(short = 'h', value_name = "HOST", default_value = "127.0.0.1")]
    pub host: String,

    /// Server port
    #[arg(short = 'p', value_name = "PORT", default_value_t = 6379, allow_negative_numbers = true)]
    pub port: u16,

    /// Server socket in the file system; -h and -p then do not count
    #[arg(short = 's', value_name = "PATH")]
    pub socket: Option<PathBuf>,

    /// redis://[[user:]password@]host[:port][/database], or with rediss:// (TLS), valkey://, valkeys://, or
    /// redis-socket:///path; what it says counts more than other flags
    #[arg(short = 'u', value_name = "URI")]
    pub uri: Option<String>,

    /// Password; the environment variable REDISCLI_AUTH keeps it out of the list of processes
    #[arg(short = 'a', value_name = "PASSWORD", allow_hyphen_values = true)]
    pub password: Option<String>,

    /// User that the password belongs to
    #[arg(long, value_name = "USER", allow_hyphen_values = true)]
    pub user: Option<String>,

    /// Ask for the password on the terminal, without showing it
    #[arg(long, conflicts_with_all = ["password", "embedded"])]
    pub askpass: bool,

    /// Database number
    #[arg(long, value_name = "DB", default_value_t = 0, allow_negative_numbers = true)]
    pub dbnum: u32,

    /// Ask for version 3 of the protocol
    #[arg(short = '3')]
    pub resp3: bool,

    /// Ask for CLIENT TRACKING on each connection
    #[arg(long)]
    pub enable_tracking: bool,

    /// Start a server inside this program and measure that: what this machine can do at best, or, with SPEC, what is
    /// known beforehand (see rbench serve --help)
    #[arg(long, value_name = "SPEC", num_args = 0..=1, require_equals = true,
        conflicts_with_all = ["host", "port", "socket", "uri", "password", "user"])]
    pub embedded: Option<Option<Behaviours>>,

    /// A way to the server in one word, with a name: direct=10.0.0.7:6379, haproxy=redis://:password@proxy,
    /// ha=sentinel://s1:26379,s2:26379/mymaster, local=/run/redis.sock, best=embedded[:SPEC]
    #[arg(long = "path", value_name = "NAME=WAY", value_parser = named_path,
        conflicts_with_all = ["host", "port", "socket", "uri", "embedded", "sentinel"])]
    pub paths: Vec<NamedPath>,

    /// Ask the HAProxy on the way how it fares: unix:/path/of/its/stats/socket, or http://host:port/stats; several times
    /// for several
    #[arg(long, value_name = "ADDRESS")]
    pub haproxy_stats: Vec<StatsAddress>,

    #[command(flatten)]
    pub tls: TlsFlags,

    #[command(flatten)]
    pub group: GroupFlags,
}

#[derive(Args, Clone)]
#[command(next_help_heading = "TLS")]
pub struct TlsFlags {
    /// Speak TLS. The server's certificate must be valid and for the name that was given, which redis-benchmark never
    /// looks at; the authorities of this machine are trusted
    #[arg(long)]
    pub tls: bool,

    /// Name that the certificate must be for, and that is sent in the handshake [default: the host]
    #[arg(long, value_name = "NAME")]
    pub sni: Option<String>,

    /// Trust the authorities in this file, and no others
    #[arg(long, value_name = "FILE")]
    pub cacert: Option<PathBuf>,

    /// Trust the authorities in the files of this directory, and no others
    #[arg(long, value_name = "DIR")]
    pub cacertdir: Option<PathBuf>,

    /// Trust anybody
    #[arg(long)]
    pub insecure: bool,

    /// Certificate to show to the server
    #[arg(long, value_name = "FILE")]
    pub cert: Option<PathBuf>,

    /// Private key of that certificate
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,

    /// Cipher suites of TLS 1.3 to offer, separated by colons
    #[arg(long, value_name = "LIST")]
    pub tls_ciphersuites: Option<String>,

    /// Cipher suites of TLS 1.2 to offer, separated by colons
    #[arg(long, value_name = "LIST")]
    pub tls_ciphers: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoleName {
    Master,
    Replica,
    Any,
}

impl From<RoleName> for Role {
    fn from(role: RoleName) -> Role {
        match role {
            RoleName::Master => Role::Master,
            RoleName::Replica => Role::Replica,
            RoleName::Any => Role::Any,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReplicaReads {
    /// To primaries only
    No,
    /// To replicas only
    Yes,
    /// To all nodes
    All,
}

impl From<ReplicaReads> for ReadFrom {
    fn from(reads: ReplicaReads) -> ReadFrom {
        match reads {
            ReplicaReads::No => ReadFrom::Primaries,
            ReplicaReads::Yes => ReadFrom::Replicas,
            ReplicaReads::All => ReadFrom::All,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AddressChoice {
    /// The first that answers, as clients do
    First,
    /// Connections are spread over all
    All,
    /// A run for each, side by side
    Each,
}

impl From<AddressChoice> for Addresses {
    fn from(choice: AddressChoice) -> Addresses {
        match choice {
            AddressChoice::First => Addresses::First,
            AddressChoice::All => Addresses::All,
            AddressChoice::Each => Addresses::Each,
        }
    }
}

fn known_name(text: &str) -> Result<KnownName, String> {
    addresses(text).map(|(host, addresses): (String, Vec<IpAddr>)| KnownName { host, addresses })
}

fn sentinels(text: &str) -> Result<Sentinels, String> {
    const SENTINEL_PORT: u16 = 26379;
    values::host_ports(text, SENTINEL_PORT).map(Sentinels)
}

/// Host and port of each; a type of its own, because a list would be taken for a flag that is given several times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentinels(pub Vec<(String, u16)>);

#[derive(Args, Clone)]
#[command(next_help_heading = "Sentinel, cluster, names")]
pub struct GroupFlags {
    /// Sentinels to ask for the server instead of -h and -p, comma-separated; --tls is for them, too
    #[arg(long, value_name = "HOST:PORT,...", value_parser = sentinels, requires = "master_name",
        conflicts_with_all = ["host", "port", "socket", "uri", "embedded", "cluster", "addresses"])]
    pub sentinel: Option<Sentinels>,

    /// What the sentinels call the master
    #[arg(long, value_name = "NAME", requires = "sentinel")]
    pub master_name: Option<String>,

    /// Which of the servers that the sentinels watch over
    #[arg(long, value_name = "ROLE", value_enum, default_value = "master")]
    pub role: RoleName,

    /// User at the sentinels
    #[arg(long, value_name = "USER", requires = "sentinel", allow_hyphen_values = true)]
    pub sentinel_user: Option<String>,

    /// Password at the sentinels; the environment variable RBENCH_SENTINEL_AUTH keeps it out of the list of processes
    #[arg(long, value_name = "PASSWORD", requires = "sentinel", allow_hyphen_values = true)]
    pub sentinel_pass: Option<String>,

    /// Measure all nodes of the cluster that the server is a part of
    #[arg(long, conflicts_with_all = ["embedded", "addresses"])]
    pub cluster: bool,

    /// With --cluster, read from replicas: no, yes (from no others), or all nodes
    #[arg(long, value_name = "WHERE", value_enum, default_value = "no")]
    pub rfr: ReplicaReads,

    /// Of a name with several addresses, measure the first that answers, all at once, or each by itself
    #[arg(long, value_name = "WHICH", value_enum, default_value = "first")]
    pub addresses: AddressChoice,

    /// Take these addresses for NAME instead of asking the system
    #[arg(long, value_name = "NAME=ADDRESS,...", value_parser = known_name)]
    pub resolve: Vec<KnownName>,
}
