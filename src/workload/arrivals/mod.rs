//! When requests are due, fixed before the first of them: a rate over time, and a process that makes arrivals of it.

mod process;
mod schedule;
mod shape;

pub use process::{ArrivalProcess, PROCESSES};
pub use schedule::Schedule;
pub use shape::Shape;

use serde::{Deserialize, Serialize};

/// Arrivals as a plan has them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Arrivals {
    pub process: ArrivalProcess,
    pub shape: Shape,
}
