//! The document: everything that a run found out, in a file that outlives it. Whatever a report prints is computed from
//! a document alone.

pub mod calibration;
pub mod capacity;
pub mod compare;
pub mod document;
pub mod hdr_log;
pub mod judge;
pub mod repeats;
pub mod store;
pub mod test;

pub use document::{Document, Kind, Tool};
pub use judge::judge_result;
pub use repeats::Repeats;
pub use store::StoreError;
pub use test::{CommandResult, TestResult};
