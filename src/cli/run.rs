//! `rbench` without a verb: run the tests, and report each as it ends.

use super::error::{Error, Exit};
use super::flags::RunFlags;
use super::observe::Wanted;
use super::plan::plan;
use super::prepare;
use super::redact::redact;
use super::server::{is_each, secrets};
use super::session::Session;
use super::watch::{LogFile, Watch};
use super::{calibrate, cleanup, prefill, say};
use crate::embedded::{self, Behaviours};
use crate::engine::drivers::DRIVERS;
use crate::engine::{self, EngineError, Load, idle, realtime};
use crate::observe::{Machine, Observers, StatsAddress};
use crate::plan::{OnError, Plan, Rounds};
use crate::recording::{End, ErrorKind, Failure};
use crate::report::progress::Progress;
use crate::report::{self, FORMATS, Report, Style, verdict};
use crate::result::calibration::Calibrations;
use crate::result::{Document, TestResult, Tool, judge_result, store};
use crate::stats;
use crate::target::guard::Mode;
use crate::target::{Address, Directory, Resolved, Roster, limits};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// A run as the command line asks for it.
pub struct Arguments {
    pub(super) plan: Plan,
    /// The server to start first, and how it behaves.
    embedded: Option<Option<Behaviours>>,
    idle: bool,
    haproxy_stats: Vec<StatsAddress>,
    observe: Wanted,
    report: Box<dyn Report>,
    json: Option<PathBuf>,
    hdr_log: Option<PathBuf>,
    /// Whether the report tells who was the limit.
    tells_verdict: bool,
    /// Whether the report itself needs all results in the end.
    keeps_results: bool,
    command_line: Vec<String>,
}

impl Arguments {
    /// Decides what the flags leave open.
    ///
    /// # Errors
    /// [`Error`] when flags do not fit together.
    pub fn new(flags: RunFlags, command_line: &[OsString]) -> Result<Arguments, Error> {
        if flags.output.version {
            return Err(Error::new(Exit::Done, format!("rbench {}", env!("CARGO_PKG_VERSION"))));
        }
        if flags.output.json.is_some() && flags.output.json == flags.output.hdr_log {
            return Err(Error::usage("--json and --hdr-log name the same file"));
        }
        let RunFlags { plan: flags, output } = flags;
        let plan = Plan { interval: output.interval.into(), precision: output.precision, ..plan(&flags)? };
        let embedded = flags.server.only_way()?.1.embedded.clone();
        let observe = Wanted::of(&flags, &plan.server)?;
        let secrets: Vec<String> = observe.beside().iter().chain([&plan.server]).flat_map(secrets).collect();
        let format = output.format.unwrap_or(&FORMATS[0]);
        let style = Style::of(output.quiet, output.csv);
        Ok(Arguments {
            idle: flags.load.idle,
            haproxy_stats: flags.server.haproxy_stats,
            report: format.report(style),
            tells_verdict: format.tells_verdict,
            keeps_results: output.json.is_some() || format.name == "json",
            json: output.json,
            hdr_log: output.hdr_log,
            // The server is ours: what it does, we do.
            observe,
            command_line: redact(command_line, &secrets),
            embedded,
            plan,
        })
    }
}

