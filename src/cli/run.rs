//! `rbench` without a verb: run the tests, and report each as it ends.

use super::error::{Error, Exit};
use super::flags::RunFlags;
use super::plan::plan;
use super::prepare;
use super::redact::redact;
use super::server::{is_each, secrets};
use super::session::Session;
use super::{cleanup, say};
use crate::embedded::{self, Behaviours};
use crate::engine::drivers::DRIVERS;
use crate::engine::{self, EngineError, idle};
use crate::event::Observer;
use crate::observe::Machine;
use crate::plan::{OnError, Plan, Rounds};
use crate::recording::{End, ErrorKind, Failure};
use crate::report::progress::Progress;
use crate::report::{self, FORMATS, Report, Style};
use crate::result::{Document, TestResult, Tool, store};
use crate::stats;
use crate::target::guard::Mode;
use crate::target::{Address, Directory, Resolved, Roster, limits};
use std::collections::BTreeMap;
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
    report: Box<dyn Report>,
    json: Option<PathBuf>,
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
        let plan = plan(&flags)?;
        let format = flags.output.format.unwrap_or(&FORMATS[0]);
        let style = Style::of(flags.output.quiet, flags.output.csv);
        Ok(Arguments {
            embedded: flags.server.embedded,
            idle: flags.load.idle,
            report: format.report(style),
            keeps_results: flags.output.json.is_some() || format.name == "json",
            json: flags.output.json,
            command_line: redact(command_line, &secrets(&plan.server)),
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
    if let Some(path) = &arguments.json {
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
    let requests = prepare::ask_about_requests(&session, &mut arguments.plan, &mut resolved)?;
    prepare::warn_of_left_out(&arguments.plan, &resolved);
    let guard = prepare::guard(&session, &arguments.plan, &mut resolved, &requests)?;
    resolved.controls.clear();
    let Resolved { targets, directory, .. } = resolved;
    let directories = directories(&arguments.plan, directory);
    for directory in &directories {
        session.follow(directory, &arguments.plan);
    }
    let tool = Tool {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        engine: DRIVERS[0].name.to_owned(),
    };
    let command_line = std::mem::take(&mut arguments.command_line);
    let document = Document::new(tool, command_line, arguments.plan.clone(), Machine::observe(), targets, guard);
    let mut run = Run { session: &session, arguments, directories, document, dealt: Dealt::new() };
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

/// Starts a server in this process, and points the plan to it.
fn start_embedded(plan: &mut Plan, behaviours: Option<Behaviours>) -> Result<embedded::Server, Error> {
    let started = embedded::Server::behaving(([127, 0, 0, 1], 0).into(), behaviours);
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
    document: Document,
    /// For each part of the run the numbers of its requests: all are below this.
    dealt: Dealt,
}

/// By round, test, and place in the list of directories, below which number its requests are.
pub type Dealt = BTreeMap<(u64, usize, usize), u64>;

impl Run<'_> {
    /// Runs all tests, and tells of each as soon as it is over. Whatever ends the run, what was measured is told.
    fn tell(&mut self) -> Result<Exit, Error> {
        let mut out = io::stdout().lock();
        let mut observer: Box<dyn Observer> =
            if io::stderr().is_terminal() { Box::new(Progress::default()) } else { Box::new(()) };
        self.arguments.report.begin(&self.document, &mut out).map_err(|error| Error::output(&error))?;
        let ran = self.run_rounds(&mut out, observer.as_mut());
        let told = self.arguments.report.end(&self.document, &mut out).and_then(|()| out.flush());
        let errors = report::errors::summary(&self.document);
        let went_on = self.document.config.on_error != OnError::Abort;
        // The error that ended the run says it all.
        if went_on || ran.is_ok() {
            errors.iter().for_each(say::warning);
        }
        ran?;
        told.map_err(|error| Error::output(&error))?;
        // Redirections of a cluster end no run; but one of which nothing came is no success.
        let in_vain = |result: &&TestResult| result.completed == 0 && !result.errors.is_empty();
        if !went_on && let Some(result) = self.document.results.iter().find(in_vain) {
            let label = self.document.label(result);
            return Err(Error::failed(format!("{label}: none of {} requests was served", result.sent)));
        }
        Ok(if went_on && !errors.is_empty() { Exit::HadErrors } else { Exit::Done })
    }

    fn run_rounds(&mut self, out: &mut dyn Write, observer: &mut dyn Observer) -> Result<(), Error> {
        for round in 0.. {
            for index in 0..self.document.config.tests.len() {
                for directory in self.directories.clone() {
                    self.run_test(round, index, &directory, out, observer)?;
                }
            }
            self.arguments.report.round(&self.document, out).map_err(|error| Error::output(&error))?;
            if self.document.config.rounds == Rounds::Once {
                break;
            }
            if !self.arguments.keeps_results {
                self.document.results.clear();
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
        observer: &mut dyn Observer,
    ) -> Result<(), Error> {
        let plan = &self.document.config;
        let test = &plan.tests[index];
        let seed = plan.seed_of(round, index);
        let interrupted = &self.session.interrupt.flag;
        let recording = engine::run(&DRIVERS[0], plan, test, seed, directory, interrupted, observer)
            .map_err(|error| self.not_started(&error))?;
        let summary = stats::summarize(&recording);
        let place = self.directories.iter().position(|other| Arc::ptr_eq(other, directory)).unwrap_or_default();
        self.dealt.insert((round, index, place), recording.dealt);
        self.document.record(round, index, Some(place).filter(|_| is_each(&plan.server)), recording, summary);
        // The file first: nobody can close it under us.
        if let Some(path) = &self.arguments.json {
            store::write(&self.document, path).map_err(Error::failed)?;
        }
        let result = self.document.results.last().expect("a result was just recorded");
        let told = self.arguments.report.test(&self.document, result, out).and_then(|()| out.flush());
        told.map_err(|error| Error::output(&error))?;
        let of = result.requested.map_or(String::new(), |requested| format!(" of {requested}"));
        let stopped = format!("{} stopped after {}{of} requests", self.document.label(result), result.completed);
        match &result.end {
            End::Completed => Ok(()),
            End::Interrupted => Err(self.session.interrupted(format!("interrupted: {stopped}"))),
            End::Failed(failure) => Err(Error::failed(format!("{stopped}: {failure}{}", self.hint(failure)))),
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
