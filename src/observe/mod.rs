//! What else there is to know of a run: the machine that it ran on, and how the load itself, its servers and the proxies on
//! the way fared meanwhile.
//!
//! Whatever is observed is looked at from time to time, and what happened is the difference of two looks. An [`Observers`]
//! does that beside a run; nothing that it meets is an error, or holds the run up.

pub mod cgroup;
pub mod client;
mod commands;
mod contact;
pub mod doctor;
pub mod haproxy;
mod kernel;
pub mod machine;
mod neighbour;
pub mod observers;
pub mod processors;
mod proxy;
mod schedstat;
pub mod server;
pub mod taken;

pub use haproxy::{ProxyLook, ProxyServerUse, ProxyUse, StatsAddress};
pub use machine::Machine;
pub use observers::{Observers, Observing, Starter, Subject};
pub use processors::{ProcessorUse, Processors};
pub use taken::{Taken, TakenShare};
