//! rbench measures Redis, and says who was the limit.
//!
//! > A **plan** says what to do; a **target** says to whom; the **engine** does it and brings home a
//! > **recording**; **stats** reads it; a **document** keeps it; a **report** says it. Each hands its result down and
//! > never looks back up.
//!
//! Below are the rooms, from the ground up. Each uses only rooms above it; the table in `tests/house.rs` holds the
//! house to that.

// What every room speaks in, and the wire.
pub mod resp;
pub mod units;

// What is sent, to whom, and how much of it.
pub mod target;
pub mod workload;

pub mod plan;

// What happened, and what it means.
pub mod recording;

pub mod event;
pub mod stats;

pub mod observe;

// Doing it.
pub mod embedded;
pub mod engine;

// Something to do it to.
#[cfg(target_os = "linux")]
pub mod lab;

// Keeping and telling it.
pub mod result;

// Questions that take more than one run.
pub mod experiment;

pub mod report;

pub mod cli;
