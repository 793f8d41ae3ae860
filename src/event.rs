//! What a running engine tells whoever watches.

use crate::recording::Counts;
use crate::units::Nanos;

/// Something that happened in a run.
#[derive(Debug)]
pub enum Event<'a> {
    /// All connections stand, and the first requests are about to be sent.
    Started { title: &'a str, goal: Goal },
    /// Sent a few times a second.
    Progress { elapsed: Nanos, completed: u64, recent: &'a Counts },
    /// A slice of the timeline is complete: where it begins, how long it is, and what happened in it.
    Interval { start: Nanos, length: Nanos, counts: &'a Counts },
    /// The run is over, in whichever way.
    Ended,
}

/// What a run is on its way to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    Requests(u64),
    /// Of this length, warm-up and cool-down included.
    Time(Nanos),
}

/// Whoever watches a run. Called on the thread that collects, never on one that makes load.
pub trait Observer {
    fn observe(&mut self, event: &Event);
}

/// Nobody watches.
impl Observer for () {
    fn observe(&mut self, _: &Event) {}
}
