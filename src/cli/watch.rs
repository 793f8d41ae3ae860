//! Whoever watches a run: the line on a terminal, and the log of histograms.

use super::error::Error;
use crate::event::{Event, Observer};
use crate::observe::Starter;
use crate::plan::Plan;
use crate::report::progress::Progress;
use crate::result::hdr_log::{HdrLog, Series};
use crate::result::store::Draft;
use crate::result::{Document, StoreError};
use crate::units::Nanos;
use hdrhistogram::serialization::V2DeflateSerializer;
use std::path::{Path, PathBuf};

/// The log of `--hdr-log`, growing beside its place.
pub struct LogFile {
    path: PathBuf,
    draft: Draft,
    serializer: V2DeflateSerializer,
}

impl LogFile {
    pub fn create(path: &Path) -> Result<LogFile, Error> {
        let draft = Draft::create(path).map_err(Error::failed)?;
        Ok(LogFile { path: path.to_owned(), draft, serializer: V2DeflateSerializer::new() })
    }

    /// Puts the log in its place, however the run ended.
    pub fn keep(self) -> Result<(), Error> {
        self.draft.keep().map_err(Error::failed)
    }
}

/// Everybody who watches a run.
pub struct Watch<'a> {
    progress: Option<Progress>,
    log: Option<(&'a Path, HdrLog<'a, Draft>)>,
    /// Who waits for the next test to begin, to observe it.
    starter: Option<Starter>,
    /// Whether a test was run.
    has_begun: bool,
}

impl<'a> Watch<'a> {
    /// Watches the run that `document` is of.
    pub fn new(progress: Option<Progress>, log: Option<&'a mut LogFile>, document: &Document) -> Result<Self, Error> {
        let begin = |LogFile { path, draft, serializer }: &'a mut LogFile| {
            let about = format!("{} {}", document.tool.name, document.tool.version);
            let start = Nanos(document.time.start_unix_ns);
            match HdrLog::begin(draft, serializer, &about, start) {
                Ok(log) => Ok((&**path, log)),
                Err(cause) => Err(Error::failed(StoreError::Write { path: path.clone(), cause })),
            }
        };
        Ok(Watch { progress, log: log.map(begin).transpose()?, starter: None, has_begun: false })
    }

    /// The next test is to be logged: `label` is what it is called, when there are others.
    pub fn expect(&mut self, plan: &Plan, label: Option<&str>) {
        self.has_begun = true;
        if let Some((_, log)) = &mut self.log {
            let end = plan.duration().map_or(Nanos(u64::MAX), |duration| plan.warmup + duration);
            log.expect(Series::new(label, plan.arrivals.is_some(), plan.warmup..end));
        }
    }

    /// The next test is to be observed.
    pub fn observe_with(&mut self, starter: Starter) {
        self.starter = Some(starter);
    }

    /// Whether the log, if there is to be one, has all that it was told. Where no test was run there is nothing to keep,
    /// and perhaps the log of another run in its place.
    pub fn is_worth_keeping(&self) -> bool {
        self.has_begun && self.log.as_ref().is_none_or(|(_, log)| log.is_whole())
    }

    /// Makes sure of that, and says once why not.
    pub fn check(&mut self) -> Result<(), Error> {
        match &mut self.log {
            Some((path, log)) => match log.take_error() {
                Some(cause) => Err(Error::failed(StoreError::Write { path: path.to_owned(), cause })),
                None => Ok(()),
            },
            None => Ok(()),
        }
    }
}

impl Observer for Watch<'_> {
    fn observe(&mut self, event: &Event) {
        if let Some(progress) = &mut self.progress {
            progress.observe(event);
        }
        if let Some(starter) = &mut self.starter {
            starter.observe(event);
        }
        if let Some((_, log)) = &mut self.log {
            match event {
                Event::Sending { unix } => log.start(*unix),
                Event::Interval { start, length, measured, .. } => log.interval(*start, *length, measured),
                Event::Ended { measured_until } => log.end(*measured_until),
                Event::Started { .. } | Event::Progress { .. } => {}
            }
        }
    }

    fn follows(&self) -> bool {
        self.progress.is_some()
    }
}
