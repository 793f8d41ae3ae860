//! What a running engine tells whoever watches.

use crate::recording::Counts;
use crate::units::Nanos;

/// Something that happened in a run.
#[derive(Debug)]
pub enum Event<'a> {
    /// All connections stand, and the first requests are about to be sent.
    Started { title: &'a str, requests: u64 },
    /// Sent a few times a second.
    Progress { elapsed: Nanos, completed: u64, recent: &'a Counts },
    /// The run is over, in whichever way.
    Ended,
}

/// Whoever watches a run. Called on the thread that collects, never on one that makes load.
pub trait Observer {
    fn observe(&mut self, event: &Event);
}

/// Nobody watches.
impl Observer for () {
    fn observe(&mut self, _: &Event) {}
}
