//! Load at one rate, watched a second at a time and ended as soon as its verdict is known.

use super::arguments::Settings;
use crate::cli::error::Error;
use crate::cli::interrupt::Interrupt;
use crate::cli::session::Session;
use crate::cli::ways::Way;
use crate::engine::drivers::DRIVERS;
use crate::engine::{self, EngineError, Load};
use crate::event::{Event, Observer};
use crate::experiment::capacity::{Batch, Flow, Judge, Planned};
use crate::observe::Machine;
use crate::plan::{Plan, Stop};
use crate::recording::observed::Sample;
use crate::recording::{Counts, ErrorKind, Latencies};
use crate::report::progress::Progress;
use crate::result::{TestResult, judge_result};
use crate::stats;
use crate::units::{Nanos, Rate};
use crate::workload::arrivals::{Arrivals, Shape};
use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch::Receiver;

/// How much of a step is judged at a time: a whole number of these is in each step, and three of them at the least.
const BATCH: Nanos = Nanos::from_secs(1);
const BATCH_OF_SHORT: Nanos = Nanos::from_millis(250);

/// How long a batch of a step is.
fn batch(planned: &Planned) -> Nanos {
    if planned.span.0 >= 3 * BATCH.0 { BATCH } else { BATCH_OF_SHORT }
}

/// What a request costs a load thread that does not wait: a closed loop tells it. In an open loop it costs more: a thread
/// that has little to do goes to sleep and wakes up for each.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    ns: f64,
    threads: f64,
}

impl Cost {
    /// Of a closed loop. None when nothing was answered.
    pub fn of(result: &TestResult) -> Option<Cost> {
        let ns = result.summary.client_cpu_ns_per_request?;
        Some(Cost { ns, threads: result.load_threads.len().max(1) as f64 })
    }

    /// The share of a core that each load thread needs for `rate`.
    pub fn at(&self, rate: Rate) -> f64 {
        rate.0 * self.ns / 1e9 / self.threads
    }
}

/// Loads ways, one step at a time.
pub struct Steps<'a> {
    session: &'a Session,
    settings: &'a Settings,
    machine: Machine,
    /// The number of the next step, which its requests and arrivals are drawn from.
    round: u64,
}

