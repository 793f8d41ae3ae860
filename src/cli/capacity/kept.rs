//! From a search to what a document keeps of it.

use super::arguments::{Question, Rates, Settings};
use super::rates::Taken;
use super::steps::Cost;
use crate::cli::ways::Way;
use crate::experiment::capacity::{
    self as experiment, Ending, Guard, Guards, Search, Stage, Step as Stepped, Verdict, Why,
};
use crate::plan::Plan;
use crate::recording::LoadThread;
use crate::result::capacity::{Capacity, Outcome, Searched, SearchedPath, Step};
use crate::result::{Document, TestResult, judge};
use crate::stats::{Bottleneck, Demand, Facts, Promise, bottleneck};
use crate::target::Target;
use crate::target::guard::Mode;
use crate::units::Rate;

/// The child of a plan's seed that intervals are drawn from.
const INTERVALS: u64 = u64::MAX - 4;

impl Settings {
    /// The search for a rate.
    pub fn search(&self, rates: &Rates, guard: Mode) -> experiment::Settings {
        experiment::Settings {
            from: rates.from.map(Rate),
            resolution: rates.resolution,
            step_ns: self.step,
            hold_ns: rates.hold,
            max_rate: rates.max_rate.map(Rate),
            headroom: 1.0 - rates.headroom,
            guards: if guard == Mode::Off {
                Guards { evictions: false, replica_lag_bytes_max: None }
            } else {
                Guards::default()
            },
            ..experiment::Settings::new(rates.promise.clone())
        }
    }

    /// The most connections that `plan` is loaded with.
    pub fn clients_of(&self, plan: &Plan) -> u32 {
        match &self.question {
            Question::Rate(_) => plan.clients,
            Question::Clients(clients) => clients.iter().copied().max().unwrap_or(plan.clients),
        }
    }

    /// What a document says of the search before it has begun.
    pub fn capacity(&self, ways: &[Way]) -> Capacity {
        let mut targets = 0..0;
        let path = |way: &Way| {
            targets = targets.end..targets.end + way.targets.len();
            let targets = targets.clone().collect();
            way.plan.path.clone().map(|name| SearchedPath { name, targets })
        };
        let rates = match &self.question {
            Question::Rate(rates) => Some(rates),
            Question::Clients(_) => None,
        };
        Capacity {
            promise: rates.map(|rates| rates.promise.clone()),
            resolution: rates.map(|rates| rates.resolution),
            hold_ns: rates.map(|rates| rates.hold),
            max_rate: rates.and_then(|rates| rates.max_rate).map(Rate),
            headroom: rates.map(|rates| rates.headroom),
            step_ns: self.step,
            settle_ns: self.settle,
            paths: ways.iter().filter_map(path).collect(),
            ..Capacity::default()
        }
    }
}

/// Adds what was found at `place`, a test and a path, to `document`.
pub fn keep(document: &mut Document, rates: &Rates, place: (usize, Option<usize>), search: &Search, taken: Taken) {
    let (index, path) = place;
    let Taken { cost, mut results, repeated, stolen, elapsed } = taken;
    let seed = document.seed.child(INTERVALS).child(index as u64);
    let found = search.capacity(seed);
    let limit = limit(document, path, &found, &results, cost);
    let kept = |(step, result)| kept_step(&rates.promise, step, result, cost);
    let steps = found.steps.iter().zip(&results).map(kept).collect();
    let held = found.held_step.filter(|held| *held < results.len()).map(|held| results.swap_remove(held));
    let held = held.map(|mut result| {
        result.path = path;
        document.results.push(result);
        document.results.len() - 1
    });
    let Some(capacity) = &mut document.capacity else { return };
    if capacity.searches.is_empty() {
        capacity.rate = found.rate.filter(|_| found.is_held);
    }
    capacity.searches.push(Searched {
        test: document.config.tests[index].title.clone(),
        path,
        outcome: outcome(&found, &rates.promise, &stolen),
        rate: found.rate,
        crossing: found.crossing,
        recommended: found.recommended,
        closed_loop: found.peak,
        limit,
        demand: rates
            .demand
            .zip(found.rate.filter(|_| found.is_held))
            .and_then(|(demand, rate)| Demand::of(Rate(demand), rate, 1.0 - rates.headroom)),
        steps,
        held,
        repeated,
        stolen,
        elapsed_ns: elapsed,
    });
}

/// `stolen` is what others had of the machine in steps that failed.
fn outcome(found: &experiment::Capacity, promise: &Promise, stolen: &[f64]) -> Outcome {
    let told = |text: &str| text.to_owned();
    let most = stolen.iter().copied().reduce(f64::max);
    match found.ended {
        Ending::Found => match most {
            None => Outcome::Found,
            Some(most) => Outcome::AtLeast(format!(
                "higher rates failed while others had up to {:.0} % of the processors (steal, or a quota), which is not the \
                 server's doing",
                most * 100.0
            )),
        },
        Ending::MaxRate => Outcome::AtLeast(told("no more was offered (--max-rate)")),
        Ending::Client if found.is_held => Outcome::AtLeast(told("more is beyond this client, not beyond the server")),
        Ending::Client => Outcome::Stopped(told("the client was at its end before the server was")),
        Ending::Guard(guard) => Outcome::Stopped(guard_in_words(guard)),
        Ending::Late => {
            let slips = found.steps.iter().filter_map(|step| step.figures.slip_ns_p99);
            let least = slips.min().unwrap_or_default();
            Outcome::Stopped(format!(
                "requests went out {:.1} ms late (slip p99) although connections were free, which is too late for {promise} at \
                 any rate: rbench needs a processor of its own, which stays awake with --spin and is not shared (rbench doctor)",
                least.0 as f64 / 1e6
            ))
        }
        Ending::FloorBroken => {
            let rate = found.steps.first().map_or(0.0, |step| step.planned.rate.0);
            let why = found.steps.iter().rev().find_map(|step| step.why.as_ref()).map_or_else(String::new, in_words);
            Outcome::Broken(format!("already at {rate:.0} requests/s {promise} was not kept: {why}"))
        }
        Ending::NotHeld => {
            let lowest = found.steps.last().map_or(0.0, |step| step.planned.rate.0);
            Outcome::Broken(format!(
                "what passed a step was not held, nor were lower rates down to {lowest:.0} requests/s"
            ))
        }
        Ending::NoReplies => Outcome::Stopped(told("a closed loop got no reply")),
        Ending::TooManySteps => Outcome::Stopped(told("too many steps")),
        Ending::Interrupted => Outcome::Stopped(told("interrupted")),
    }
}

