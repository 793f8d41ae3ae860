//! What a search found.

use super::{Guard, Search};
use crate::experiment::capacity::Step;
use crate::stats::crossing::{Point, crossing};
use crate::stats::{Estimate, Promise};
use crate::units::{Rate, Seed};
use serde::{Deserialize, Serialize};

/// The highest rate that kept a promise, and how it was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    pub promise: Promise,
    /// None when no rate kept the promise.
    pub rate: Option<Rate>,
    /// Whether the rate was held. If not, it passed a step, and the search was ended before it could be held.
    pub is_held: bool,
    /// Whether higher rates may keep the promise, too.
    pub is_at_least: bool,
    pub ended: Ending,
    /// The share of the rate that leaves room for what is not a steady load. None of a rate that was not held.
    pub recommended: Option<Rate>,
    /// Where the curve of latency on rate crosses what is promised, with the 95 % interval. None where the steps cannot
    /// tell.
    pub crossing: Option<Estimate>,
    /// What a closed loop reached, where it was asked.
    pub peak: Option<Rate>,
    /// All of them, in order.
    pub steps: Vec<Step>,
    /// The place among them of the one that was held.
    pub held_step: Option<usize>,
}

/// Why a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The rate was held, and slightly more fails.
    Found,
    /// The highest rate that is allowed keeps the promise.
    MaxRate,
    /// The client cannot offer more and be trusted.
    Client,
    Guard(Guard),
    /// Requests went out later than the promise allows, at any load: nothing can be said of the server.
    Late,
    /// The promise is broken at hardly any load.
    FloorBroken,
    /// Rates that passed a step did not hold, nor did lower ones.
    NotHeld,
    /// The closed loop got no reply.
    NoReplies,
    TooManySteps,
    Interrupted,
}

impl Search {
    /// What is known. Before the search is done it is what an interruption would leave. `seed` is that of the draws of
    /// the interval.
    pub fn capacity(&self, seed: Seed) -> Capacity {
        let ended = self.ending.unwrap_or(Ending::Interrupted);
        // What did not hold is no answer, even if it passed a step.
        let passed = self.floor.filter(|_| self.failed_holds == 0 && !self.is_floor_assumed).map(Rate);
        let rate = self.held.map(|place| self.steps[place].planned.rate).or(passed);
        let points: Vec<Point> =
            self.steps.iter().map(|step| Point { rate: step.planned.rate.0, strains: &step.strains }).collect();
        Capacity {
            promise: self.settings.promise.clone(),
            rate,
            is_held: self.held.is_some(),
            is_at_least: rate.is_some() && ended != Ending::Found,
            ended,
            recommended: rate.filter(|_| self.held.is_some()).map(|rate| Rate(rate.0 * self.settings.headroom)),
            crossing: crossing(&points, seed),
            peak: self.peak,
            steps: self.steps.clone(),
            held_step: self.held,
        }
    }
}
