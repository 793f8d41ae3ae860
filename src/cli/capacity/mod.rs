//! `rbench capacity`: the highest rate that keeps a promise, and what more connections bring.

mod arguments;
mod kept;
mod rates;
mod steps;
mod sweep;

pub use arguments::{Arguments, CapacityFlags, OUT_OF_PLACE};

use super::error::{Error, Exit};
use super::run::tool;
use super::session::Session;
use super::ways::{self, Way};
use super::{cleanup, say};
use crate::observe::Machine;
use crate::report::capacity;
use crate::result::capacity::{Capacity, Outcome};
use crate::result::{Document, Kind, store};
use crate::stats::Fit;
use crate::target::limits;
use arguments::{Question, Settings};
use std::io::{self, Write};
use std::sync::Arc;

/// Searches, and tells.
///
/// # Errors
/// [`Error`] when there is nothing to load, or the search could not go on.
pub fn run(mut arguments: Arguments) -> Result<Exit, Error> {
    let session = Session::start()?;
    let settings = &arguments.settings;
    let clients: u64 = arguments.plans.iter().map(|plan| u64::from(settings.clients_of(plan))).sum();
    // Both ends of each connection are ours when the server is.
    limits::allow_connections(2 * clients).map_err(Error::failed)?;
    if let Some(path) = &settings.json {
        store::check_writable(path).map_err(Error::failed)?;
    }
    let mut ways = Vec::new();
    for (plan, embedded) in arguments.plans.drain(..).zip(arguments.embedded.drain(..)) {
        ways.push(Way::open(&session, plan, embedded, &arguments.settings.observe)?);
    }
    let plan = ways[0].plan.clone();
    let command_line = std::mem::take(&mut arguments.command_line);
    let guard = ways::guard(&session, &mut ways)?;
    let targets = ways.iter().flat_map(|way| way.targets.iter().cloned()).collect();
    let mut document = Document::new(tool(), command_line, plan, Machine::observe(), targets, guard);
    document.kind = Kind::Capacity;
    document.capacity = Some(settings.capacity(&ways));
    let searched = search(&session, settings, &mut ways, &mut document);
    let cleaned = clean_up(&session, &ways);
    let told = tell(&document, settings);
    searched?;
    cleaned?;
    told
}

fn search(session: &Session, settings: &Settings, ways: &mut [Way], document: &mut Document) -> Result<(), Error> {
    // Servers may be different ones: each is filled that is not known to be.
    document.prefill = ways::prefill(session, ways, true)?;
    for index in 0..document.config.tests.len() {
        match &settings.question {
            Question::Rate(rates) => rates::search(session, settings, rates, ways, index, document)?,
            Question::Clients(clients) => sweep::sweep(session, settings, clients, ways, index, document)?,
        }
    }
    Ok(())
}

/// Removes what was written, when that is wanted: through each way what was sent through it.
fn clean_up(session: &Session, ways: &[Way]) -> Result<(), Error> {
    for way in ways.iter().filter(|way| way.plan.cleanup) {
        let directories = [Arc::clone(&way.directory)];
        cleanup::clean_up(session, &way.plan, &way.dealt, &directories, &way.targets, &way.requests)?;
    }
    Ok(())
}

/// Keeps what is known, and tells it, however the search ended.
fn tell(document: &Document, settings: &Settings) -> Result<Exit, Error> {
    let mut out = io::stdout().lock();
    if let Some(path) = &settings.json {
        store::write(document, path).map_err(Error::failed)?;
    }
    let told = capacity::write(document, settings.style, &mut out).and_then(|()| out.flush());
    told.map_err(|error| Error::output(&error))?;
    let capacity = document.capacity.as_ref().expect("it is a search");
    Ok(if is_kept(capacity) { Exit::Done } else { Exit::Broken })
}

/// Whether each search held a rate that keeps the promise, and one that is high enough for what is wanted.
fn is_kept(capacity: &Capacity) -> bool {
    capacity.searches.iter().all(|searched| {
        let is_found = matches!(searched.outcome, Outcome::Found | Outcome::AtLeast(_)) && searched.rate.is_some();
        is_found && searched.demand.as_ref().is_none_or(|demand| demand.fit == Fit::Fits)
    })
}

/// Says on stderr what a search is about, for whoever waits for it.
fn announce(text: &str) {
    if io::IsTerminal::is_terminal(&io::stderr()) {
        say::warning(text);
    }
}
