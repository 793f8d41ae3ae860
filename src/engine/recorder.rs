//! What a load thread counts, handed over a few times a second.

use crate::plan::Plan;
use crate::recording::{Counts, Failure, LoadThread};
use crate::units::Nanos;
use hdrhistogram::Histogram;
use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender};

/// The longest time for which a load thread keeps its counts to itself: one second, or less when somebody `follows`.
const BEAT_MAX: Nanos = Nanos::from_secs(1);
const FOLLOWED_BEAT_MAX: Nanos = Nanos::from_millis(250);

/// How often load threads hand over their counts, so that slices of `interval` are a whole number of these.
pub fn beat(interval: Nanos, is_followed: bool) -> Nanos {
    let most = if is_followed { FOLLOWED_BEAT_MAX } else { BEAT_MAX };
    Nanos((interval.0 / interval.0.div_ceil(most.0)).max(1))
}

/// What load threads say to who collects.
#[derive(Debug)]
pub enum Message {
    /// The first requests are about to be sent, and beats begin.
    Sending { at: Nanos },
    /// Counts of the beat with this number, counted from the start of the run.
    Beat { thread: usize, beat: u64, counts: Box<Split> },
    /// The last that is heard of a thread.
    Ended { thread: usize, ending: Ending },
}

/// What of counts a run makes use of.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// Whether it is a closed loop.
    is_closed: bool,
    /// Whether there is a warm-up or a cool-down.
    has_aside: bool,
}

impl Kind {
    pub fn of(plan: &Plan) -> Kind {
        Kind { is_closed: plan.arrivals.is_none(), has_aside: plan.warmup + plan.cooldown > Nanos::ZERO }
    }
}

/// Counts, and what is not to count.
#[derive(Debug, Default)]
pub struct Split {
    pub measured: Counts,
    /// Of requests of the warm-up and the cool-down.
    pub aside: Counts,
}

impl Split {
    /// For a load thread. In a closed loop they are fine, and have room: a load thread that waits for memory while it
    /// counts makes latencies longer.
    fn of(kind: Kind) -> Split {
        let counts = |is_used: bool| {
            let mut counts = if kind.is_closed { Counts::fine() } else { Counts::default() };
            if kind.is_closed && is_used {
                counts.service.make_room();
            }
            counts
        };
        Split { measured: counts(true), aside: counts(kind.has_aside) }
    }

    pub fn add(&mut self, other: &Split) {
        self.measured.add(&other.measured);
        self.aside.add(&other.aside);
    }

    pub fn clear(&mut self) {
        self.measured.clear();
        self.aside.clear();
    }
}

/// How a load thread ended.
#[derive(Debug)]
pub struct Ending {
    /// When the part that counts began for this thread. None when it did not come to that.
    pub started: Option<Nanos>,
    /// When the last reply that counts was read, or the start when there was none.
    pub last_reply: Nanos,
    pub load: LoadThread,
    /// What ended it before its time.
    pub failure: Option<Failure>,
    /// The last of what it went on after.
    pub last_failure: Option<Failure>,
}

/// Counts into the beat at hand.
#[derive(Debug)]
pub struct Recorder {
    thread: usize,
    sender: Sender<Message>,
    /// Counts that were handed over, cleared: histograms that grow anew take a load thread milliseconds.
    given_back: Receiver<Box<Split>>,
    /// For the second beat, for which nothing was given back yet.
    spare: Option<Box<Split>>,
    kind: Kind,
    counts: Split,
    start: Nanos,
    /// What began in this span counts.
    measured: Range<Nanos>,
    beat_length: Nanos,
    beat: u64,
    beat_ends: Nanos,
    /// How long turns of the loop took that count. Two digits will do, and keep it small enough to stay in the cache.
    turns: Histogram<u32>,
    turn_max: Nanos,
}

/// Significant digits of the length of a turn.
const TURN_DIGITS: u8 = 2;

impl Recorder {
    pub fn new(
        thread: usize,
        beat_length: Nanos,
        kind: Kind,
        (sender, given_back): (Sender<Message>, Receiver<Box<Split>>),
    ) -> Recorder {
        Recorder {
            thread,
            sender,
            given_back,
            spare: Some(Box::new(Split::of(kind))),
            kind,
            counts: Split::of(kind),
            start: Nanos::ZERO,
            measured: Nanos::ZERO..Nanos(u64::MAX),
            beat_length,
            beat: 0,
            beat_ends: Nanos(u64::MAX),
            turns: Histogram::new(TURN_DIGITS).expect("two digits are a valid precision"),
            turn_max: Nanos::ZERO,
        }
    }

