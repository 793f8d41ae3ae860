//! What a load thread counts, handed over a few times a second.

use crate::recording::{Counts, Failure, LoadThread};
use crate::units::Nanos;
use std::sync::mpsc::Sender;

/// How often a load thread hands over its counts. Intervals of a timeline are a whole number of these.
pub const BEAT: Nanos = Nanos::from_millis(250);

/// What load threads say to who collects.
#[derive(Debug)]
pub enum Message {
    /// Counts of the beat with this number, counted from the start of the run.
    Beat { thread: usize, beat: u64, counts: Box<Counts> },
    /// The last that is heard of a thread.
    Ended { thread: usize, ending: Ending },
}

/// How a load thread ended.
#[derive(Debug)]
pub struct Ending {
    /// When the run started for this thread. None when it did not come to that.
    pub started: Option<Nanos>,
    /// When the last reply was read, or the start when there was none.
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
    pub counts: Counts,
    start: Nanos,
    beat: u64,
    beat_ends: Nanos,
}

impl Recorder {
    pub fn new(thread: usize, sender: Sender<Message>) -> Recorder {
        Recorder { thread, sender, counts: Counts::default(), start: Nanos::ZERO, beat: 0, beat_ends: Nanos(u64::MAX) }
    }

    /// Starts the beats: the run begins at `now`.
    pub fn start(&mut self, now: Nanos) {
        self.start = now;
        self.beat_ends = now + BEAT;
    }

    /// Hands over the beat at hand when it is over at `now`.
    #[inline]
    pub fn tick(&mut self, now: Nanos) {
        if now >= self.beat_ends {
            self.hand_over();
            self.beat = (now - self.start).0 / BEAT.0;
            self.beat_ends = self.start + Nanos((self.beat + 1) * BEAT.0);
        }
    }

    fn hand_over(&mut self) {
        let counts = Box::new(std::mem::take(&mut self.counts));
        // Who collects outlives every load thread; if it is gone, so is whoever wanted to know.
        let _ = self.sender.send(Message::Beat { thread: self.thread, beat: self.beat, counts });
    }

    /// Hands over what is left, and says how it ended.
    pub fn end(mut self, ending: Ending) {
        self.hand_over();
        let _ = self.sender.send(Message::Ended { thread: self.thread, ending });
    }
}
