//! A server that behaves as it is told, so that what is measured of it can be held against what is known.
//!
//! Every data request passes the queue (`departures`) and is held back by its delays; what leaves in the end is its
//! reply, an error, or the connection. It is executed as it arrives, unless it fails or is dropped: then not at all. What
//! clients ask besides ([`is_housekeeping`]) is answered at once, but for the replies that the same connection is still
//! owed: those come first.
//!
//! [`is_housekeeping`]: super::commands::Command::is_housekeeping

mod chance;
mod counts;
mod departures;
mod held;
mod spec;

pub use counts::Counts;
pub use held::Held;
pub use spec::{Behaviours, Refused};

use crate::units::{Nanos, Seed};
use chance::Chance;
use departures::Departures;
use spec::{Delay, Service};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

// Long before a reply is due the thread sleeps, and wakes this much too early: a thread that is woken takes tens of
// microseconds to run.
const SPIN: Nanos = Nanos(60_000);

// Without a seed, two servers behave alike.
const SEED: Seed = Seed(1);

/// What becomes of one request, and when.
#[derive(Debug, PartialEq)]
pub struct Verdict {
    pub due: Nanos,
    pub fate: Fate,
}

#[derive(Debug, PartialEq)]
pub enum Fate {
    Answer,
    /// An error reply, without its `-` and its line end.
    Fail(String),
    /// The connection is closed.
    Drop,
}

/// How the server is to wait for what comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Nothing is held back.
    ForOthers,
    /// Something is, for at least so long.
    For(Nanos),
    Spin,
}

/// The behaviour of a server on its way.
pub struct Behaviour {
    spec: Behaviours,
    seed: Seed,
    departures: Departures,
    /// Requests judged so far: the next one's number.
    requests: u64,
    started: Instant,
    now: Nanos,
    /// When something that is held back is due, and for which client.
    agenda: BinaryHeap<Reverse<(Nanos, usize)>>,
    /// For INFO.
    pub counts: Counts,
}

/// Streams of draws that know nothing of each other. Delays have one each, from the last on.
const OF_SERVICE: u64 = 0;
const OF_FATE: u64 = 1;
const OF_DELAYS: u64 = 2;

impl Behaviour {
    /// Its clock, and with it the time to the first stall, begins now.
    pub fn new(spec: Behaviours) -> Behaviour {
        Behaviour {
            seed: spec.seed.unwrap_or(SEED),
            departures: Departures::new(spec.stall),
            spec,
            requests: 0,
            started: Instant::now(),
            now: Nanos::ZERO,
            agenda: BinaryHeap::new(),
            counts: Counts::default(),
        }
    }

    pub fn read_clock(&mut self) -> Nanos {
        self.now = self.started.elapsed().into();
        self.now
    }

    /// When the clock was read last.
    pub fn now(&self) -> Nanos {
        self.now
    }

    /// Decides about a data request that arrived at `arrival`. The draws depend on the seed and on how many requests
    /// there were before.
    pub fn judge(&mut self, arrival: Nanos) -> Verdict {
        let request = self.requests;
        self.requests += 1;
        self.counts.requests += 1;
        let service = match self.spec.service {
            None => Nanos::ZERO,
            Some(Service::Constant(lasts)) => lasts,
            Some(Service::Exponential(mean)) => self.chance(OF_SERVICE).exponential(request, mean),
        };
        let departure = self.departures.depart(arrival, service);
        let delay = self.delay(request);
        let due = if delay == Nanos::ZERO { departure } else { self.departures.resume(departure + delay) };
        Verdict { due, fate: self.fate(request) }
    }

    fn chance(&self, of: u64) -> Chance {
        Chance::new(self.seed.child(of))
    }

    fn delay(&self, request: u64) -> Nanos {
        let lots = (OF_DELAYS..).map(|of| self.chance(of).share(request));
        let drawn = self.spec.delays.iter().zip(lots).filter(|(delay, lot)| *lot < delay.share);
        drawn.fold(Nanos::ZERO, |sum, (Delay { lasts, .. }, _)| sum + *lasts)
    }

    /// One draw for all fates: each has exactly its share.
    fn fate(&mut self, request: u64) -> Fate {
        let mut lot = self.chance(OF_FATE).share(request);
        let mut falls_to = |share: f64| {
            lot -= share;
            lot < 0.0
        };
        if self.spec.drop.is_some_and(&mut falls_to) {
            self.counts.dropped += 1;
            return Fate::Drop;
        }
        match self.spec.errors.iter().find(|errors| falls_to(errors.share)) {
            Some(errors) => {
                self.counts.failed += 1;
                Fate::Fail(format!("{} rbench was told to fail", errors.code))
            }
            None => Fate::Answer,
        }
    }

    /// Takes note that `client` has something held back that is due at `due`.
    pub fn remember(&mut self, due: Nanos, client: usize) {
        self.agenda.push(Reverse((due, client)));
    }

    /// A client who has, or had before its connection ended, something held back that is due now.
    pub fn next_due(&mut self) -> Option<usize> {
        let &Reverse((due, client)) = self.agenda.peek()?;
        if due > self.read_clock() {
            return None;
        }
        self.agenda.pop();
        Some(client)
    }

