//! The load engine: it does what a plan says, and brings home a recording.
//!
//! [`run`](run::run) starts load threads, each a [`worker`] with clients of its own. A thread shares nothing on its hot
//! path: it draws requests from the common [`budget`] many at a time, and hands over its counts a few times a second.
//! What a client may do next is decided by the pure [`client`]; [`connection`] turns bytes into replies; sockets are in
//! [`drivers`] alone.

pub mod backoff;
pub mod budget;
pub mod client;
pub mod clock;
pub mod connection;
pub mod dialer;
pub mod drivers;
pub mod gate;
pub mod idle;
pub mod open_loop;
pub mod realtime;
pub mod recorder;
pub mod run;
pub mod timers;
pub mod worker;

pub use drivers::standing::Standing;
pub use run::{EngineError, Load, run};
