//! Two or more ways to a server, measured in turns: whatever changes with time happens to all of them alike.
//!
//! Trials one after the other in a noisy place declare equal systems different in up to four of ten cases; taking turns
//! at random does not. Source: Abedi and Brecht, "Conducting repeatable experiments in highly variable cloud computing
//! environments", ICPE 2017.

mod order;
mod rounds;

pub use order::Order;
pub use rounds::{Progress, Rounds, Turn};
