//! `--prefill`: writes the keys that the tests read, and waits until the servers have come to rest.

use super::error::Error;
use super::run::Dealt;
use super::say;
use super::session::Session;
use crate::engine::drivers::DRIVERS;
use crate::engine::{self, Load};
use crate::event::Observer;
use crate::plan::{Plan, Prefill};
use crate::recording::End;
use crate::result::document::Filled;
use crate::target::settle::settle;
use crate::target::{Directory, Target};
use crate::units::Nanos;
use std::sync::Arc;
use std::time::Duration;

/// How long a server may take to come to rest.
const SETTLE_MAX: Duration = Duration::from_secs(60);

/// The child of a plan's seed that keys are filled by.
const FILLING: u64 = u64::MAX;

/// Writes the keys of `prefill`, each once, through each of `directories`, and notes in `dealt` what was written.
///
/// # Errors
/// [`Error`] when not every key could be written.
pub fn fill(
    session: &Session,
    plan: &Plan,
    prefill: &Prefill,
    directories: &[Arc<Directory>],
    targets: &[Target],
    dealt: &mut Dealt,
    observer: &mut dyn Observer,
) -> Result<Filled, Error> {
    let mut filled = Filled::default();
    for (place, directory) in directories.iter().enumerate() {
        // A copy of the master has what the master has.
        let is_copy = directories.len() > 1
            && targets.get(place).is_some_and(|target| target.server.role.as_deref() == Some("slave"));
        if is_copy {
            continue;
        }
        for (index, test) in prefill.tests.iter().enumerate() {
            let run = plan.of_prefill(prefill, test);
            let seed = plan.seed.child(FILLING).child(index as u64);
            let interrupted = &session.interrupt.flag;
            let load = Load { plan: &run, test, seed, directory, standing: None };
            let recording = engine::run(&DRIVERS[0], load, interrupted, observer)
                .map_err(|error| Error::failed(format!("--prefill: {error}")))?;
            dealt.insert((0, plan.tests.len() + index, place), recording.dealt);
            let written = recording.counts.completed;
            filled.requests += written;
            filled.elapsed_ns = filled.elapsed_ns + recording.elapsed;
            let wanted = run.requests().unwrap_or_default();
            let stopped = || format!("--prefill stopped after {written} of {wanted} keys");
            match &recording.end {
                End::Interrupted => return Err(session.interrupted(format!("interrupted: {}", stopped()))),
                End::Failed(failure) => return Err(Error::failed(format!("{}: {failure}", stopped()))),
                End::Completed if written < wanted => {
                    say::warning(format!("--prefill wrote {written} of {wanted} keys; the rest was refused or lost"));
                }
                End::Completed => {}
            }
        }
        filled.settled_ns = filled.settled_ns + come_to_rest(session, plan, directory)?;
    }
    Ok(filled)
}

/// Waits until what was written is saved and handed on, or says that it is not.
fn come_to_rest(session: &Session, plan: &Plan, directory: &Directory) -> Result<Nanos, Error> {
    let mut longest = Nanos::ZERO;
    for node in &directory.roster().nodes {
        match session.wait_for(settle(directory, node, plan.connect_timeout.into(), SETTLE_MAX))? {
            Ok(took) => longest = longest.max(took.into()),
            Err(reason) => say::warning(format!("--prefill: {}: {reason}; the first test may feel it", node.name)),
        }
    }
    Ok(longest)
}
