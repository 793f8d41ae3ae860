//! `--sweep-clients`: what more connections bring in a closed loop.

use super::announce;
use super::arguments::Settings;
use super::steps::Steps;
use crate::cli::error::Error;
use crate::cli::session::Session;
use crate::cli::ways::Way;
use crate::experiment::compare::Order;
use crate::recording::Latencies;
use crate::result::capacity::{Sweep, SweepPoint};
use crate::result::{Document, TestResult, store};
use crate::stats::{Spread, Usl};
use crate::units::Nanos;

/// How often each number is tried, in an order that is drawn: one try says nothing of how far tries fall apart.
const TIMES: usize = 3;

/// The children of a plan's seed that the order of turns and intervals are drawn from.
const TURNS: u64 = u64::MAX - 2;
const INTERVALS: u64 = u64::MAX - 4;

/// Tries each number of `clients` on each of `ways`, with test number `index`.
///
/// # Errors
/// [`Error`] when a load could not be made. What is known by then is in `document`.
pub fn sweep(
    session: &Session,
    settings: &Settings,
    clients: &[u32],
    ways: &mut [Way],
    index: usize,
    document: &mut Document,
) -> Result<(), Error> {
    let mut steps = Steps::new(session, settings);
    let seed = document.seed.child(index as u64);
    let mut order = Order::new(ways.len() * clients.len(), seed.child(TURNS));
    let mut results: Vec<Vec<TestResult>> = vec![Vec::new(); order.paths()];
    let span = Nanos(settings.step.0 / TIMES as u64);
    let mut take = |results: &mut Vec<Vec<TestResult>>| -> Result<(), Error> {
        for _ in 0..TIMES {
            for place in order.next_round() {
                let (way, clients) = (&mut ways[place / clients.len()], clients[place % clients.len()]);
                announce(&format!("trying {clients} connections"));
                results[place].push(steps.closed_loop(way, index, span, Some(clients))?);
            }
        }
        Ok(())
    };
    let taken = take(&mut results);
    let test = &document.config.tests[index].title;
    for (path, results) in results.chunks(clients.len()).enumerate() {
        let points: Vec<SweepPoint> = clients.iter().zip(results).filter_map(point).collect();
        let pairs: Vec<(u32, f64)> = points
            .iter()
            .flat_map(|point| point.requests_per_second.iter().map(|rate| (point.clients, rate.0)))
            .collect();
        let path = (ways.len() > 1).then_some(path);
        let usl = Usl::of(&pairs, seed.child(INTERVALS));
        let sweeps = document.capacity.as_mut().map(|capacity| &mut capacity.sweeps);
        sweeps.expect("it is a search").push(Sweep { test: test.clone(), path, points, usl });
    }
    if let Some(path) = &settings.json {
        store::write(document, path).map_err(Error::failed)?;
    }
    taken
}

/// None of a number that was not tried.
fn point((clients, results): (&u32, &Vec<TestResult>)) -> Option<SweepPoint> {
    let mut latencies = Latencies::default();
    results.iter().for_each(|result| latencies.add(&result.service_time));
    let median = |of: fn(&TestResult) -> Option<f64>| Some(Spread::of(results.iter().filter_map(of))?.median);
    (!results.is_empty()).then(|| SweepPoint {
        clients: *clients,
        requests_per_second: results.iter().map(|result| result.summary.requests_per_second).collect(),
        p50_ns: latencies.at(50.0),
        p99_ns: latencies.at(99.0),
        client_busy: median(|result| result.summary.client_busy),
        server_busy: median(super::kept::server_busy),
    })
}
