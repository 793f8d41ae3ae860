//! The curve for a spreadsheet: a line for each rate that was tried, latencies in milliseconds.

use super::curve::ms;
use crate::result::Document;
use std::io::{self, Write};

const COLUMNS: [&str; 17] = [
    "test",
    "path",
    "stage",
    "verdict",
    "offered",
    "achieved",
    "seconds",
    "completed",
    "errors",
    "p50_ms",
    "p99_ms",
    "p99.9_ms",
    "max_ms",
    "slip_p99_ms",
    "server_busy",
    "proxy_busy",
    "client_busy",
];

const SWEEP_COLUMNS: [&str; 8] =
    ["test", "path", "clients", "requests_per_second", "p50_ms", "p99_ms", "server_busy", "client_busy"];

pub fn write(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    let Some(capacity) = &document.capacity else { return Ok(()) };
    let path = |path: Option<usize>| path.and_then(|path| capacity.paths.get(path)).map_or("", |path| &path.name);
    if !capacity.searches.is_empty() {
        write_row(&COLUMNS.map(str::to_owned), out)?;
    }
    for searched in &capacity.searches {
        for step in &searched.steps {
            write_row(
                &[
                    searched.test.clone(),
                    path(searched.path).to_owned(),
                    step.stage.clone(),
                    step.verdict.clone(),
                    format!("{:.2}", step.offered.0),
                    format!("{:.2}", step.achieved.0),
                    format!("{:.3}", step.elapsed_ns.as_secs()),
                    step.completed.to_string(),
                    step.errors.to_string(),
                    ms(step.p50_ns),
                    ms(step.p99_ns),
                    ms(step.p999_ns),
                    ms(step.max_ns),
                    ms(step.slip_p99_ns),
                    share(step.server_busy),
                    share(step.proxy_busy),
                    share(step.client_busy),
                ],
                out,
            )?;
        }
    }
    if !capacity.sweeps.is_empty() {
        write_row(&SWEEP_COLUMNS.map(str::to_owned), out)?;
    }
    for sweep in &capacity.sweeps {
        for point in &sweep.points {
            for rate in &point.requests_per_second {
                write_row(
                    &[
                        sweep.test.clone(),
                        path(sweep.path).to_owned(),
                        point.clients.to_string(),
                        format!("{:.2}", rate.0),
                        ms(point.p50_ns),
                        ms(point.p99_ns),
                        share(point.server_busy),
                        share(point.client_busy),
                    ],
                    out,
                )?;
            }
        }
    }
    Ok(())
}

fn share(share: Option<f64>) -> String {
    share.map_or_else(String::new, |share| format!("{share:.4}"))
}

/// Every field quoted, as in the other tables.
fn write_row(fields: &[String], out: &mut dyn Write) -> io::Result<()> {
    let quoted: Vec<String> = fields.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
    writeln!(out, "{}", quoted.join(","))
}
