//! How fast rbench itself is, in text: ceilings as they are measured and as they are remembered, and a run that came
//! close to one.

use crate::recording::End;
use crate::result::calibration::{Ceiling, Limit, Place, is_limit};
use crate::result::{Document, TestResult};
use crate::units::Nanos;
use std::io::{self, Write};

/// A run that reaches more than this share of a ceiling is told of it.
const CLOSE: f64 = 0.95;

/// Wide enough for most titles.
const TITLE_WIDTH: usize = 28;

/// How ceilings are about to be measured.
pub fn begin(
    threads: u32,
    each: Nanos,
    processors: Option<(usize, usize)>,
    length: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let seconds = each.as_secs();
    let tests = if length == 1 { "1 test".to_owned() } else { format!("{length} tests") };
    writeln!(
        out,
        "rbench against the embedded server, a thread of this process: {tests} of {seconds} s, closed loop."
    )?;
    let threads = if threads == 1 { "1 thread".to_owned() } else { format!("{threads} threads") };
    match processors {
        Some((server, 1)) => {
            writeln!(out, "The server has processor {server} to itself, and the load ({threads}) has the other one.")
        }
        Some((server, load)) => {
            writeln!(out, "The server has processor {server} to itself, and the load ({threads}) has the other {load}.")
        }
        None => writeln!(out, "The server and the load ({threads}) share the processors."),
    }?;
    writeln!(out)?;
    let (test, rate, cost, busy) = ("test", "requests/s", "us/request", "busy");
    writeln!(out, "{test:TITLE_WIDTH$}  {rate:>11}  {cost:>10}  {busy:>5}  limit")
}

/// One ceiling, as soon as it is known.
pub fn row(ceiling: &Ceiling, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", line(ceiling))
}

fn line(ceiling: &Ceiling) -> String {
    let cost = ceiling.client_cpu_ns_per_request / 1e3;
    let busy = ceiling.client_busy.map_or("-".to_owned(), |busy| format!("{:.0} %", busy * 100.0));
    let (title, rate) = (&ceiling.shape.title, ceiling.requests_per_second.0);
    format!("{title:TITLE_WIDTH$}  {rate:>11.0}  {cost:>10.3}  {busy:>5}  {}", limit(ceiling))
}

/// Who was the limit when the ceiling was measured.
fn limit(ceiling: &Ceiling) -> &'static str {
    match ceiling.limit() {
        Limit::Rbench => "rbench",
        Limit::Others => "other programs",
        Limit::Server => "embedded server",
        Limit::Shared => "shared processor",
        Limit::RoundTrips => "round trips",
    }
}

/// What the columns mean, and where the ceilings are kept.
pub fn end(ceilings: &[Ceiling], file: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    writeln!(
        out,
        "us/request: processor time of the load threads for each request; busy: of the busiest load thread."
    )?;
    let is_any = |limits: &[Limit]| ceilings.iter().any(|ceiling| limits.contains(&ceiling.limit()));
    if is_any(&[Limit::Server, Limit::Shared]) {
        writeln!(out, "Where the limit was the server, rbench can do more than this, against a server elsewhere.")?;
    }
    if is_any(&[Limit::RoundTrips]) {
        writeln!(out, "Where it was round trips, neither was busy: more -c or -P would give more.")?;
    }
    if is_any(&[Limit::Others]) {
        writeln!(
            out,
            "Where it was other programs, the ceiling is too low: calibrate again when nothing else runs (rbench doctor)."
        )?;
    }
    match file {
        Some(file) => writeln!(out, "Kept in {file}; a run of the same shape on this machine is held against it."),
        None => Ok(()),
    }
}

/// All that are remembered, those of this place and others, and how long ago each was measured.
pub fn list(ceilings: &[Ceiling], here: &Place, now_unix_ns: u64, out: &mut dyn Write) -> io::Result<()> {
    let (test, rate, cost, busy) = ("test", "requests/s", "us/request", "busy");
    let limit = "limit";
    writeln!(out, "{test:TITLE_WIDTH$}  {rate:>11}  {cost:>10}  {busy:>5}  {limit:<17}  {:>9}  shape", "measured")?;
    for ceiling in ceilings {
        let shape = &ceiling.shape;
        let mut told = format!("-c {} -P {} --threads {}", shape.clients, shape.pipeline, shape.threads);
        if !shape.keep_alive {
            told += " -k 0";
        }
        if let Some(keys) = shape.key_count {
            told += &format!(" -r {keys}");
        }
        if ceiling.place != *here {
            told += " (elsewhere, or by another rbench)";
        }
        let width = line(ceiling).chars().count() + "embedded server  ".len() - limit_width(ceiling);
        let age = age(now_unix_ns.saturating_sub(ceiling.measured_unix_ns));
        writeln!(out, "{:width$}  {age:>9}  {told}", line(ceiling))?;
    }
    match ceilings.len() {
        0 => writeln!(out, "nothing was measured yet: rbench calibrate -t get"),
        _ => Ok(()),
    }
}

