//! Questions that take more than one run.

pub mod capacity;
pub mod compare;
