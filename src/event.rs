//! What a running engine tells whoever watches.

use crate::recording::Counts;
use crate::units::Nanos;

/// Something that happened in a run.
#[derive(Debug)]
pub enum Event<'a> {
    /// A test has begun: its connections are being made.
    Started { title: &'a str, goal: Goal },
    /// All connections stand, and the first requests are about to be sent: at this time since 1970, from which elapsed
    /// time and intervals are counted.
    Sending { unix: Nanos },
    /// Sent a few times a second to whoever [`Observer::follows`].
    Progress { elapsed: Nanos, completed: u64, recent: &'a Counts },
    /// A slice of the timeline is complete: where it begins, how long it is, what happened in it, and what of that is
    /// measured, which leaves out warm-up and cool-down.
    Interval { start: Nanos, length: Nanos, counts: &'a Counts, measured: &'a Counts },
    /// The run is over, in whichever way; the part that counts, with its last reply, was over at this time.
    Ended { measured_until: Nanos },
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

    /// Whether it wants to hear of progress more often than of intervals. Collecting takes a millisecond each time, of a
    /// core that load threads may have use for.
    fn follows(&self) -> bool {
        false
    }
}

/// Two watch.
impl<A: Observer + ?Sized, B: Observer> Observer for (&mut A, B) {
    fn observe(&mut self, event: &Event) {
        self.0.observe(event);
        self.1.observe(event);
    }

    fn follows(&self) -> bool {
        self.0.follows() || self.1.follows()
    }
}

/// Nobody watches.
impl Observer for () {
    fn observe(&mut self, _: &Event) {}
}
