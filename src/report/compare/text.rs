//! For a terminal.

use super::figures::{change, how, interval, label, remarks, value, verdict};
use crate::report::proxies;
use crate::result::compare::{Compare, Compared, ComparedPath};
use crate::result::{Document, TestResult};
use crate::stats::{Metric, ShiftPoint, Spread};
use crate::target::{PathKind, Target};
use std::io::{self, Write};

/// Columns of the bars of the chart.
const BAR_WIDTH: usize = 40;

/// The quantiles of the chart.
const QUANTILES: [f64; 9] = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999];

/// Where each path ends.
pub fn write_paths(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    let Some(compare) = &document.compare else { return Ok(()) };
    let width = compare.paths.iter().map(|path| path.name.chars().count()).max().unwrap_or(0);
    for (place, path) in compare.paths.iter().enumerate() {
        let is_reference = if place == compare.reference { "  (reference)" } else { "" };
        for end in ends_of(document, path) {
            writeln!(out, "{:width$}  {end}{is_reference}", path.name)?;
        }
    }
    writeln!(out)
}

/// Where a path ends: a line for each server.
pub fn ends_of(document: &Document, path: &ComparedPath) -> Vec<String> {
    let ping = path.round_trip_ns.map_or(String::new(), |it| format!("  PING {:.3} ms", it.0 as f64 / 1e6));
    let ends = path.targets.iter().filter_map(|target| document.targets.get(*target));
    ends.map(|target| format!("{}{ping}", end_of(target))).collect()
}

fn end_of(target: &Target) -> String {
    let server = &target.server;
    let way = match target.path.kind {
        PathKind::Direct => "direct to",
        PathKind::Service => "by a service to",
        PathKind::Proxy => "through a proxy to",
        PathKind::Snat => "from another address to",
        PathKind::Socket => "by a socket to",
        PathKind::Unknown => "to",
    };
    let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
    let run_id = known(&server.short_run_id());
    let others = match target.path.servers_seen.len() {
        0 | 1 => String::new(),
        several => format!(" and {} more servers", several - 1),
    };
    let (name, version, role) = (known(&server.server_name), known(&server.version), known(&server.role));
    // Through something that stands between, the server has another address than the one that we connect to.
    let at = match &target.path.server {
        Some(address) if target.path.may_fan_out() => format!(" at {address}"),
        _ => String::new(),
    };
    format!("{}  {way} {name} {version} {role} {run_id}{at}{others}", target.endpoint)
}

/// A table and a chart for each path and test.
pub fn write_comparisons(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    let Some(compare) = &document.compare else { return Ok(()) };
    for compared in &compare.comparisons {
        write_table(document, compare, compared, out)?;
        write_chart(compare, compared, out)?;
        write_proxies(document, compared, out)?;
        writeln!(out)?;
    }
    for remark in remarks(document, compare) {
        writeln!(out, "note: {remark}")?;
    }
    Ok(())
}

fn write_table(document: &Document, compare: &Compare, compared: &Compared, out: &mut dyn Write) -> io::Result<()> {
    let (reference, other) = (compare.name(compare.reference), compare.name(compared.path));
    writeln!(out, "====== {}: {other} beside {reference} ======", compared.test)?;
    writeln!(out, "  {}", how(document, compare, compared.rounds))?;
    let columns = reference.chars().count().max(other.chars().count()).max(10);
    write!(out, "\n  {:<17} {reference:>columns$} {other:>columns$}", "")?;
    writeln!(out, "  {:>7} {:<16}  {:>9} {:<20}  verdict", "ratio", "[95 % interval]", "change", "[95 % interval]")?;
    for metric in &compared.metrics {
        let it = metric.metric;
        let mark = if it == compare.primary { "*" } else { "" };
        let comparison = &metric.comparison;
        let ratio = |ratio: f64| format!("{ratio:.3}");
        let values = [metric.reference, metric.other].map(|of_path| value(it, of_path));
        write!(out, "  {:<17} {:>columns$} {:>columns$}", format!("{}{mark}", label(it)), values[0], values[1])?;
        write!(out, "  {:>7} {:<16}", ratio(comparison.ratio.value), interval(&comparison.ratio, ratio))?;
        let (by, of) = (&comparison.difference, |difference: f64| change(it, difference));
        write!(out, "  {:>9} {:<20}", of(by.value), interval(by, of))?;
        writeln!(out, "  {}", verdict(metric, compare))?;
    }
    for metric in Metric::ALL.iter().filter(|it| !compared.metrics.iter().any(|compared| compared.metric == **it)) {
        let why = match metric.percentile() {
            Some(_) => "fewer than 100 samples beyond it in a turn",
            None => "nothing was answered in a turn",
        };
        let mark = if *metric == compare.primary { "*" } else { "" };
        writeln!(out, "  {:<17} {:>columns$}  {why}", format!("{}{mark}", label(*metric)), "-")?;
    }
    writeln!(out, "  * is what the comparison is for; the others are exploratory")
}

/// What the proxies said in the turns of the path: how busy they were in the middle of them, and the rest in the last.
fn write_proxies(document: &Document, compared: &Compared, out: &mut dyn Write) -> io::Result<()> {
    let is_of_path = |result: &&TestResult| result.path == Some(compared.path) && result.title == compared.test;
    let turns: Vec<&TestResult> = document.results.iter().filter(is_of_path).collect();
    let Some(last) = turns.last().filter(|last| !last.proxies.is_empty()) else { return Ok(()) };
    let mut told = last.proxies.clone();
    for proxy in &mut told {
        let same = turns.iter().flat_map(|turn| &turn.proxies).filter(|it| it.address == proxy.address);
        proxy.busy = Spread::of(same.filter_map(|it| it.busy)).map(|spread| spread.median);
    }
    writeln!(out)?;
    proxies::write(&told, out)
}

/// How much later the other path's replies are, from the quickest to the slowest.
fn write_chart(compare: &Compare, compared: &Compared, out: &mut dyn Write) -> io::Result<()> {
    let points: Vec<&ShiftPoint> = QUANTILES
        .iter()
        .filter_map(|quantile| compared.shift.iter().find(|point| (point.quantile - quantile).abs() < 1e-9))
        .collect();
    let most = points.iter().map(|point| point.difference_ns.value.abs()).fold(0.0, f64::max);
    if points.is_empty() {
        return Ok(());
    }
    let (reference, other) = (compare.name(compare.reference), compare.name(compared.path));
    writeln!(out, "\n  how much later {other} is than {reference}, by quantile (ms)")?;
    for point in points {
        let ms = |ns: f64| format!("{:+.3}", ns / 1e6);
        let by = &point.difference_ns;
        let share = if most > 0.0 { by.value.abs() / most } else { 0.0 };
        let bar = if by.value < 0.0 { "-" } else { "#" }.repeat((share * BAR_WIDTH as f64).round() as usize);
        writeln!(out, "  {:>6} {:>9} {:<22} {bar}", percent(point.quantile), ms(by.value), interval(by, ms))?;
    }
    Ok(())
}

fn percent(quantile: f64) -> String {
    let text = format!("{:.1}", quantile * 100.0);
    format!("p{}", text.strip_suffix(".0").unwrap_or(&text))
}
