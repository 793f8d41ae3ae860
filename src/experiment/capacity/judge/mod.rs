//! Whether a step keeps the promise. Told a batch at a time, so that what cannot recover is ended at once.

use super::batch::{Batch, Guards};
use super::reading::{HOPELESS, Reading};
use super::step::{Figures, Planned, Stage, Step, Verdict, Why};
use crate::recording::Latencies;
use crate::stats::promise::{Condition, Promise};
use crate::units::Nanos;

/// Of what was offered, this share is to be answered.
const ACHIEVED_MIN: f64 = 0.98;

/// A load thread that is busier than this cannot be told from a server that is slow.
const CLIENT_BUSY_MAX: f64 = 0.9;

/// Batches in a row after which a backlog that grows is one that goes on growing.
const GROWING_BATCHES: u32 = 3;

/// What is held is given up when a quarter of it is over, and so many times of what is allowed was used by then, the worst
/// batch left out.
const GIVEN_UP: f64 = 1.2;
const GIVEN_UP_AFTER: u64 = 4;

/// Sums of shares such as 0.01 are a little off.
const TINY: f64 = 1e-6;

/// What a request may take where nothing is promised of latencies.
const UNPROMISED: Nanos = Nanos::from_secs(1);

/// Whether the load goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    Continue,
    Stop,
}

#[derive(Debug)]
pub struct Judge {
    promise: Promise,
    guards: Guards,
    planned: Planned,
    /// What is to be measured: as planned, or extended.
    span: Nanos,
    figures: Figures,
    response: Latencies,
    strains: Vec<f64>,
    busy: Vec<f64>,
    /// Of each condition of the promise.
    tallies: Vec<Tally>,
    /// Of each condition with a limit that is [`HOPELESS`] times as far.
    hopeless: Vec<Tally>,
    backlog: Backlog,
    verdict: Option<(Verdict, Option<Why>)>,
}

/// A condition with its excess in each batch.
#[derive(Debug)]
struct Tally {
    condition: Condition,
    excess: Vec<f64>,
}

#[derive(Debug, Default)]
struct Backlog {
    unsent: u64,
    /// Batches in a row after which more were unsent than before.
    growing: u32,
    /// Batches in a row after which there were too many.
    deep: u32,
}

impl Judge {
    pub fn new(promise: &Promise, guards: Guards, planned: Planned) -> Judge {
        let tallies = |times: f64| -> Vec<Tally> {
            let conditions = promise.conditions().iter();
            conditions.map(|it| Tally { condition: it.times(times), excess: Vec::new() }).collect()
        };
        Judge {
            promise: promise.clone(),
            guards,
            planned,
            span: planned.span,
            figures: Figures::default(),
            response: Latencies::default(),
            strains: Vec::new(),
            busy: Vec::new(),
            tallies: tallies(1.0),
            hopeless: tallies(HOPELESS),
            backlog: Backlog::default(),
            verdict: None,
        }
    }

    /// What is to be measured in all: the plan's, or more where it was not clear.
    pub fn span(&self) -> Nanos {
        self.span
    }

    /// Takes note of a batch. [`Flow::Stop`] when nothing that may follow changes the verdict.
    pub fn tell(&mut self, batch: &Batch) -> Flow {
        self.tell_read(batch, Reading::of(&self.promise, batch))
    }

    /// The same of a batch that has been read.
    pub(super) fn tell_read(&mut self, batch: &Batch, reading: Reading) -> Flow {
        if self.verdict.is_none() {
            self.note(batch, reading);
            self.verdict = self.decided(batch);
        }
        if self.verdict.is_none() { Flow::Continue } else { Flow::Stop }
    }

    /// The share of a core that a load thread needed, where batches could not tell.
    pub fn tell_client(&mut self, busy: f64) {
        self.busy.push(busy);
        if let Some((Verdict::Fail, Some(why))) = &mut self.verdict
            && busy > CLIENT_BUSY_MAX
            && !matches!(why, Why::Guard(_))
        {
            *why = Why::Client(busy);
        }
    }

