//! The document: everything that a run found out, in a file that outlives it. Whatever a report prints is computed from
//! a document alone.

pub mod document;
pub mod store;

pub use document::{Document, TestResult, Tool};
pub use store::StoreError;
