//! What is sent: the tests of the suite, requests with holes, the values and keys that fill the holes, and batches of
//! requests as bytes. Pure: nothing here knows a socket or a clock.

pub mod arrivals;
pub mod batch;
pub mod fillings;
#[cfg(test)]
mod goodness;
pub mod keys;
pub mod mix;
pub mod prepared;
pub mod reads;
pub mod sequence;
pub mod slots;
pub mod suite;
pub mod template;
pub mod test;
pub mod values;
pub mod written;

pub use batch::Batch;
pub use fillings::{Fillings, Ttl};
pub use keys::{KeyDistribution, Keys};
pub use reads::Read;
pub use slots::Slots;
pub use template::Template;
pub use test::{Command, KeyAt, Test};
pub use values::{ValueData, ValueSize, Values};
