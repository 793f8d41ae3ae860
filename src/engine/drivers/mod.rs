//! Ways to drive connections: the only data-plane sockets of the house. Each driver is one file and one line here.

use super::worker::Worker;
use crate::recording::Failure;

pub mod alarm;
pub mod failure;
pub mod readiness;
pub mod secured;
pub mod standing;
pub mod stream;

/// One way to drive the connections of a load thread.
pub struct Driver {
    pub name: &'static str,
    /// Drives the clients of a worker to their end.
    pub drive: fn(&mut Worker) -> Result<(), Failure>,
}

/// Every driver, the default first.
pub static DRIVERS: &[Driver] = &[Driver { name: "readiness", drive: readiness::drive }];
