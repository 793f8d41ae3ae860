//! What a batch says of a promise: sums, of which those of several batches make that of a step.

use super::batch::Batch;
use crate::stats::Promise;

/// Beyond so many times what is promised, nothing recovers.
pub(super) const HOPELESS: f64 = 10.0;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
    /// Of each condition of the promise, its excess.
    pub excess: Vec<f64>,
    /// The same of limits that are [`HOPELESS`] times as far.
    pub hopeless: Vec<f64>,
    /// How near its latencies are to what is promised, 1 at the limit.
    pub strain: Option<f64>,
}

impl Reading {
    pub fn of(promise: &Promise, batch: &Batch) -> Reading {
        let ended = batch.completed + batch.errors;
        let excess = |times: f64| {
            let conditions = promise.conditions().iter();
            conditions.map(|it| it.times(times).excess(batch.response, batch.errors, ended)).collect()
        };
        Reading { excess: excess(1.0), hopeless: excess(HOPELESS), strain: promise.strain(batch.response) }
    }
}
