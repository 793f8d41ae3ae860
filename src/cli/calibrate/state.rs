//! Where ceilings are remembered, and remembering them.

use crate::cli::error::Error;
use crate::cli::say;
use crate::plan::{Plan, Rounds};
use crate::result::calibration::{Calibration, Calibrations, Ceiling, Place, Shape};
use crate::result::{Document, StoreError, store};
use std::path::PathBuf;

/// The user's directory for what programs remember.
/// Source: XDG Base Directory Specification 0.8, which has relative paths ignored.
fn file() -> Option<PathBuf> {
    let named = |name| std::env::var_os(name).filter(|text| !text.is_empty()).map(PathBuf::from);
    let absolute = |name| named(name).filter(|path| path.is_absolute());
    let directory = named("RBENCH_STATE_DIR")
        .or_else(|| absolute("XDG_STATE_HOME").map(|path| path.join("rbench")))
        .or_else(|| absolute("HOME").map(|path| path.join(".local/state/rbench")))?;
    Some(directory.join("calibration.json"))
}

/// What earlier calibrations found. What cannot be read is told in a line, and is as if it were not there.
pub fn remembered() -> Calibrations {
    let read = file().map(|file| store::read_calibrations(&file));
    read.transpose()
        .unwrap_or_else(|error| {
            say::warning(format!("calibration is passed over: {error}"));
            None
        })
        .unwrap_or_default()
}

/// Adds `ceilings` to what is remembered, and says where.
///
/// # Errors
/// [`Error`] when they cannot be kept.
pub fn remember(ceilings: &[Ceiling]) -> Result<PathBuf, Error> {
    let file = file().ok_or_else(|| {
        Error::failed(
            "no directory to keep calibrations in: neither RBENCH_STATE_DIR nor XDG_STATE_HOME nor HOME is set",
        )
    })?;
    // Again, and late: another rbench may have kept some of its own meanwhile.
    let mut all = match store::read_calibrations(&file) {
        // Nothing in it is of use to anybody.
        Err(StoreError::NotCalibrations { .. }) => Calibrations::default(),
        read => read.map_err(Error::failed)?,
    };
    ceilings.iter().for_each(|ceiling| all.keep(ceiling.clone()));
    store::write_calibrations(&all, &file).map_err(Error::failed)?;
    Ok(file)
}

/// How far the last result of `document`, of test number `index` of its plan, was from what rbench itself can do.
pub fn beside(calibrations: &Calibrations, document: &Document, index: usize) -> Option<Calibration> {
    let plan = &document.config;
    let shape = Shape::of(plan, &plan.tests[index])?;
    let ceiling = calibrations.find(&shape, &Place::of(&document.client, &document.tool))?;
    ceiling.beside(document.results.last()?.summary.requests_per_second)
}

/// The plan with nothing in it that is not about how fast it can be.
pub fn closed(plan: Plan) -> Plan {
    let (arrivals, latency_limit) = (None, None);
    Plan { arrivals, latency_limit, spin: false, realtime: false, rounds: Rounds::Once, cleanup: false, ..plan }
}
