//! Turns: a path is loaded for a while, and what came of it is looked at.

use super::TRIES;
use super::arguments::Settings;
use crate::cli::error::Error;
use crate::cli::session::Session;
use crate::cli::ways::Way;
use crate::engine::drivers::DRIVERS;
use crate::engine::{self, EngineError, Load};
use crate::event::Observer;
use crate::experiment::compare::Turn;
use crate::observe::{Taken, TakenShare};
use crate::recording::End;
use crate::report::progress::Progress;
use crate::result::TestResult;
use crate::stats::{self, Bounds, Looks};
use std::io::{self, IsTerminal};

/// The turns of a comparison in one test.
pub struct Slices<'a> {
    session: &'a Session,
    settings: &'a Settings,
    test: usize,
    /// For each path its slices in a row that something disturbed: what does so to one, such as a client at its limit on
    /// the quickest way, may not to the others.
    disturbed: Vec<u32>,
    observer: Box<dyn Observer>,
}

impl<'a> Slices<'a> {
    pub fn new(session: &'a Session, settings: &'a Settings, test: usize, paths: usize) -> Slices<'a> {
        let observer: Box<dyn Observer> =
            if io::stderr().is_terminal() { Box::new(Progress::default()) } else { Box::new(()) };
        Slices { session, settings, test, disturbed: vec![0; paths], observer }
    }

    /// Loads `way`, which is number `path`, in `round`.
    ///
    /// # Errors
    /// [`Error`] when the load could not be made, or not to its end.
    pub fn take(&mut self, way: &mut Way, round: u32, path: usize) -> Result<Turn<TestResult>, Error> {
        let Way { plan, directory, standing, dealt, observers, .. } = way;
        let session = self.session;
        let test = &plan.tests[self.test];
        let seed = plan.seed_of(round.into(), self.test);
        let load = Load { plan, test, seed, directory, standing: Some(standing) };
        let place = || format!("{} in round {round}, path '{}'", test.title, plan.path.as_deref().unwrap_or_default());
        let interrupted = || session.interrupted(format!("interrupted: {}", place()));
        let proxies = session.look_at(&self.settings.haproxy_stats, round == 0 && self.test == 0)?;
        let observing = session.unless_interrupted(std::mem::take(observers).begin(plan.clients.into(), plan.interval));
        let mut observing = observing.ok_or_else(interrupted)?;
        let mut watching = (self.observer.as_mut(), observing.starter());
        let before = Taken::look();
        let recording =
            engine::run(&DRIVERS[0], load, &session.interrupt.flag, &mut watching).map_err(|error| match error {
                EngineError::Interrupted => interrupted(),
                error => Error::failed(format!("{}: {error}", place())),
            })?;
        let TakenShare { steal, throttled } = Taken::look().since(&before);
        let (for_next, mut observed) = session.observed(observing);
        *observers = for_next;
        observed.complete(&recording.timeline, &recording.load_threads);
        // Of a turn the sum is enough.
        observed.samples.clear();
        let dealt = dealt.entry((round.into(), self.test, 0)).or_default();
        *dealt = (*dealt).max(recording.dealt);
        match &recording.end {
            End::Completed => {}
            End::Interrupted => return Err(interrupted()),
            End::Failed(failure) => return Err(Error::failed(format!("{}: {failure}", place()))),
        }
        let summary = stats::summarize(&recording);
        let mut slice = TestResult::of(plan, round.into(), self.test, None, recording, summary);
        slice.path = Some(path);
        slice.observed = Some(observed);
        slice.proxies = session.since(&proxies, &self.settings.haproxy_stats);
        let looks = Looks {
            slip: slice.slip.as_ref(),
            client_busy: slice.summary.client_busy,
            steal,
            throttled,
            errors: slice.errors.total(),
        };
        let disturbance = stats::disturbance(&looks, &Bounds::default());
        let disturbed = &mut self.disturbed[path];
        *disturbed = if disturbance.is_some() { *disturbed + 1 } else { 0 };
        Ok(Turn { slice, disturbance, is_lasting: *disturbed > TRIES })
    }
}