    /// Starts the beats: the run begins at `now`.
    pub fn start(&mut self, now: Nanos) {
        self.start = now;
        // Turns that brought connections about belong to no run.
        self.turns.reset();
        self.turn_max = Nanos::ZERO;
        self.counts.measured.loop_lag_max = Nanos::ZERO;
        self.beat_ends = now + self.beat_length;
        let _ = self.sender.send(Message::Sending { at: now });
    }

    /// What begins in `span` counts, and nothing else does.
    pub fn measure(&mut self, span: Range<Nanos>) {
        self.measured = span;
    }

    /// The counts that something belongs to which began at `moment`.
    #[inline]
    pub fn at(&mut self, moment: Nanos) -> &mut Counts {
        if self.is_measured(moment) { &mut self.counts.measured } else { &mut self.counts.aside }
    }

    /// Whether what began at `moment` counts.
    #[inline]
    pub fn is_measured(&self, moment: Nanos) -> bool {
        self.measured.contains(&moment)
    }

    /// Counts a turn of the loop, which was told at `woken` what is ready, and has served it all at `now`.
    #[inline]
    pub fn turned(&mut self, woken: Nanos, now: Nanos) {
        let lag = now - woken;
        let counts = self.at(woken);
        counts.loop_lag_max = counts.loop_lag_max.max(lag);
        if self.is_measured(woken) {
            self.turn_max = self.turn_max.max(lag);
            self.turns.record(lag.0).expect("the histogram grows with its values");
        }
    }

    /// The longest turn that counts, and what 99 % of them did not exceed.
    pub fn loop_lag(&self) -> Option<(Nanos, Nanos)> {
        (!self.turns.is_empty()).then(|| (self.turn_max, Nanos(self.turns.value_at_quantile(0.99))))
    }

    /// Hands over the beat at hand when it is over at `now`.
    #[inline]
    pub fn tick(&mut self, now: Nanos) {
        if now >= self.beat_ends {
            self.hand_over();
            self.beat = (now - self.start).0 / self.beat_length.0;
            self.beat_ends = self.start + Nanos((self.beat + 1) * self.beat_length.0);
        }
    }

    fn hand_over(&mut self) {
        let given_back = self.given_back.try_recv().ok().or_else(|| self.spare.take());
        let mut counts = given_back.unwrap_or_else(|| Box::new(Split::of(self.kind)));
        std::mem::swap(&mut *counts, &mut self.counts);
        // Who collects outlives every load thread; if it is gone, so is whoever wanted to know.
        let _ = self.sender.send(Message::Beat { thread: self.thread, beat: self.beat, counts });
    }

    /// Hands over what is left, and says how it ended.
    pub fn end(mut self, ending: Ending) {
        self.hand_over();
        let _ = self.sender.send(Message::Ended { thread: self.thread, ending });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::{Address, Server};
    use crate::workload::arrivals::{ArrivalProcess, Arrivals, Shape};

    /// Of what counts and what does not: how many latencies can be told apart at once.
    fn room(change: impl FnOnce(&mut Plan)) -> [usize; 2] {
        let mut plan = Plan::of(Server::at(Address::Tcp { host: "h".to_owned(), port: 1 }), Vec::new());
        change(&mut plan);
        let Split { measured, aside } = Split::of(Kind::of(&plan));
        [measured, aside].map(|counts| counts.service.room())
    }

    /// A load thread that counts into little room waits for more of it; memory that is not counted into is wasted.
    #[test]
    fn counts_have_the_room_that_their_run_makes_use_of() {
        let mut fine = Counts::fine().service;
        let little = fine.room();
        fine.make_room();
        let ample = fine.room();
        assert!(ample > 2 * little);
        assert_eq!(room(|_| {}), [ample, little]);
        assert_eq!(room(|plan| plan.warmup = Nanos(1)), [ample; 2]);
        assert_eq!(room(|plan| plan.cooldown = Nanos(1)), [ample; 2]);
        // What an open loop counts is not as fine.
        let constant = Arrivals { process: ArrivalProcess::Constant, shape: Shape::Fixed(1000.0) };
        let coarse = Counts::default().service.room();
        assert!(coarse < little);
        assert_eq!(room(|plan| (plan.arrivals, plan.warmup) = (Some(constant), Nanos(1))), [coarse; 2]);
    }
}