fn guard_in_words(guard: Guard) -> String {
    match guard {
        Guard::Evicted(keys) => format!("the server began to evict keys ({keys} within a second)"),
        Guard::ReplicaLag(bytes) => format!("a replica fell {bytes} bytes behind"),
        Guard::ClientsRefused(count) => {
            format!("the server takes no more connections (maxclients; {count} were refused)")
        }
    }
}

/// What a verdict rests on.
fn in_words(why: &Why) -> String {
    match why {
        Why::Broken(broken) => broken.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        Why::Achieved(share) => format!("only {:.1} % of what was offered was answered", share * 100.0),
        Why::Backlog(requests) => format!("{requests} requests waited to be sent, and more and more did"),
        Why::Client(busy) => format!("a load thread was {:.0} % busy", busy * 100.0),
        Why::Guard(guard) => guard_in_words(*guard),
        Why::OneBatch => "one short stretch broke the promise, and the rest kept it".to_owned(),
        Why::GettingWorse => "the second half broke the promise".to_owned(),
        Why::NothingAnswered => "nothing was answered".to_owned(),
        Why::CutShort => "it ended before it could be judged".to_owned(),
    }
}

fn kept_step(promise: &Promise, step: &Stepped, result: &TestResult, cost: Option<Cost>) -> Step {
    let figures = &step.figures;
    Step {
        stage: stage_name(step.planned.stage).to_owned(),
        verdict: verdict_name(step.verdict).to_owned(),
        reason: step.why.as_ref().map(in_words),
        offered: step.planned.rate,
        achieved: figures.achieved,
        elapsed_ns: figures.span_ns,
        completed: figures.completed,
        errors: figures.errors,
        p50_ns: figures.response_ns_p50,
        p99_ns: figures.response_ns_p99,
        p999_ns: figures.response_ns_p999,
        max_ns: figures.response_ns_max,
        strain: promise.strain(&step.response),
        slip_p99_ns: figures.slip_ns_p99,
        client_busy: cost.map(|cost| cost.at(figures.achieved)).or_else(|| client_busy(result)),
        server_busy: server_busy(result),
        proxy_busy: result.proxies.iter().filter_map(|proxy| proxy.busy).reduce(f64::max),
    }
}

/// The share of a core that the busiest load thread needed.
pub fn client_busy(result: &TestResult) -> Option<f64> {
    result.load_threads.iter().filter_map(LoadThread::busy).reduce(f64::max)
}

/// The share of a core that the busiest server's main thread had.
pub fn server_busy(result: &TestResult) -> Option<f64> {
    let servers = result.observed.iter().flat_map(|observed| &observed.servers);
    servers.filter_map(|server| server.activity.main_thread_busy).reduce(f64::max)
}

fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Floor => "floor",
        Stage::Climb => "climb",
        Stage::Bisect => "bisect",
        Stage::Hold => "hold",
    }
}

fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Unclear => "unclear",
    }
}

/// What stood in the way of more along `path`: who was at his end at the lowest rate that failed, or, when none did, at the
/// one that was held. What failed below the answer was an accident, and says nothing.
fn limit(
    document: &Document,
    path: Option<usize>,
    found: &experiment::Capacity,
    results: &[TestResult],
    cost: Option<Cost>,
) -> Option<Bottleneck> {
    let steps = || found.steps.iter().zip(results);
    let answer = found.rate.map_or(0.0, |rate| rate.0);
    let failed = steps().filter(|(step, _)| step.verdict != Verdict::Pass && step.planned.rate.0 > answer);
    let lowest = failed.min_by(|(one, _), (other, _)| one.planned.rate.0.total_cmp(&other.planned.rate.0));
    let held = || steps().nth(found.held_step?);
    let (_, result) = lowest.or_else(held)?;
    let mut facts = judge::facts(&document.config, &document.client, &targets(document, path), result);
    if let Some(cost) = cost {
        let busy = cost.at(result.summary.requests_per_second);
        facts.threads.iter_mut().for_each(|thread| thread.busy = Some(busy));
    }
    // That a rate was reached says nothing here: the promise was broken at it.
    Some(bottleneck(&Facts { offered: None, slip: None, ..facts }))
}

/// The servers that a search was about: those of its path, which may know no proxy where another one has one.
fn targets(document: &Document, path: Option<usize>) -> Vec<Target> {
    let mut paths = document.capacity.iter().flat_map(|capacity| &capacity.paths);
    match path.and_then(|place| paths.nth(place)) {
        Some(path) => path.targets.iter().filter_map(|place| document.targets.get(*place)).cloned().collect(),
        None => document.targets.clone(),
    }
}
