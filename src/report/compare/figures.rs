//! Numbers of a comparison in words.

use crate::result::Document;
use crate::result::compare::{Afterwards, Compare, Compared, ComparedMetric, ComparedPath};
use crate::stats::{Estimate, Metric, Verdict};
use crate::units::Nanos;
use crate::workload::arrivals::{Arrivals, Shape};

/// The unit in which a metric is told, and how many of its own go into one.
pub fn unit(metric: Metric) -> (&'static str, f64) {
    match metric {
        Metric::Throughput => ("requests/s", 1.0),
        Metric::Cpu => ("µs", 1e3),
        _ => ("ms", 1e6),
    }
}

/// A value of a metric, with as many decimals as it is told with.
pub fn value(metric: Metric, value: f64) -> String {
    let decimals = if metric == Metric::Throughput { 0 } else { 3 };
    format!("{:.decimals$}", value / unit(metric).1)
}

/// The same with its sign.
pub fn change(metric: Metric, value: f64) -> String {
    let decimals = if metric == Metric::Throughput { 0 } else { 3 };
    format!("{:+.decimals$}", value / unit(metric).1)
}

/// What a metric is called where people read it.
pub fn label(metric: Metric) -> String {
    match metric {
        Metric::Throughput => metric.name().to_owned(),
        Metric::Cpu => "client cpu (µs)".to_owned(),
        _ => format!("{} (ms)", metric.name()),
    }
}

/// An interval in brackets, each end told by `told`.
pub fn interval(estimate: &Estimate, told: impl Fn(f64) -> String) -> String {
    match (estimate.low, estimate.high) {
        (Some(low), Some(high)) => format!("[{}, {}]", told(low), told(high)),
        _ => "[too few rounds]".to_owned(),
    }
}

/// The verdict, and what is behind one that is none.
pub fn verdict(compared: &ComparedMetric, compare: &Compare) -> String {
    if compare.is_void() {
        return VOID.to_owned();
    }
    let (comparison, margin) = (&compared.comparison, compare.margin);
    let more = compared.metric == Metric::Throughput;
    match (comparison.verdict, compared.metric) {
        (Verdict::NoDifference, _) => format!("no difference of {} %", (margin * 1e8).round() / 1e6),
        (Verdict::Slower, Metric::Cpu) => "dearer".to_owned(),
        (Verdict::Faster, Metric::Cpu) => "cheaper".to_owned(),
        (Verdict::Slower, _) if more => "less".to_owned(),
        (Verdict::Faster, _) if more => "more".to_owned(),
        (Verdict::Slower, _) => "slower".to_owned(),
        (Verdict::Faster, _) => "faster".to_owned(),
        (Verdict::Unclear, _) => match comparison.rounds_to_settle {
            Some(rounds) => format!("unclear (about {rounds} rounds would tell)"),
            None => "unclear".to_owned(),
        },
    }
}

/// The verdict on figures that are of nobody knows which server.
pub const VOID: &str = "void";

/// That a path ended somewhere else after the last turn than before the first, if it did.
pub fn moved(path: &ComparedPath) -> Option<String> {
    let Some(Afterwards::Moved { from, to }) = &path.afterwards else { return None };
    let name = &path.name;
    Some(format!(
        "the path '{name}' ended at {from} before the first turn, and at {to} after the last: a failover or a restart"
    ))
}

/// How the paths were loaded: the line under a title.
pub fn how(document: &Document, compare: &Compare, rounds: u64) -> String {
    let plan = &document.config;
    let load = match &plan.arrivals {
        Some(Arrivals { shape: Shape::Fixed(rate), .. }) => format!("{rate} requests/s offered"),
        Some(_) => "open loop".to_owned(),
        None => "closed loop".to_owned(),
    };
    let turns = match (compare.slice_ns, compare.is_interleaved) {
        (Some(slice), true) => format!("{rounds} rounds, in each a turn of {} for every path", seconds(slice)),
        _ => format!("{rounds} runs of each, one after the other and NOT interleaved"),
    };
    format!("{} connections, -P {}, {load}; {turns}", plan.clients, plan.pipeline)
}

fn seconds(time: Nanos) -> String {
    format!("{} s", time.as_secs())
}

/// What a reader has to know before believing the figures.
pub fn remarks(document: &Document, compare: &Compare) -> Vec<String> {
    let mut remarks: Vec<String> = compare.paths.iter().filter_map(moved).collect();
    if compare.is_void() {
        remarks.push("void: the figures are not of one server, and there is no verdict; compare again".to_owned());
    }
    for path in &compare.paths {
        if let Some(Afterwards::Unknown(reason)) = &path.afterwards {
            remarks.push(format!("where the path '{}' ends after the last turn is not known: {reason}", path.name));
        }
    }
    if !compare.differing.is_empty() {
        remarks.push(format!("the runs were not of the same load: they differ in {}", compare.differing.join(", ")));
    }
    if document.config.arrivals.is_none() {
        remarks.push(
            "closed loop: the slower path was offered less, because each connection waits for its reply; \
             --rate offers all paths the same"
                .to_owned(),
        );
    }
    if !compare.is_interleaved {
        remarks.push(
            "the runs were not interleaved: whatever changed between them looks like a difference of the paths"
                .to_owned(),
        );
    }
    let is_told = |it: &Compared| it.metrics.iter().any(|metric| metric.metric == compare.primary);
    if !compare.comparisons.iter().all(is_told) {
        remarks.push(format!(
            "{}, which the comparison is for, has too few samples to be told; a longer --slice or more load gives it more",
            compare.primary
        ));
    }
    let turns = |count: u64| if count == 1 { "1 turn was".to_owned() } else { format!("{count} turns were") };
    if compare.repeated > 0 {
        remarks.push(format!("{} disturbed and measured again", turns(compare.repeated)));
    }
    if let Some(first) = compare.borne.first() {
        let borne = turns(compare.borne.len() as u64);
        remarks.push(format!("{borne} taken although disturbed, the first because {first}"));
    }
    remarks
}
