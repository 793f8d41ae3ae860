//! rbench measures Redis, and says who was the limit.
//!
//! > A **plan** says what to do; a **target** says to whom; the **engine** does it and brings home a
//! > **recording**; **stats** reads it; a **document** keeps it; a **report** says it. Each hands its result down and
//! > never looks back up.
//!
//! Below are the rooms, from the ground up. Each uses only rooms above it; the table in `tests/house.rs` holds the
//! house to that.

pub mod embedded;
pub mod engine;
pub mod event;
pub mod observe;
pub mod plan;
pub mod recording;
pub mod report;
pub mod resp;
pub mod result;
pub mod stats;
pub mod target;
pub mod units;
pub mod workload;
