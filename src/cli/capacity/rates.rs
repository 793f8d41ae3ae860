//! The search for the highest rate, on each way in turn.

use super::arguments::{Rates, Settings};
use super::steps::{Cost, Steps};
use super::{announce, kept};
use crate::cli::error::Error;
use crate::cli::session::Session;
use crate::cli::ways::Way;
use crate::experiment::capacity::{Action, Search, Stage, Turns, Verdict, Why};
use crate::result::{Document, TestResult, store};
use crate::stats::Bounds;
use crate::units::Nanos;

/// What the steps on a way brought home.
#[derive(Default)]
pub struct Taken {
    /// Of a request, when a closed loop told it.
    pub cost: Option<Cost>,
    /// Of each step, in order.
    pub results: Vec<TestResult>,
    /// Steps that failed while others had the processors, and were tried again.
    pub repeated: u64,
    /// What others had of the time in those that were counted as failures nevertheless.
    pub stolen: Vec<f64>,
    /// For how long load was made.
    pub elapsed: Nanos,
}

/// How many steps are tried again, of a whole search: whoever has bad neighbours has them for longer.
const REPEATED_MAX: u64 = 4;

/// Looks for the rate of test number `index` on all `ways`, a step on each in turn.
///
/// # Errors
/// [`Error`] when a load could not be made. What is known by then is in `document`.
pub fn search(
    session: &Session,
    settings: &Settings,
    rates: &Rates,
    ways: &mut [Way],
    index: usize,
    document: &mut Document,
) -> Result<(), Error> {
    let searches = ways.iter().map(|way| Search::new(settings.search(rates, way.plan.guard)));
    let mut turns = Turns::new(searches.collect());
    let mut taken: Vec<Taken> = ways.iter().map(|_| Taken::default()).collect();
    let mut steps = Steps::new(session, settings);
    let mut searched = Ok(());
    while let Some((path, action)) = turns.next_turn()
        && searched.is_ok()
    {
        searched = take(&mut steps, &mut ways[path], index, action, turns.search(path), &mut taken[path]);
    }
    for (path, taken) in taken.into_iter().enumerate() {
        turns.search(path).interrupt();
        let place = (index, (ways.len() > 1).then_some(path));
        kept::keep(document, rates, place, turns.search(path), taken);
    }
    if let Some(path) = &settings.json {
        store::write(document, path).map_err(Error::failed)?;
    }
    searched
}

/// Does what is next in `search`.
fn take(
    steps: &mut Steps,
    way: &mut Way,
    index: usize,
    action: Action,
    search: &mut Search,
    taken: &mut Taken,
) -> Result<(), Error> {
    match action {
        Action::Done => {}
        Action::Peak(span) => {
            let peak = steps.closed_loop(way, index, span, None)?;
            taken.elapsed = taken.elapsed + steps.settle() + peak.elapsed_ns;
            taken.cost = Cost::of(&peak);
            search.tell_peak(peak.summary.requests_per_second);
        }
        Action::Step(planned) => {
            let on = way.plan.path.as_ref().map_or(String::new(), |path| format!(" through '{path}'"));
            let what = if planned.stage == Stage::Hold { "holding" } else { "trying" };
            announce(&format!("{what} {:.0} requests/s{on}", planned.rate.0));
            let mut judge = search.judge(&planned);
            let result = steps.open_loop(way, index, &planned, &mut judge, taken.cost)?;
            taken.elapsed = taken.elapsed + steps.settle() + result.elapsed_ns;
            // Without a closed loop, what a request costs is known when its load is over.
            if let Some(busy) = kept::client_busy(&result).filter(|_| taken.cost.is_none()) {
                judge.tell_client(busy);
            }
            let step = judge.finish();
            // What a guard saw is so, whoever else had the processors.
            let is_failed = step.verdict != Verdict::Pass && !matches!(step.why, Some(Why::Guard(_)));
            let stolen = stolen(&result).filter(|_| is_failed);
            if stolen.is_some() && taken.repeated < REPEATED_MAX {
                taken.repeated += 1;
                return Ok(());
            }
            taken.stolen.extend(stolen);
            search.tell(step);
            taken.results.push(result);
        }
    }
    Ok(())
}

/// The share of the time that a hypervisor or a quota took, if it was too much for a failure to be the server's.
fn stolen(result: &TestResult) -> Option<f64> {
    let client = &result.observed.as_ref()?.client;
    let most = [client.steal, client.throttled].into_iter().flatten().reduce(f64::max)?;
    (most > Bounds::default().taken).then_some(most)
}
