//! `rbench calibrate`: how fast rbench itself is on this machine.

mod arguments;
mod pin;
mod state;

pub use arguments::{Arguments, CalibrateFlags};
pub use state::{beside, remembered};

use super::error::{Error, Exit};
use super::run::{Dealt, start_embedded, tool};
use super::session::Session;
use super::{prefill, say};
use crate::engine::drivers::DRIVERS;
use crate::engine::{self, EngineError, Load};
use crate::event::Observer;
use crate::observe::{Machine, ProcessorUse, Processors};
use crate::plan::Plan;
use crate::recording::End;
use crate::report::calibration;
use crate::report::progress::Progress;
use crate::result::TestResult;
use crate::result::calibration::{Ceiling, Place, now_unix_ns};
use crate::stats;
use crate::target::{Directory, limits};
use arguments::Format;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

/// Measures and remembers, or tells what is remembered.
///
/// # Errors
/// [`Error`] when a test cannot be run to its end. Those before it are remembered.
pub fn run(arguments: Arguments) -> Result<Exit, Error> {
    // Before this thread goes to processors of its own.
    let machine = Machine::observe();
    let place = Place::of(&machine, &tool());
    let mut out = io::stdout().lock();
    let told = match arguments.plan {
        None => list(&place, arguments.format, &mut out),
        Some(plan) => return measure(plan, &place, arguments.format, &mut out),
    };
    told.and_then(|()| out.flush()).map_err(|error| Error::output(&error))?;
    Ok(Exit::Done)
}

fn list(place: &Place, format: Format, out: &mut dyn Write) -> io::Result<()> {
    let ceilings = remembered().ceilings;
    match format {
        Format::Text => calibration::list(&ceilings, place, now_unix_ns(), out),
        Format::Json => calibration::json(&ceilings, out),
    }
}

fn measure(mut plan: Plan, place: &Place, format: Format, out: &mut dyn Write) -> Result<Exit, Error> {
    let session = Session::start()?;
    limits::allow_connections(2 * u64::from(plan.clients)).map_err(Error::failed)?;
    let (server, apart) = pin::apart(|| start_embedded(&mut plan, None));
    let _server = server?;
    let directory = session.resolve(&plan.server, plan.connect_timeout)?.directory;
    let is_text = format == Format::Text;
    let output = |told: io::Result<()>| told.map_err(|error| Error::output(&error));
    if is_text {
        let each = plan.duration().unwrap_or_default();
        output(calibration::begin(plan.load_threads(), each, apart, plan.tests.len(), out).and_then(|()| out.flush()))?;
    }
    let (mut ceilings, mut file) = (Vec::new(), None);
    let measured = measure_tests(&session, &plan, &directory, |result, index, processors| {
        let test = &plan.tests[index];
        let whole = Some(result).filter(|result| result.errors.is_empty());
        let Some(ceiling) = whole.and_then(|it| Ceiling::of(&plan, test, place, it, processors, apart.is_some()))
        else {
            say::warning(format!("{}: {} errors: this is no ceiling", test.title, result.errors.total()));
            return Ok(());
        };
        if is_text {
            output(calibration::row(&ceiling, out).and_then(|()| out.flush()))?;
        }
        ceilings.push(ceiling);
        Ok(())
    });
    // Whatever ended it, what was measured is kept and told.
    if !ceilings.is_empty() {
        match state::remember(&ceilings) {
            Ok(path) => file = Some(path.display().to_string()),
            Err(error) => say::warning(format!("not remembered: {}", error.message.unwrap_or_default())),
        }
    }
    output(match format {
        Format::Text => calibration::end(&ceilings, file.as_deref(), out),
        Format::Json => calibration::json(&ceilings, out),
    })?;
    output(out.flush())?;
    measured?;
    Ok(if ceilings.is_empty() { Exit::Failed } else { Exit::Done })
}

/// Runs each test of `plan` once, and hands over what it brought home.
fn measure_tests(
    session: &Session,
    plan: &Plan,
    directory: &Arc<Directory>,
    mut done: impl FnMut(&TestResult, usize, Option<ProcessorUse>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut observer: Box<dyn Observer> =
        if io::stderr().is_terminal() { Box::new(Progress::default()) } else { Box::new(()) };
    if let Some(keys) = &plan.prefill {
        let directories = [Arc::clone(directory)];
        prefill::fill(session, plan, keys, &directories, &[], &mut Dealt::new(), observer.as_mut())?;
    }
    for (index, test) in plan.tests.iter().enumerate() {
        let load = Load { plan, test, seed: plan.seed_of(0, index), directory, standing: None };
        let before = Processors::look();
        let recording = engine::run(&DRIVERS[0], load, &session.interrupt.flag, observer.as_mut());
        let recording = recording.map_err(|error| match error {
            EngineError::Interrupted => session.interrupted(format!("interrupted: {}", test.title)),
            error => Error::failed(format!("{}: {error}", test.title)),
        })?;
        let processors = before.zip(Processors::look()).and_then(|(before, now)| now.since(&before));
        match &recording.end {
            End::Completed => {}
            End::Interrupted => return Err(session.interrupted(format!("interrupted: {}", test.title))),
            End::Failed(failure) => return Err(Error::failed(format!("{}: {failure}", test.title))),
        }
        let summary = stats::summarize(&recording);
        done(&TestResult::of(plan, 0, index, None, recording, summary), index, processors)?;
    }
    Ok(())
}