/// Runs the tests and reports them.
pub fn run(mut arguments: Arguments) -> Result<Exit, Error> {
    let session = Session::start()?;
    // Both ends of each connection are ours when the server is.
    let ends = if arguments.embedded.is_some() { 2 } else { 1 };
    limits::allow_connections(u64::from(arguments.plan.clients) * ends).map_err(Error::failed)?;
    for path in [&arguments.json, &arguments.hdr_log].into_iter().flatten() {
        store::check_writable(path).map_err(Error::failed)?;
    }
    let _server = match arguments.embedded.take() {
        Some(behaviours) => Some(start_embedded(&mut arguments.plan, behaviours)?),
        None => None,
    };
    let mut resolved = session.resolve(&arguments.plan.server, arguments.plan.connect_timeout)?;
    resolved.warnings.iter().for_each(say::warning);
    if arguments.idle {
        // Nobody is counted but those that were asked for.
        resolved.controls.clear();
        return hold_idle(&arguments.plan, &resolved.directory, &session);
    }
    let requests = prepare::ask_about_requests(&session, &mut arguments.plan, &mut resolved, false)?;
    prepare::warn_of_left_out(&arguments.plan, &resolved);
    let guard = prepare::guard(&session, &arguments.plan, &mut resolved, &requests)?;
    resolved.controls.clear();
    let Resolved { targets, directory, .. } = resolved;
    let directories = directories(&arguments.plan, directory);
    for directory in &directories {
        session.follow(directory, &arguments.plan);
    }
    let observers = directories.iter().map(|directory| arguments.observe.observers(&session, directory, &targets));
    let observers = observers.collect::<Result<_, _>>()?;
    let command_line = std::mem::take(&mut arguments.command_line);
    let document = Document::new(tool(), command_line, arguments.plan.clone(), Machine::observe(), targets, guard);
    let calibrations = calibrate::remembered();
    let (dealt, noted) = (Dealt::new(), BTreeSet::new());
    let mut run = Run { session: &session, arguments, directories, observers, document, dealt, calibrations, noted };
    let told = run.tell();
    // Whatever ended the run, what it left behind is left to nobody.
    let cleaned = match run.document.config.cleanup {
        true => {
            let Run { document, dealt, directories, .. } = &run;
            cleanup::clean_up(&session, &document.config, dealt, directories, &document.targets, &requests)
        }
        false => Ok(()),
    };
    if let (Err(_), Err(Error { message: Some(message), .. })) = (&told, &cleaned) {
        // Not the reason to stop, but nobody else would tell of the keys.
        say::warning(message);
    }
    let exit = told?;
    cleaned?;
    Ok(exit)
}

/// This program.
pub(super) fn tool() -> Tool {
    Tool {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        engine: DRIVERS[0].name.to_owned(),
    }
}

/// Starts a server in this process, and points the plan to it.
pub(super) fn start_embedded(plan: &mut Plan, behaviours: Option<Behaviours>) -> Result<embedded::Server, Error> {
    let start = || embedded::Server::behaving(([127, 0, 0, 1], 0).into(), behaviours);
    let started = if plan.realtime { realtime::give(start) } else { start() };
    let server = started.map_err(|error| Error::failed(format!("cannot start the embedded server: {error}")))?;
    let address = server.address();
    plan.server.address = Address::Tcp { host: address.ip().to_string(), port: address.port() };
    // Nobody else is there.
    plan.guard = Mode::Off;
    Ok(server)
}

/// What each test is run against in turn: all servers at once, or each by itself.
fn directories(plan: &Plan, directory: Arc<Directory>) -> Vec<Arc<Directory>> {
    if !is_each(&plan.server) {
        return vec![directory];
    }
    let alone =
        |node: &crate::target::Node| Arc::new(Directory::new(directory.access.clone(), Roster::of(vec![node.clone()])));
    directory.roster().nodes.iter().map(alone).collect()
}

/// A run on its way.
struct Run<'a> {
    session: &'a Session,
    arguments: Arguments,
    directories: Vec<Arc<Directory>>,
    /// One for each of these.
    observers: Vec<Observers>,
    document: Document,
    /// For each part of the run the numbers of its requests: all are below this.
    dealt: Dealt,
    /// What rbench itself can do here, as far as it was measured.
    calibrations: Calibrations,
    /// What was said of observers on a terminal.
    noted: BTreeSet<String>,
}

/// By round, test, and place in the list of directories, below which number its requests are.
pub type Dealt = BTreeMap<(u64, usize, usize), u64>;

