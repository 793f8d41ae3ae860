//! The answer of a search in sentences, which text and Markdown have in common.

use super::curve::{ms, rate};
use crate::result::capacity::{Capacity, Outcome, Searched, Step};
use crate::result::{Document, TestResult};
use crate::stats::{Demand, Fit};
use crate::workload::arrivals::Arrivals;

/// What a search is of, where there are several.
pub fn name(capacity: &Capacity, test: &str, path: Option<usize>) -> String {
    match path.and_then(|path| capacity.paths.get(path)) {
        Some(path) => format!("{test} through '{}'", path.name),
        None => test.to_owned(),
    }
}

/// How the load was made: the line under a title.
pub fn how(document: &Document) -> String {
    let plan = &document.config;
    let arrivals = match &plan.arrivals {
        Some(Arrivals { process, .. }) => format!("open loop, {process} arrivals"),
        None => "closed loop".to_owned(),
    };
    let threads = plan.load_threads();
    let s = if threads == 1 { "" } else { "s" };
    format!("{} connections, -P {}, {threads} load thread{s}, {arrivals}", plan.clients, plan.pipeline)
}

/// The answer, one sentence a line.
pub fn lines(document: &Document, capacity: &Capacity, searched: &Searched) -> Vec<String> {
    let mut lines = vec![first(capacity, searched)];
    let held = searched.held.and_then(|held| document.results.get(held));
    lines.extend(held.map(|held| held_line(held, searched)));
    if let (Some(recommended), Some(headroom)) = (searched.recommended, capacity.headroom) {
        let share = (1.0 - headroom) * 100.0;
        lines.push(format!("recommended: {} requests/s ({share:.0} % of it)", rate(recommended.0)));
    }
    if let Some(limit) = &searched.limit {
        lines.push(format!("limit: {} ({})", limit.limit, limit.text));
        lines.push(format!("next: {}", limit.advice));
    }
    lines.extend(processor(searched));
    lines.extend(searched.demand.iter().flat_map(demand));
    lines.extend(near_the_floor(searched));
    lines.extend(disturbed(searched));
    lines
}

/// The rate, and how sure it is.
fn first(capacity: &Capacity, searched: &Searched) -> String {
    let promise = capacity.promise.as_ref().map_or_else(String::new, |promise| format!(" within {promise}"));
    let Some(found) = searched.rate else {
        let (Outcome::Broken(why) | Outcome::Stopped(why) | Outcome::AtLeast(why)) = &searched.outcome else {
            return "capacity: not known".to_owned();
        };
        return match searched.outcome {
            Outcome::Broken(_) => format!("capacity: none{promise}: {why}"),
            _ => format!("capacity: not known: {why}"),
        };
    };
    let found = rate(found.0);
    match &searched.outcome {
        Outcome::AtLeast(why) => format!("capacity: at least {found} requests/s{promise}: {why}"),
        Outcome::Stopped(why) => format!("capacity: {found} requests/s{promise} so far, not held: {why}"),
        Outcome::Found | Outcome::Broken(_) => format!("capacity: {found} requests/s{promise}{}", crossing(searched)),
    }
}

fn crossing(searched: &Searched) -> String {
    match searched.crossing.map(|it| (it.value, it.low, it.high)) {
        Some((value, Some(low), Some(high))) => {
            format!("; by all steps the promise is crossed at {} [{}, {}]", rate(value), rate(low), rate(high))
        }
        _ => String::new(),
    }
}

/// What was measured while the answer was held.
fn held_line(held: &TestResult, searched: &Searched) -> String {
    let felt = held.felt();
    let at = |percentile| ms(felt.at(percentile));
    let errors = match held.errors.total() {
        0 => "no errors".to_owned(),
        errors => format!("{errors} errors"),
    };
    let again = match searched.steps.iter().filter(|step| step.stage == "hold").count() {
        0 | 1 => String::new(),
        tries => format!(", at try {tries}"),
    };
    format!(
        "held for {:.0} s{again}: p50 {} ms, p99 {} ms, p99.9 {} ms, max {} ms, {errors}",
        held.elapsed_ns.as_secs(),
        at(50.0),
        at(99.0),
        at(99.9),
        at(100.0)
    )
}

/// Of what is promised, hardly any load is to use less than this.
const FLOOR_MAX: f64 = 0.5;

/// A promise that is hardly wider than what there is without load.
fn near_the_floor(searched: &Searched) -> Option<String> {
    let floor = searched.steps.iter().rfind(|step| step.stage == "floor")?;
    let strain = floor.strain.filter(|strain| *strain >= FLOOR_MAX)?;
    searched.rate.map(|_| {
        format!(
            "note: at {} requests/s, which is hardly any load, latencies are {:.0} % of what is promised already: the answer \
             changes with what machine and network do, so search more than once, or promise more",
            rate(floor.offered.0),
            strain * 100.0
        )
    })
}

/// Steps that others spoiled.
fn disturbed(searched: &Searched) -> Option<String> {
    let (repeated, counted) = (searched.repeated, searched.stolen.len());
    (repeated > 0 || counted > 0).then(|| {
        format!(
            "note: {repeated} steps failed while others had the processors, and were tried again; {counted} more were taken \
             as failures"
        )
    })
}

/// Processor time at the rate that was held, and for each 1,000 requests per second.
fn processor(searched: &Searched) -> Option<String> {
    let step = held_step(searched)?;
    let thousands = step.achieved.0 / 1000.0;
    let of = |name: &str, busy: Option<f64>, whole: &str| {
        let busy = busy.filter(|_| thousands > 0.0)?;
        Some(format!(
            "{name} {:.0} % of {whole} ({:.2} % per 1,000 requests/s)",
            busy * 100.0,
            busy * 100.0 / thousands
        ))
    };
    let told: Vec<String> = [
        of("server", step.server_busy, "a core"),
        of("proxy", step.proxy_busy, "its threads"),
        of("client", step.client_busy, "a core"),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!told.is_empty()).then(|| format!("processor at that rate: {}", told.join(", ")))
}

/// The last step that was held and kept the promise.
pub fn held_step(searched: &Searched) -> Option<&Step> {
    searched.steps.iter().rev().find(|step| step.stage == "hold" && step.verdict == "pass")
}

/// Whether a demand fits, as arithmetic that can be followed.
fn demand(asked: &Demand) -> Vec<String> {
    let Demand { demand, capacity, headroom, recommended, load, left, fit, shares, masters, each } = asked;
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let verdict = match fit {
        Fit::Fits => format!("fits, with {} free", percent(*left)),
        Fit::Tight => format!("fits only into what is to stay free: {} would be left", percent(*left)),
        Fit::No => "does not fit into one master".to_owned(),
    };
    let mut lines = vec![
        format!("demand: {} requests/s: {verdict}", rate(demand.0)),
        format!("  {} / {} = {} of what one master carries", rate(demand.0), rate(capacity.0), percent(*load)),
    ];
    if *fit != Fit::Fits {
        lines.push(format!(
            "  recommended for one master: {} x {headroom:.2} = {} requests/s",
            rate(capacity.0),
            rate(recommended.0)
        ));
        lines.push(format!(
            "  {} / {} = {shares:.2}, so {masters} masters (shards) of {} requests/s each, if keys are asked for evenly",
            rate(demand.0),
            rate(recommended.0),
            rate(each.0)
        ));
    }
    lines
}
