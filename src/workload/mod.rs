//! What is sent: the tests of the suite, requests with holes, the values and keys that fill the holes, and batches of
//! requests as bytes. Pure: nothing here knows a socket or a clock.

pub mod arrivals;
pub mod batch;
#[cfg(test)]
mod goodness;
pub mod keys;
pub mod sequence;
pub mod slots;
pub mod suite;
pub mod template;
pub mod test;
pub mod value;
pub mod written;

pub use batch::Batch;
pub use keys::{KeyDistribution, Keys};
pub use slots::Slots;
pub use template::Template;
pub use test::{KeyAt, Test};
