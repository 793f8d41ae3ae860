//! The wire, without a socket: requests encoded, replies scanned and classified.

pub mod encode;
pub mod scan;

pub use encode::encode;
pub use scan::{Malformed, Reply, Scanner};
