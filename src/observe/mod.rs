//! What else there is to know of a run: the machine that it ran on.

pub mod machine;

pub use machine::Machine;