    /// What came of the step. One that was ended before its verdict is unclear.
    pub fn finish(mut self) -> Step {
        self.figures.read(&self.response);
        self.figures.client_busy = median(&mut self.busy);
        let (verdict, why) = self.verdict.unwrap_or((Verdict::Unclear, Some(Why::CutShort)));
        let ended = (self.figures.completed + self.figures.errors) as f64;
        let used = self.tallies.iter().filter_map(|tally| tally.used(ended)).reduce(f64::max);
        let (planned, figures, strains, response) = (self.planned, self.figures, self.strains, self.response);
        Step { planned, verdict, why, figures, strains, used, response }
    }

    fn note(&mut self, batch: &Batch, reading: Reading) {
        let figures = &mut self.figures;
        figures.span_ns = figures.span_ns + batch.span;
        figures.offered += batch.offered;
        figures.completed += batch.completed;
        figures.errors += batch.errors;
        figures.unsent = batch.unsent;
        figures.slip_ns_p99 = figures.slip_ns_p99.max(batch.slip_ns_p99);
        self.response.add(batch.response);
        self.strains.extend(reading.strain);
        self.busy.extend(batch.client_busy);
        for (tally, excess) in self.tallies.iter_mut().zip(reading.excess) {
            tally.excess.push(excess);
        }
        for (tally, excess) in self.hopeless.iter_mut().zip(reading.hopeless) {
            tally.excess.push(excess);
        }
        let bearable = self.planned.rate.0 * self.promise.longest().unwrap_or(UNPROMISED).as_secs();
        self.backlog.note(batch.unsent, bearable);
    }

    fn decided(&mut self, batch: &Batch) -> Option<(Verdict, Option<Why>)> {
        if let Some(guard) = self.guards.stopped_by(batch) {
            return Some((Verdict::Fail, Some(Why::Guard(guard))));
        }
        if let Some(why) = self.failing() {
            let busy = median(&mut self.busy.clone()).filter(|busy| *busy > CLIENT_BUSY_MAX);
            return Some((Verdict::Fail, Some(busy.map_or(why, Why::Client))));
        }
        if self.figures.span_ns < self.span {
            return None;
        }
        let doubt = self.doubt();
        if let Some(longer) = doubt.as_ref().and_then(|doubt| self.extended(doubt)) {
            self.span = longer;
            return None;
        }
        Some(doubt.map_or((Verdict::Pass, None), |why| (Verdict::Unclear, Some(why))))
    }

    /// To what a step in doubt is extended, if that may help. What is held is long, and what is unclear of it is cheaper to
    /// settle by holding a little less, but for one short stretch: that is given the time that outweighs it.
    fn extended(&self, doubt: &Why) -> Option<Nanos> {
        let most = self.planned.most;
        let longer = match (self.planned.stage, doubt) {
            (Stage::Hold, Why::OneBatch) => {
                let share = self.tallies.iter().map(Tally::to_outweigh).fold(0.0, f64::max);
                let seconds = (self.span.as_secs() * (1.0 + share)).ceil();
                // Seconds that spare nothing would need for ever.
                if seconds <= most.as_secs() { Nanos::from_secs(seconds as u64) } else { self.span }
            }
            (Stage::Hold, _) => self.span,
            _ => Nanos(self.span.0.saturating_mul(2)).min(most),
        };
        (self.span < longer).then_some(longer)
    }

