//! rbench measures Redis, and says who was the limit.
//!
//! The rooms, in the order in which a run passes through them. Each uses only rooms above it; the table in
//! `tests/house.rs` holds the house to that.
//!
//! > A **plan** says what to do; a **target** says to whom; the **engine** does it and brings home a
//! > **recording**; **stats** reads it; a **document** keeps it; a **report** says it. Each hands its result down and
//! > never looks back up.

pub mod resp;
pub mod units;
