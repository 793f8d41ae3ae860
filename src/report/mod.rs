//! The only room that prints: what a document says, as text.

pub mod redis_benchmark;
