//! What more connections bring.

use super::answer::name;
use super::curve::{ms, percent, rate};
use crate::result::Document;
use crate::result::capacity::{Capacity, Sweep, SweepPoint};
use crate::stats::usl::Peak;
use crate::stats::{Estimate, Spread, Usl};
use std::io::{self, Write};

/// Columns of the longest bar.
const WIDTH: usize = 40;

pub fn write(document: &Document, capacity: &Capacity, out: &mut dyn Write) -> io::Result<()> {
    for sweep in &capacity.sweeps {
        writeln!(out, "====== {} ======", name(capacity, &sweep.test, sweep.path))?;
        writeln!(out, "  closed loop, -P {}\n", document.config.pipeline)?;
        let columns = ["requests/s", "least", "greatest", "p50 (ms)", "p99", "server", "client"];
        write!(out, "  {:>11}", "connections")?;
        columns.iter().try_for_each(|column| write!(out, " {column:>10}"))?;
        writeln!(out)?;
        let most = sweep.points.iter().filter_map(spread).map(|spread| spread.median).fold(0.0, f64::max);
        for point in &sweep.points {
            let Some(spread) = spread(point) else { continue };
            write!(out, "  {:>11}", point.clients)?;
            cells(point, &spread).iter().try_for_each(|cell| write!(out, " {cell:>10}"))?;
            let length = (spread.median / most.max(1.0) * WIDTH as f64).round() as usize;
            writeln!(out, "  {}", "#".repeat(length))?;
        }
        writeln!(out)?;
        fit(sweep).iter().try_for_each(|line| writeln!(out, "  {line}"))?;
        writeln!(out)?;
    }
    Ok(())
}

pub fn write_markdown(document: &Document, capacity: &Capacity, out: &mut dyn Write) -> io::Result<()> {
    for sweep in &capacity.sweeps {
        writeln!(out, "### Connections: {}\n", name(capacity, &sweep.test, sweep.path))?;
        fit(sweep).iter().try_for_each(|line| writeln!(out, "- {line}"))?;
        writeln!(out, "\nclosed loop, -P {}\n", document.config.pipeline)?;
        writeln!(out, "| connections | requests/s | least | greatest | p50 (ms) | p99 (ms) | server | client |")?;
        writeln!(out, "|--:|--:|--:|--:|--:|--:|--:|--:|")?;
        for point in &sweep.points {
            let Some(spread) = spread(point) else { continue };
            writeln!(out, "| {} | {} |", point.clients, cells(point, &spread).join(" | "))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn spread(point: &SweepPoint) -> Option<Spread> {
    Spread::of(point.requests_per_second.iter().map(|rate| rate.0))
}

fn cells(point: &SweepPoint, spread: &Spread) -> [String; 7] {
    [
        rate(spread.median),
        rate(spread.min),
        rate(spread.max),
        ms(point.p50_ns),
        ms(point.p99_ns),
        percent(point.server_busy),
        percent(point.client_busy),
    ]
}

/// What the Universal Scalability Law makes of it.
fn fit(sweep: &Sweep) -> Vec<String> {
    match &sweep.usl {
        Some(usl) => law(usl),
        None => vec!["fewer than six numbers of connections are not fitted".to_owned()],
    }
}

fn law(usl: &Usl) -> Vec<String> {
    let told = |estimate: &Estimate, told: &dyn Fn(f64) -> String| match (estimate.low, estimate.high) {
        (Some(low), Some(high)) => format!("{} [{}, {}]", told(estimate.value), told(low), told(high)),
        _ => told(estimate.value),
    };
    let small = |value: f64| format!("{value:.2e}");
    let peak = match &usl.peak {
        Some(Peak { concurrency, throughput }) => {
            let at = told(concurrency, &|value| format!("{value:.0}"));
            format!("peak: {} requests/s with {at} connections", rate(*throughput))
        }
        None => "peak: none that these data show".to_owned(),
    };
    vec![
        format!("Universal Scalability Law, with 95 % intervals; it explains {:.1} %:", usl.r_squared * 100.0),
        format!("  one connection: {} requests/s", told(&usl.lambda, &rate)),
        format!("  done one after the other: {}", told(&usl.sigma, &|share| format!("{:.2} %", share * 100.0))),
        format!("  price of each two that work at once: {}", told(&usl.kappa, &small)),
        peak,
    ]
}