    /// Why the step fails whatever the rest of it is like.
    fn failing(&self) -> Option<Why> {
        if self.backlog.is_lost() {
            return Some(Why::Backlog(self.backlog.unsent));
        }
        let is_over = self.figures.span_ns >= self.span;
        let to_come = self.planned.rate.0 * self.span.since(self.figures.span_ns).as_secs();
        let ended = self.figures.completed + self.figures.errors;
        // What is held is long: half of its time would be spent on what can hardly be saved.
        let is_given_up = self.planned.stage == Stage::Hold
            && self.figures.span_ns.0 >= self.span.0.div_ceil(GIVEN_UP_AFTER)
            && self.tallies.iter().any(|tally| tally.is_likely_broken(ended as f64));
        let is_broken = is_given_up
            || ended > 0
                && (self.tallies.iter().any(|tally| tally.is_surely_broken(to_come))
                    || self.hopeless.iter().any(Tally::is_hopeless));
        if is_broken {
            return Some(Why::Broken(self.promise.broken(&self.response, self.figures.errors, ended)));
        }
        // What is in flight at the end is not missing, and errors are what the promise says of them.
        let in_flight = self.planned.rate.0 * self.promise.longest().unwrap_or(UNPROMISED).as_secs() + 1.0;
        let (offered, ended) = (self.figures.offered as f64, ended as f64);
        let is_short = offered - ended > offered * (1.0 - ACHIEVED_MIN) + in_flight;
        (is_over && is_short).then(|| Why::Achieved(ended / offered))
    }

    /// What keeps a step that does not fail from passing.
    fn doubt(&self) -> Option<Why> {
        if self.figures.completed == 0 {
            return Some(Why::NothingAnswered);
        }
        if self.tallies.iter().any(|tally| tally.condition.is_broken_by(tally.sum())) {
            return Some(Why::OneBatch);
        }
        let later = |tally: &Tally| {
            let half = &tally.excess[tally.excess.len() / 2..];
            without_worst(half) > TINY
        };
        self.tallies.iter().any(later).then_some(Why::GettingWorse)
    }
}

impl Tally {
    fn sum(&self) -> f64 {
        self.excess.iter().sum()
    }

    /// The share of what is allowed to `ended` requests.
    fn used(&self, ended: f64) -> Option<f64> {
        let allowed = self.condition.allowance() * ended;
        (allowed > 0.0).then(|| 1.0 + self.sum() / allowed)
    }

    /// Whether `ended` requests have used so much that more of the same will hardly end well.
    fn is_likely_broken(&self, ended: f64) -> bool {
        let spared = (GIVEN_UP - 1.0) * self.condition.allowance() * ended;
        self.condition.is_forgiving() && without_worst(&self.excess) > spared + TINY
    }

    /// Whether it is broken without its worst batch, even if `to_come` more requests are of the best kind.
    fn is_surely_broken(&self, to_come: f64) -> bool {
        let least = |so_far: f64| so_far - self.condition.allowance() * to_come;
        if self.condition.is_forgiving() {
            least(without_worst(&self.excess)) > TINY
        } else {
            least(self.sum()) > TINY || (to_come == 0.0 && self.condition.is_broken_by(self.sum()))
        }
    }

    /// How much more time, as a share of that so far, outweighs the worst batch if it is like the rest.
    fn to_outweigh(&self) -> f64 {
        let spared_by_the_rest = -without_worst(&self.excess);
        if self.sum() <= 0.0 { 0.0 } else { self.sum() / spared_by_the_rest.max(0.0) }
    }

    /// Of a limit that is far beyond what is promised.
    fn is_hopeless(&self) -> bool {
        self.condition.is_forgiving() && without_worst(&self.excess) > TINY
    }
}

impl Backlog {
    /// `bearable` requests wait for no longer than is promised.
    fn note(&mut self, unsent: u64, bearable: f64) {
        self.growing = if unsent > self.unsent { self.growing + 1 } else { 0 };
        self.deep = if unsent as f64 > bearable * HOPELESS { self.deep + 1 } else { 0 };
        if unsent as f64 <= bearable {
            self.growing = 0;
        }
        self.unsent = unsent;
    }

    fn is_lost(&self) -> bool {
        // A stall at the end of a batch leaves a deep backlog once, which the next batch has worked off.
        self.growing >= GROWING_BATCHES || self.deep >= 2
    }
}

fn without_worst(excess: &[f64]) -> f64 {
    excess.iter().sum::<f64>() - excess.iter().copied().fold(0.0, f64::max)
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests;
