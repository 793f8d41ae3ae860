//! What lies between one arrival and the next.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How arrivals follow each other at a given rate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArrivalProcess {
    /// As many users who know nothing of each other: independent, exponential gaps.
    #[default]
    Poisson,
    /// Even gaps, which flatter a server: no two requests ever come at once.
    Constant,
}

/// Every process by name, the default first.
pub static PROCESSES: &[(&str, ArrivalProcess)] =
    &[("poisson", ArrivalProcess::Poisson), ("constant", ArrivalProcess::Constant)];

impl fmt::Display for ArrivalProcess {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let found = PROCESSES.iter().find(|(_, process)| process == self);
        f.write_str(found.map_or("unknown", |(name, _)| name))
    }
}
