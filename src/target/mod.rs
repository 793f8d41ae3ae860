//! Whom we measure: how a server is named, what it takes to get in, and where the name leads.
//!
//! Only this room opens control connections, and it opens them with the `redis` crate. The load itself goes through
//! `engine/drivers/`. Further ways in (TLS, Sentinel, a cluster's slots) are ways to fill a [`Target`].

pub mod control;
pub mod facts;
pub mod limits;
pub mod resolve;
pub mod secret;
pub mod server;
pub mod tls;
pub mod uri;

pub use facts::ServerFacts;
pub use resolve::{Endpoint, Target, TargetError, resolve};
pub use secret::Secret;
pub use server::{Address, Credentials, Server};