    /// Counts a reply that was due at `due` and leaves now.
    pub fn count_held(&mut self, due: Nanos) {
        self.counts.late.record(self.now - due);
    }

    /// How to wait, now.
    pub fn wait(&mut self) -> Wait {
        let Some(&Reverse((due, _))) = self.agenda.peek() else { return Wait::ForOthers };
        match due - self.read_clock() {
            left if left > SPIN => Wait::For(left - SPIN),
            _ => Wait::Spin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(spec: &str) -> Behaviour {
        Behaviour::new(spec.parse().unwrap())
    }

    /// What becomes of 100,000 requests, one each millisecond.
    fn verdicts(spec: &str) -> Vec<(Nanos, Verdict)> {
        let mut behaviour = told(spec);
        (1..=100_000).map(Nanos::from_millis).map(|arrival| (arrival, behaviour.judge(arrival))).collect()
    }

    fn count(spec: &str, fate: &Fate) -> usize {
        verdicts(spec).iter().filter(|(_, verdict)| verdict.fate == *fate).count()
    }

    fn fail(code: &str) -> Fate {
        Fate::Fail(format!("{code} rbench was told to fail"))
    }

    /// Four standard deviations of a binomial distribution around its mean.
    fn is_share(count: usize, share: f64) -> bool {
        (count as f64 - 100_000.0 * share).abs() <= 4.0 * (100_000.0 * share * (1.0 - share)).sqrt()
    }

    #[test]
    fn fates_have_their_shares() {
        let spec = "drop:0.001,error:OOM:0.01,error:READONLY:0.3";
        for (fate, share) in
            [(Fate::Drop, 0.001), (fail("OOM"), 0.01), (fail("READONLY"), 0.3), (Fate::Answer, 0.689), (fail("X"), 0.0)]
        {
            let count = count(spec, &fate);
            assert!(is_share(count, share), "{fate:?}: {count}");
        }
        assert_eq!(count("error:A:0.5,error:B:0.5,drop:0", &Fate::Answer), 0);
        assert_eq!(count("drop:1", &Fate::Drop), 100_000);
        assert_eq!(count("seed:9", &Fate::Answer), 100_000);
    }

    #[test]
    fn delays_have_their_shares_and_add_up() {
        let verdicts = verdicts("delay:1ms:0.5,delay:10ms:0.1");
        for (millis, share) in [(0, 0.45), (1, 0.45), (10, 0.05), (11, 0.05)] {
            let delayed = |(arrival, verdict): &&(Nanos, Verdict)| verdict.due - *arrival == Nanos::from_millis(millis);
            let count = verdicts.iter().filter(delayed).count();
            assert!(is_share(count, share), "{millis}: {count}");
        }
    }

    #[test]
    fn delays_overlap_and_services_do_not() {
        let due = |spec: &str| {
            let mut behaviour = told(spec);
            [0, 0, 1].map(|millis| behaviour.judge(Nanos::from_millis(millis)).due)
        };
        assert_eq!(due("delay:5ms"), [5, 5, 6].map(Nanos::from_millis));
        assert_eq!(due("service:const:5ms"), [5, 10, 15].map(Nanos::from_millis));
        assert_eq!(due("service:const:5ms,delay:5ms"), [10, 15, 20].map(Nanos::from_millis));
    }

    #[test]
    fn nothing_leaves_during_a_stall() {
        for (_, Verdict { due, .. }) in verdicts("stall:1s@every:5s,delay:3ms:0.5,service:exp:200us") {
            assert!(due.0 < 5_000_000_000 || due.0 % 5_000_000_000 >= 1_000_000_000, "{due:?}");
        }
    }

    /// Also: what is drawn for one behaviour is the same with others beside it.
    #[test]
    fn a_seed_repeats_itself_and_another_does_not() {
        let dues = |spec: &str| verdicts(spec).into_iter().map(|(_, verdict)| verdict.due).collect::<Vec<_>>();
        let first = dues("service:exp:200us,seed:42");
        assert_eq!(first, dues("seed:42,drop:0.5,service:exp:200us,error:ERR:0.1"));
        assert_ne!(first, dues("service:exp:200us,seed:43"));
        assert_eq!(dues("service:exp:200us"), dues("service:exp:200us"));
    }

    #[test]
    fn those_who_are_due_come_in_their_order_and_no_sooner() {
        let mut behaviour = told("delay:1ms");
        assert_eq!(behaviour.wait(), Wait::ForOthers);
        behaviour.remember(Nanos::from_secs(3600), 7);
        behaviour.remember(Nanos(2), 5);
        behaviour.remember(Nanos(1), 6);
        assert_eq!(behaviour.wait(), Wait::Spin);
        assert_eq!([behaviour.next_due(), behaviour.next_due(), behaviour.next_due()], [Some(6), Some(5), None]);
        assert!(matches!(behaviour.wait(), Wait::For(left) if left > Nanos::from_secs(3000)));
    }
}
