//! `rbench compare`: what one way to a server costs beside another.

mod arguments;
mod conclude;
mod saved;
mod slices;

pub use arguments::{Arguments, CompareFlags, OUT_OF_PLACE};

use super::error::{Error, Exit};
use super::run::tool;
use super::session::Session;
use super::ways::{self, Way};
use super::{cleanup, say};
use crate::experiment::compare::{Order, Progress, Rounds};
use crate::observe::Machine;
use crate::report::compare;
use crate::result::compare::Compare;
use crate::result::{Document, Kind, store};
use crate::stats::Rule;
use crate::target::limits;
use arguments::Settings;
use slices::Slices;
use std::io::{self, Write};

/// How often a slice that was disturbed is measured again.
const TRIES: u32 = 3;

/// The child of a plan's seed that the order of turns is drawn from.
const TURNS: u64 = u64::MAX - 2;

/// Compares, and tells.
///
/// # Errors
/// [`Error`] when there is nothing to compare, or with [`Exit::Broken`] when `--fail-if` says so.
pub fn run(arguments: Arguments) -> Result<Exit, Error> {
    if let Some(path) = &arguments.settings.json {
        store::check_writable(path).map_err(Error::failed)?;
    }
    let mut out = io::stdout().lock();
    if !arguments.settings.from.is_empty() {
        let document = saved::compare(&arguments.settings, arguments.command_line)?;
        return tell(&document, &arguments.settings, &mut out);
    }
    live(arguments, &mut out)
}

fn live(mut arguments: Arguments, out: &mut dyn Write) -> Result<Exit, Error> {
    let session = Session::start()?;
    let clients: u64 = arguments.plans.iter().map(|plan| u64::from(plan.clients)).sum();
    limits::allow_connections(2 * clients).map_err(Error::failed)?;
    let settings = &arguments.settings;
    let mut ways = Vec::new();
    for (mut plan, mut embedded) in arguments.plans.drain(..).zip(arguments.embedded.drain(..)) {
        if let (Some(first), true) = (ways.first(), settings.is_with_itself) {
            // A server of our own is not started twice.
            let first: &Way = first;
            plan.server = first.plan.server.clone();
            embedded = None;
        }
        ways.push(Way::open(&session, plan, embedded, &settings.observe)?);
    }
    ways::check(&ways, settings.different_servers)?;
    let plan = ways[settings.reference].plan.clone();
    let command_line = std::mem::take(&mut arguments.command_line);
    let guard = ways::guard(&session, &mut ways)?;
    let targets = ways.iter().flat_map(|way| way.targets.iter().cloned()).collect();
    let mut document = Document::new(tool(), command_line, plan.clone(), Machine::observe(), targets, guard);
    document.kind = Kind::Compare;
    document.compare = Some(settings.compare(&ways));
    let style = settings.style;
    compare::begin(&document, style, out).map_err(|error| Error::output(&error))?;
    let compared = compare_tests(&session, settings, &mut ways, &mut document);
    let looked = look_again(&session, &ways, &mut document);
    let cleaned = clean_up(&session, &ways);
    // Whatever ended it, what was measured is kept and told.
    if document.results.is_empty() {
        compared?;
        cleaned?;
        return Err(Error::failed("no round was completed"));
    }
    let told = tell(&document, settings, out);
    compared?;
    looked?;
    cleaned?;
    told
}

/// Compares the ways in each test in turn.
fn compare_tests(
    session: &Session,
    settings: &Settings,
    ways: &mut [Way],
    document: &mut Document,
) -> Result<(), Error> {
    document.prefill = ways::prefill(session, ways, settings.different_servers)?;
    let plan = document.config.clone();
    let rounds = Rounds { least: settings.rounds, most: settings.most_rounds(), tries: TRIES };
    for (index, test) in plan.tests.iter().enumerate() {
        let mut order = Order::new(ways.len(), plan.seed.child(TURNS).child(index as u64));
        let (mut slices, mut progress) = (Slices::new(session, settings, index, ways.len()), Progress::default());
        let taken = rounds.take(
            &mut order,
            &mut progress,
            |round, path| slices.take(&mut ways[path], round, path),
            |rounds| settings.is_precise(rounds),
        );
        let Progress { rounds, repeated, borne } = progress;
        conclude::add(document, &test.title, rounds);
        let compare = document.compare.as_mut().expect("it is a comparison");
        compare.repeated += repeated;
        compare.borne.extend(borne);
        if let Some(path) = &settings.json {
            store::write(document, path).map_err(Error::failed)?;
        }
        taken?;
    }
    Ok(())
}

/// Sees whether the ways end where they did: a failover or a restart in between makes a comparison worthless.
fn look_again(session: &Session, ways: &[Way], document: &mut Document) -> Result<(), Error> {
    let compare = document.compare.as_mut().expect("it is a comparison");
    for (way, path) in ways.iter().zip(&mut compare.paths) {
        path.afterwards = way.look_again(session)?;
    }
    Ok(())
}

/// Removes what was written, when that is wanted: through each way what was sent through it.
fn clean_up(session: &Session, ways: &[Way]) -> Result<(), Error> {
    for way in ways.iter().filter(|way| way.plan.cleanup) {
        let directories = [std::sync::Arc::clone(&way.directory)];
        cleanup::clean_up(session, &way.plan, &way.dealt, &directories, &way.targets, &way.requests)?;
    }
    Ok(())
}

/// Tells what came of it, keeps it, and judges it by the rules of `--fail-if`.
fn tell(document: &Document, settings: &Settings, out: &mut dyn Write) -> Result<Exit, Error> {
    if let Some(path) = &settings.json {
        store::write(document, path).map_err(Error::failed)?;
    }
    compare::end(document, settings.style, out).and_then(|()| out.flush()).map_err(|error| Error::output(&error))?;
    let compare = document.compare.as_ref().expect("it is a comparison");
    if compare.is_void() {
        let moved = compare.paths.iter().filter_map(compare::moved).collect::<Vec<_>>().join("; ");
        return Err(Error::failed(format!("{moved}; the comparison is void: compare again")));
    }
    let broken = broken(&settings.rules, compare)?;
    broken.iter().for_each(say::warning);
    Ok(if broken.is_empty() { Exit::Done } else { Exit::Broken })
}

/// What of a comparison breaks `rules`.
///
/// # Errors
/// [`Error`] when a rule cannot be judged: a gate that nobody watches is no gate.
fn broken(rules: &[Rule], compare: &Compare) -> Result<Vec<String>, Error> {
    let mut broken = Vec::new();
    for rule in rules {
        for compared in &compare.comparisons {
            let place = format!("{}, {}", compared.test, compare.name(compared.path));
            let metric = compared.metrics.iter().find(|compared| compared.metric == rule.metric);
            let comparison = metric.map(|metric| &metric.comparison);
            match comparison.and_then(|comparison| Some((comparison, rule.is_broken(comparison)?))) {
                Some((comparison, true)) => {
                    let change = (comparison.ratio.value - 1.0) * 100.0;
                    broken.push(format!("--fail-if {rule}: {place}: {change:+.1}% beside the reference"));
                }
                Some((_, false)) => {}
                None => {
                    return Err(Error::failed(format!(
                        "--fail-if {rule} cannot be judged: {place}: too few rounds (6 at least), or too few samples beyond it"
                    )));
                }
            }
        }
    }
    Ok(broken)
}
