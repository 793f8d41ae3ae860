//! The wire, without a socket: requests encoded, replies scanned and classified, requests parsed for the embedded server.

pub mod encode;
pub mod request;
pub mod scan;

pub use encode::encode;
pub use scan::{Malformed, Reply, Scanner};