impl<'a> Steps<'a> {
    pub fn new(session: &'a Session, settings: &'a Settings) -> Steps<'a> {
        Steps { session, settings, machine: Machine::observe(), round: 0 }
    }

    /// Load before each step, which counts in nothing.
    pub fn settle(&self) -> Nanos {
        self.settings.settle
    }

    /// A closed loop over `span`, with `clients` connections where that is another number than the plan's.
    ///
    /// # Errors
    /// [`Error`] when the load could not be made, or not to its end.
    pub fn closed_loop(
        &mut self,
        way: &mut Way,
        test: usize,
        span: Nanos,
        clients: Option<u32>,
    ) -> Result<TestResult, Error> {
        let plan = Plan {
            arrivals: None,
            clients: clients.unwrap_or(way.plan.clients),
            warmup: self.settings.settle,
            stop: Stop::AfterDuration(span),
            ..way.plan.clone()
        };
        // Connections of another number of clients are not kept for the next.
        self.load(way, plan, test, clients.is_none(), &mut NoJudge)
    }

    /// Load at a rate, until `judge` knows its verdict.
    ///
    /// # Errors
    /// As above.
    pub fn open_loop(
        &mut self,
        way: &mut Way,
        test: usize,
        planned: &Planned,
        judge: &mut Judge,
        cost: Option<Cost>,
    ) -> Result<TestResult, Error> {
        let process = way.plan.arrivals.as_ref().map(|arrivals| arrivals.process).unwrap_or_default();
        let plan = Plan {
            arrivals: Some(Arrivals { process, shape: Shape::Fixed(planned.rate.0) }),
            warmup: self.settings.settle,
            // It is ended as soon as it is judged, by whole batches: the first begins when load has settled.
            stop: Stop::AfterDuration(planned.most + batch(planned) + batch(planned)),
            interval: batch(planned),
            ..way.plan.clone()
        };
        let mut judged = Judged { judge, cost, unsent: 0, seen: None };
        self.load(way, plan, test, true, &mut judged)
    }

    fn load(
        &mut self,
        way: &mut Way,
        plan: Plan,
        index: usize,
        stands: bool,
        judge: &mut dyn JudgeBatches,
    ) -> Result<TestResult, Error> {
        let (test, round) = (&plan.tests[index], self.round);
        self.round += 1;
        let proxies = self.session.look_at(&self.settings.haproxy_stats, round == 0)?;
        let observers = std::mem::take(&mut way.observers);
        let observing = self.session.unless_interrupted(observers.begin(plan.clients.into(), plan.interval));
        let mut observing = observing.ok_or_else(|| self.interrupted())?;
        judge.look_at(observing.seen());
        let enough = AtomicBool::new(false);
        let progress = io::stderr().is_terminal().then(Progress::default);
        let (batch, settled) = (plan.interval, plan.warmup);
        // What began before it is of the time in which load settles, or partly so.
        let next = Nanos(settled.0.div_ceil(batch.0) * batch.0);
        let mut watch = Watch { interrupt: &self.session.interrupt, enough: &enough, progress, judge, batch, next };
        let mut watching = (&mut watch as &mut dyn Observer, observing.starter());
        let load = Load {
            plan: &plan,
            test,
            seed: plan.seed_of(round, index),
            directory: &way.directory,
            standing: stands.then_some(&way.standing),
        };
        let ran = engine::run(&DRIVERS[0], load, &enough, &mut watching);
        let (observers, mut observed) = self.session.observed(observing);
        way.observers = observers;
        let recording = ran.map_err(|error| self.not_made(&error))?;
        let dealt = way.dealt.entry((round, index, 0)).or_default();
        *dealt = (*dealt).max(recording.dealt);
        if self.session.interrupt.is_set() {
            return Err(self.interrupted());
        }
        observed.complete(&recording.timeline, &recording.load_threads);
        let summary = stats::summarize(&recording);
        let mut result = TestResult::of(&plan, round, index, None, recording, summary);
        result.proxies = self.session.since(&proxies, &self.settings.haproxy_stats);
        result.observed = Some(observed);
        judge_result(&plan, &self.machine, &way.targets, &mut result);
        Ok(result)
    }

    fn interrupted(&self) -> Error {
        self.session.interrupted("interrupted: the search is not over")
    }

    fn not_made(&self, error: &EngineError) -> Error {
        match error {
            EngineError::Interrupted => self.interrupted(),
            error => Error::failed(error),
        }
    }
}

/// Whoever is told of batches.
trait JudgeBatches {
    /// What was measured in `span`.
    fn tell(&mut self, counts: &Counts, span: Nanos) -> Flow;

    /// Where samples of everybody else will be seen.
    fn look_at(&mut self, _seen: Receiver<Sample>) {}
}

/// A closed loop goes on to its end.
struct NoJudge;

impl JudgeBatches for NoJudge {
    fn tell(&mut self, _: &Counts, _: Nanos) -> Flow {
        Flow::Continue
    }
}

/// Batches of an open loop.
struct Judged<'a> {
    judge: &'a mut Judge,
    cost: Option<Cost>,
    /// Requests that were due and not sent.
    unsent: u64,
    seen: Option<Receiver<Sample>>,
}

impl JudgeBatches for Judged<'_> {
    fn tell(&mut self, counts: &Counts, span: Nanos) -> Flow {
        self.unsent = (self.unsent + counts.due).saturating_sub(counts.sent);
        let (nothing, seen) = (Latencies::default(), self.take_seen().unwrap_or_default());
        self.judge.tell(&Batch {
            span,
            offered: counts.due,
            completed: counts.completed,
            errors: counts.errors.total() + counts.unknown,
            unsent: self.unsent,
            response: counts.response.as_ref().unwrap_or(&nothing),
            slip_ns_p99: counts.slip.as_ref().and_then(|slip| slip.at(99.0)),
            client_busy: self.cost.map(|cost| cost.at(Rate::of(counts.completed, span))),
            evicted: seen.servers.iter().filter_map(|server| server.activity.evicted_keys).sum(),
            replica_lag_bytes: seen.servers.iter().filter_map(|server| server.activity.replica_lag_bytes).max(),
            clients_refused: counts.errors.of_kind(ErrorKind::ConnectFailed),
        })
    }

    fn look_at(&mut self, seen: Receiver<Sample>) {
        self.seen = Some(seen);
    }
}

