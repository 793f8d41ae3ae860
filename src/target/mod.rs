//! Whom we measure: how a server is named, what it takes to get in, and where the name leads.
//!
//! Only this room opens control connections, and it opens them with the `redis` crate. The load itself goes through
//! `engine/drivers/`. Every way in, by an address, through sentinels, to a cluster, ends in the same two things: a
//! [`Target`] for each server, which says what was met there, and a [`Directory`], which says where to connect and is
//! kept up to date while a run goes on.

pub mod access;
mod bounded;
pub mod cleanup;
pub mod cluster;
pub mod control;
pub mod directory;
pub mod error;
pub mod facts;
pub mod follow;
pub mod guard;
pub mod limits;
pub mod look_up;
pub mod network_path;
pub mod question;
mod reply;
pub mod resolve;
pub mod secret;
pub mod sentinel;
pub mod server;
pub mod settle;
pub mod sockets;
pub mod tls;
pub mod uri;

pub use access::Access;
pub use directory::{Directory, Node, Roster};
pub use error::TargetError;
pub use facts::ServerFacts;
pub use follow::follow;
pub use network_path::{NetworkPath, PathKind};
pub use question::{Answer, ask};
pub use resolve::{Endpoint, Resolved, Target, resolve};
pub use secret::Secret;
pub use server::{Address, Addresses, Cluster, Credentials, KnownName, ReadFrom, Role, Sentinels, Server};
pub use sockets::{KeepAlive, SocketOptions};
pub use tls::Tls;