impl Run<'_> {
    /// Runs all tests, and tells of each as soon as it is over. Whatever ends the run, what was measured is told.
    fn tell(&mut self) -> Result<Exit, Error> {
        let mut out = io::stdout().lock();
        let mut log = self.arguments.hdr_log.as_deref().map(LogFile::create).transpose()?;
        let mut watch = Watch::new(io::stderr().is_terminal().then(Progress::default), log.as_mut(), &self.document)?;
        self.arguments.report.begin(&self.document, &mut out).map_err(|error| Error::output(&error))?;
        let ran = self.prefill(&mut watch).and_then(|()| self.run_rounds(&mut out, &mut watch));
        let is_kept = watch.is_worth_keeping();
        drop(watch);
        let kept = log.filter(|_| is_kept).map_or(Ok(()), LogFile::keep);
        if let (Err(_), Err(Error { message: Some(message), .. })) = (&ran, &kept) {
            say::warning(message);
        }
        let told = self.arguments.report.end(&self.document, &mut out).and_then(|()| out.flush());
        let errors = report::errors::summary(&self.document);
        let went_on = self.document.config.on_error != OnError::Abort;
        // The error that ended the run says it all.
        if went_on || ran.is_ok() {
            errors.iter().for_each(say::warning);
        }
        report::reads::warnings(&self.document).iter().for_each(say::warning);
        report::calibration::warnings(&self.document).iter().for_each(say::warning);
        ran?;
        kept?;
        told.map_err(|error| Error::output(&error))?;
        // Redirections of a cluster end no run; but one of which nothing came is no success.
        let in_vain = |result: &&TestResult| result.completed == 0 && !result.errors.is_empty();
        if !went_on && let Some(result) = self.document.results.iter().find(in_vain) {
            let label = self.document.label(result);
            return Err(Error::failed(format!("{label}: none of {} requests was served", result.sent)));
        }
        Ok(if went_on && !errors.is_empty() { Exit::HadErrors } else { Exit::Done })
    }

    /// Writes the keys that the tests are to find.
    fn prefill(&mut self, watch: &mut Watch) -> Result<(), Error> {
        let plan = &self.document.config;
        let Some(prefill) = &plan.prefill else { return Ok(()) };
        let (directories, targets) = (&self.directories, &self.document.targets);
        let filled = prefill::fill(self.session, plan, prefill, directories, targets, &mut self.dealt, watch)?;
        self.document.prefill = Some(filled);
        Ok(())
    }

    fn run_rounds(&mut self, out: &mut dyn Write, watch: &mut Watch) -> Result<(), Error> {
        for round in 0.. {
            for index in 0..self.document.config.tests.len() {
                for directory in self.directories.clone() {
                    self.run_test(round, index, &directory, out, watch)?;
                }
            }
            self.arguments.report.round(&self.document, out).map_err(|error| Error::output(&error))?;
            match self.document.config.rounds {
                Rounds::Once => break,
                Rounds::Times(times) if round + 1 >= times => break,
                Rounds::Times(_) => {}
                Rounds::UntilInterrupted if self.arguments.keeps_results => {}
                Rounds::UntilInterrupted => self.document.results.clear(),
            }
        }
        Ok(())
    }

    fn run_test(
        &mut self,
        round: u64,
        index: usize,
        directory: &Arc<Directory>,
        out: &mut dyn Write,
        watch: &mut Watch,
    ) -> Result<(), Error> {
        let plan = &self.document.config;
        let test = &plan.tests[index];
        let place = self.directories.iter().position(|other| Arc::ptr_eq(other, directory)).unwrap_or_default();
        let target = Some(place).filter(|_| is_each(&plan.server));
        let is_alone = plan.tests.len() * self.directories.len() == 1;
        watch.expect(plan, (!is_alone).then(|| self.document.label_of(&test.title, target)).as_deref());
        let seed = plan.seed_of(round, index);
        let interrupted = &self.session.interrupt.flag;
        let proxies = self.session.look_at(&self.arguments.haproxy_stats, self.document.results.is_empty())?;
        let load = Load { plan, test, seed, directory, standing: None };
        let observers = std::mem::take(&mut self.observers[place]);
        let observing = self.session.unless_interrupted(observers.begin(plan.clients.into(), plan.interval));
        let before = || self.session.interrupted(format!("interrupted before {}", test.title));
        let mut observing = observing.ok_or_else(before)?;
        watch.observe_with(observing.starter());
        let recording = engine::run(&DRIVERS[0], load, interrupted, watch).map_err(|error| self.not_started(&error))?;
        let (observers, mut observed) = self.session.observed(observing);
        self.observers[place] = observers;
        observed.complete(&recording.timeline, &recording.load_threads);
        let summary = stats::summarize(&recording);
        self.dealt.insert((round, index, place), recording.dealt);
        self.document.record(round, index, target, recording, summary);
        let proxies = self.session.since(&proxies, &self.arguments.haproxy_stats);
        self.tell_notes(&observed.notes);
        let calibration = calibrate::beside(&self.calibrations, &self.document, index);
        let result = self.document.results.last_mut().expect("a result was just recorded");
        (result.proxies, result.observed, result.calibration) = (proxies, Some(observed), calibration);
        judge_result(&self.document.config, &self.document.client, &self.document.targets, result);
        // The file first: nobody can close it under us.
        if let Some(path) = &self.arguments.json {
            store::write(&self.document, path).map_err(Error::failed)?;
        }
        watch.check()?;
        let result = self.document.results.last().expect("a result was just recorded");
        let report = self.arguments.report.as_mut();
        let told = report::write_result(&self.document, result, report, out).and_then(|()| out.flush());
        told.map_err(|error| Error::output(&error))?;
        // The formats of redis-benchmark have no room for it.
        if !self.arguments.tells_verdict && io::stderr().is_terminal() {
            verdict::lines(&self.document.label(result), result).iter().for_each(say::warning);
        }
        let of = result.requested.map_or(String::new(), |requested| format!(" of {requested}"));
        let stopped = format!("{} stopped after {}{of} requests", self.document.label(result), result.completed);
        match &result.end {
            End::Completed => Ok(()),
            End::Interrupted => Err(self.session.interrupted(format!("interrupted: {stopped}"))),
            End::Failed(failure) => Err(Error::failed(format!("{stopped}: {failure}{}", self.hint(failure)))),
        }
    }

    /// Says on a terminal what could not be observed, once.
    fn tell_notes(&mut self, notes: &[String]) {
        let noted = &mut self.noted;
        let new = notes.iter().filter(|note| noted.insert((*note).clone()));
        if io::stderr().is_terminal() {
            new.for_each(say::warning);
        }
    }

    /// What may be behind connections that are closed again and again.
    fn hint(&self, failure: &Failure) -> &'static str {
        let is_closed = matches!(failure.kind, ErrorKind::Eof | ErrorKind::Reset);
        let never_answered = self.document.results.iter().all(|result| result.completed == 0)
            && self.document.targets.iter().all(|target| target.server.run_id.is_none());
        match is_closed && never_answered {
            true => "; does it want TLS (--tls), or is it a proxy with no server behind it?",
            false => "",
        }
    }

    fn not_started(&self, error: &EngineError) -> Error {
        match error {
            EngineError::Interrupted => self.session.interrupted(error),
            EngineError::Start(failure) => Error::new(exit_of(failure), error),
            EngineError::Thread(_) => Error::failed(error),
        }
    }
}

/// How the process ends when connections could not be made.
fn exit_of(failure: &Failure) -> Exit {
    match failure.kind {
        ErrorKind::ConnectRefused | ErrorKind::ConnectTimeout | ErrorKind::ConnectFailed | ErrorKind::Tls => {
            Exit::Unreachable
        }
        _ => Exit::Failed,
    }
}

/// `-I`: opens the connections and waits.
fn hold_idle(plan: &Plan, directory: &Directory, session: &Session) -> Result<Exit, Error> {
    let mut out = io::stdout().lock();
    writeln!(out, "Creating {} idle connections and waiting forever (Ctrl+C when done)", plan.clients)
        .and_then(|()| out.flush())
        .map_err(|error| Error::output(&error))?;
    let shown = io::stderr().is_terminal();
    let mut standing = 0;
    idle::hold(directory, plan.clients as usize, &session.interrupt.flag, |clients| {
        if shown && clients != standing {
            say::counter(format!("clients: {clients}"));
        }
        standing = clients;
    })
    .map_err(|failure| Error::new(exit_of(&failure), &failure))?;
    Err(session.interrupted(format!("interrupted with {standing} connections open")))
}