impl Judged<'_> {
    /// A sample that was not looked at yet.
    fn take_seen(&mut self) -> Option<Sample> {
        let seen = self.seen.as_mut()?;
        seen.has_changed().ok()?.then(|| seen.borrow_and_update().clone())
    }
}

/// Hands batches over, and ends the load when that is enough or we are asked to stop.
struct Watch<'a> {
    interrupt: &'a Interrupt,
    enough: &'a AtomicBool,
    progress: Option<Progress>,
    judge: &'a mut dyn JudgeBatches,
    batch: Nanos,
    /// Where the next batch begins.
    next: Nanos,
}

impl Watch<'_> {
    fn tell(&mut self, counts: &Counts) {
        self.next = self.next + self.batch;
        if self.judge.tell(counts, self.batch) == Flow::Stop {
            self.enough.store(true, Ordering::Relaxed);
        }
    }

    /// Batches up to `until` in which nothing fell due, and nothing was answered: nobody else tells of them.
    fn tell_silence(&mut self, until: Nanos) {
        while self.next + self.batch <= until {
            self.tell(&Counts::default());
        }
    }
}

impl Observer for Watch<'_> {
    fn observe(&mut self, event: &Event) {
        if let Some(progress) = &mut self.progress {
            progress.observe(event);
        }
        if self.interrupt.is_set() {
            self.enough.store(true, Ordering::Relaxed);
        }
        match event {
            Event::Interval { start, measured, .. } if *start >= self.next => {
                self.tell_silence(*start);
                self.tell(measured);
            }
            Event::Ended { measured_until } if !self.enough.load(Ordering::Relaxed) => {
                self.tell_silence(*measured_until);
            }
            _ => {}
        }
    }

    fn follows(&self) -> bool {
        self.progress.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What fell due and was answered in each batch, until so many were told.
    struct Told(Vec<(u64, u64)>, usize);

    impl JudgeBatches for Told {
        fn tell(&mut self, counts: &Counts, span: Nanos) -> Flow {
            assert_eq!(span, BATCH_OF_SHORT);
            self.0.push((counts.due, counts.completed));
            if self.0.len() == self.1 { Flow::Stop } else { Flow::Continue }
        }
    }

    /// Batches that `intervals` are told as, where load settles in the first two, and `most` are enough.
    fn told(intervals: &[(u64, u64, u64)], ended: u64, most: usize) -> Vec<(u64, u64)> {
        let (interrupt, enough, length) = (Interrupt::default(), AtomicBool::new(false), BATCH_OF_SHORT);
        let at = |place: u64| Nanos(length.0 * place);
        let mut told = Told(Vec::new(), most);
        let mut watch = Watch {
            interrupt: &interrupt,
            enough: &enough,
            progress: None,
            judge: &mut told,
            batch: length,
            next: at(2),
        };
        for &(place, due, completed) in intervals {
            let measured = Counts { due, completed, ..Counts::default() };
            watch.observe(&Event::Interval { start: at(place), length, counts: &measured, measured: &measured });
        }
        watch.observe(&Event::Ended { measured_until: at(ended) });
        told.0
    }

    /// At ten requests a second, a quarter of one often has none: that is no request that was not sent.
    #[test]
    fn batches_without_arrivals_are_told_as_such() {
        let all = told(&[(1, 2, 2), (3, 4, 3), (4, 0, 1), (7, 2, 2)], 9, usize::MAX);
        assert_eq!(all, [(0, 0), (4, 3), (0, 1), (0, 0), (0, 0), (2, 2), (0, 0)]);
        assert_eq!(told(&[(2, 1, 1), (3, 1, 1)], 9, 2), [(1, 1), (1, 1)], "enough is enough");
    }
}