fn limit_width(ceiling: &Ceiling) -> usize {
    limit(ceiling).len()
}

/// In the largest unit of which there are two or more.
fn age(nanos: u64) -> String {
    let seconds = nanos / 1_000_000_000;
    match seconds {
        0..120 => format!("{seconds} s ago"),
        120..7_200 => format!("{} min ago", seconds / 60),
        7_200..172_800 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

/// Ceilings as a list of objects.
pub fn json(ceilings: &[Ceiling], out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, ceilings)?;
    writeln!(out)
}

/// A warning for each test of a closed loop that came close to what rbench itself can do; of several rounds, for the one
/// that came closest.
pub fn warnings(document: &Document) -> Vec<String> {
    let mut closest: Vec<(String, &TestResult, f64)> = Vec::new();
    let is_told = |result: &&TestResult| document.config.arrivals.is_none() && !matches!(result.end, End::Failed(_));
    for result in document.results.iter().filter(is_told) {
        let Some(share) = result.calibration.map(|calibration| 1.0 - calibration.headroom) else { continue };
        let label = document.label(result);
        match closest.iter_mut().find(|(other, ..)| *other == label) {
            Some(other) if share > other.2 => (other.1, other.2) = (result, share),
            Some(_) => {}
            None => closest.push((label.into_owned(), result, share)),
        }
    }
    let close = closest.iter().filter(|(_, _, share)| *share > CLOSE);
    close.map(|(label, result, share)| warning(document, label, result, *share)).collect()
}

fn warning(document: &Document, label: &str, result: &TestResult, share: f64) -> String {
    let busy = result.summary.client_busy.unwrap_or_default();
    let threads = document.config.load_threads() as usize;
    let then = then(share, busy, threads, document.client.cores);
    let (rate, share) = (rate(result.summary.requests_per_second.0), share * 100.0);
    format!("{label}: {rate} is {share:.0} % of what rbench itself reaches here; {then}")
}

/// Above this share of it a ceiling was none.
const BEYOND: f64 = 1.15;

/// What follows for a run that reached this `share` of its ceiling, with so many load threads of which the busiest was
/// `busy`, on so many processors.
fn then(share: f64, busy: f64, threads: usize, cores: usize) -> String {
    let percent = busy * 100.0;
    match (is_limit(Some(busy)), threads < cores) {
        (true, true) => "the client is the limit, add --threads".to_owned(),
        (true, false) => format!("the client is the limit, with all {cores} processors: measure from a larger machine"),
        (false, _) if share > BEYOND => {
            "that was measured too low: run rbench calibrate again, when nothing else runs".to_owned()
        }
        (false, _) => format!("but its load threads were {percent:.0} % busy at most: the client is not the limit"),
    }
}

/// Requests per second, in three digits or so.
fn rate(per_second: f64) -> String {
    match per_second {
        ..1e3 => format!("{per_second:.0}/s"),
        ..1e4 => format!("{:.1} k/s", per_second / 1e3),
        ..1e6 => format!("{:.0} k/s", per_second / 1e3),
        _ => format!("{:.2} M/s", per_second / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only load threads that have nothing left to give make the client the limit.
    #[test]
    fn what_follows_depends_on_who_was_busy() {
        assert_eq!(then(0.97, 0.99, 1, 4), "the client is the limit, add --threads");
        assert!(then(0.97, 0.99, 4, 4).contains("a larger machine"));
        assert!(then(0.97, 0.40, 1, 4).contains("40 % busy at most"));
        assert!(then(3.00, 0.40, 1, 4).contains("calibrate again"));
    }

    #[test]
    fn rates_and_ages_are_short() {
        assert_eq!([812.4, 8_120.0, 812_345.0, 2_130_000.0].map(rate), ["812/s", "8.1 k/s", "812 k/s", "2.13 M/s"]);
        let ago = |seconds: u64| age(seconds * 1_000_000_000);
        assert_eq!([ago(5), ago(300), ago(7_200), ago(864_000)], ["5 s ago", "5 min ago", "2 h ago", "10 d ago"]);
    }
}
