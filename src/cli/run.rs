//! `rbench` without a verb: run the tests, and report each as it ends.

use super::error::{Error, Exit};
use super::redact::redact;
use super::run_flags::RunFlags;
use super::session::Session;
use crate::embedded;
use crate::engine::drivers::DRIVERS;
use crate::engine::{self, EngineError, idle};
use crate::event::Observer;
use crate::observe::Machine;
use crate::plan::{Plan, Protocol, Rounds, Stop};
use crate::recording::{End, ErrorKind, Failure};
use crate::report::progress::Progress;
use crate::report::{FORMATS, Report, Style};
use crate::result::{Document, Tool, store};
use crate::stats;
use crate::target::{Address, Credentials, Secret, Server, Target, limits, uri};
use crate::units::Seed;
use crate::workload::{Template, Test, sequence, suite, value};
use std::ffi::OsString;
use std::io::{self, IsTerminal, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// A run as the command line asks for it.
pub struct Arguments {
    pub(super) plan: Plan,
    embedded: bool,
    idle: bool,
    report: Box<dyn Report>,
    json: Option<PathBuf>,
    /// Whether the report itself needs all results in the end.
    keeps_results: bool,
    command_line: Vec<String>,
}

impl Arguments {
    /// Decides what the flags leave open. Standard input is read here, when `-x` asks for it.
    ///
    /// # Errors
    /// [`Error`] when flags do not fit together.
    pub fn new(flags: RunFlags, command_line: &[OsString]) -> Result<Arguments, Error> {
        if flags.version {
            return Err(Error::new(Exit::Done, format!("rbench {}", env!("CARGO_PKG_VERSION"))));
        }
        let server = server(&flags)?;
        let tests = tests(&flags)?;
        let format = flags.format.unwrap_or(&FORMATS[0]);
        let style = Style::of(flags.quiet, flags.csv);
        let secret = server.credentials.as_ref().map(|credentials| credentials.password.expose().to_owned());
        let plan = Plan {
            server,
            tests,
            is_suite: flags.command.is_empty(),
            rounds: if flags.forever { Rounds::UntilInterrupted } else { Rounds::Once },
            stop: Stop::AfterRequests(flags.requests),
            clients: flags.clients,
            pipeline: flags.pipeline,
            keep_alive: flags.keep_alive,
            threads: (flags.threads > 0).then_some(flags.threads),
            protocol: if flags.resp3 { Protocol::Resp3 } else { Protocol::Resp2 },
            tracking: flags.enable_tracking,
            // A key space of none is one of one, as in the original.
            key_count: flags.key_count.map(|count| count.max(1)),
            data_bytes: flags.data_bytes,
            seed: Seed(flags.seed.unwrap_or_else(rand::random)),
            connect_timeout: flags.connect_timeout.into(),
            reply_timeout: flags.timeout.into(),
            precision: flags.precision,
        };
        check_memory(&plan)?;
        Ok(Arguments {
            embedded: flags.embedded,
            idle: flags.idle,
            report: format.report(style),
            keeps_results: flags.json.is_some() || format.name == "json",
            json: flags.json,
            command_line: redact(command_line, secret.as_deref()),
            plan,
        })
    }
}

/// The most memory that batches may take.
const BATCH_BYTES_MAX: u64 = 4 << 30;

/// Refuses what would end in the middle of nowhere for want of memory.
fn check_memory(plan: &Plan) -> Result<(), Error> {
    let bytes = plan.batch_bytes_about();
    if bytes <= BATCH_BYTES_MAX {
        return Ok(());
    }
    let gib = bytes as f64 / f64::from(1 << 30);
    Err(Error::usage(format!("a batch of -P {} requests takes {gib:.1} GiB of memory; lower -P or -d", plan.pipeline)))
}

/// The server that the flags name: what a URI says counts more than the other flags.
fn server(flags: &RunFlags) -> Result<Server, Error> {
    let uri = flags.uri.as_deref().map(uri::parse).transpose();
    let uri = uri.map_err(|error| Error::usage(format!("-u: {error}")))?.unwrap_or_default();
    let address = match &flags.socket {
        Some(path) => Address::Unix { path: path.clone() },
        None => Address::Tcp { host: uri.host.unwrap_or(flags.host.clone()), port: uri.port.unwrap_or(flags.port) },
    };
    let environment = || std::env::var("REDISCLI_AUTH").ok().filter(|password| !password.is_empty());
    let password = flags.password.clone().or_else(|| if flags.embedded { None } else { environment() });
    let credentials = match (uri.credentials, password) {
        (Some(credentials), _) => Some(credentials),
        (None, Some(password)) => Some(Credentials { user: flags.user.clone(), password: Secret::new(password) }),
        (None, None) if flags.user.is_some() => {
            return Err(Error::usage("--user needs a password: give it with -a or REDISCLI_AUTH"));
        }
        (None, None) => None,
    };
    Ok(Server { address, credentials, database: uri.database.unwrap_or(flags.dbnum) })
}

/// The tests that the flags name, or the command that stands in their place.
fn tests(flags: &RunFlags) -> Result<Vec<Test>, Error> {
    if flags.command.is_empty() {
        if flags.stdin {
            return Err(Error::usage("-x needs a command to add standard input to"));
        }
        let selected = match &flags.tests {
            Some(list) => suite::select(list).map_err(|error| Error::usage(format!("-t: {error}")))?,
            None => suite::by_default(),
        };
        let numbers = flags.key_count.is_some();
        return Ok(selected.into_iter().map(|test| Test::of_suite(test, flags.data_bytes, numbers)).collect());
    }
    if flags.tests.is_some() {
        eprintln!("rbench: -t is ignored: a command was given");
    }
    let words: Vec<Vec<u8>> = flags.command.iter().cloned().map(OsString::into_vec).collect();
    let mut requests = sequence::parse(&words).map_err(Error::usage)?;
    if flags.stdin {
        let mut input = Vec::new();
        io::stdin().lock().read_to_end(&mut input).map_err(|error| Error::failed(format!("-x: {error}")))?;
        add_input(&mut requests, &input);
    }
    let title = words.iter().map(|word| String::from_utf8_lossy(word)).collect::<Vec<_>>().join(" ");
    Ok(vec![Test::of_command(title, requests, &value::payload(flags.data_bytes))])
}

/// Standard input goes to the last request of a sequence.
fn add_input(requests: &mut [Template], input: &[u8]) {
    if let Some(last) = requests.last_mut() {
        last.push_input(input.to_vec());
    }
}

/// Runs the tests and reports them.
pub fn run(mut arguments: Arguments) -> Result<Exit, Error> {
    let session = Session::start()?;
    // Both ends of each connection are ours when the server is.
    let ends = if arguments.embedded { 2 } else { 1 };
    limits::allow_connections(u64::from(arguments.plan.clients) * ends).map_err(Error::failed)?;
    if let Some(path) = &arguments.json {
        store::check_writable(path).map_err(Error::failed)?;
    }
    let _server = if arguments.embedded { Some(start_embedded(&mut arguments.plan)?) } else { None };
    let target = session.resolve(&arguments.plan.server, arguments.plan.connect_timeout)?;
    if arguments.idle {
        return hold_idle(&arguments.plan, &target, &session);
    }
    let tool = Tool {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        engine: DRIVERS[0].name.to_owned(),
    };
    let command_line = std::mem::take(&mut arguments.command_line);
    let document = Document::new(tool, command_line, arguments.plan.clone(), Machine::observe(), vec![target]);
    Run { session: &session, arguments, document }.tell()
}

/// Starts a server in this process, and points the plan to it.
fn start_embedded(plan: &mut Plan) -> Result<embedded::Server, Error> {
    let started = embedded::Server::start(([127, 0, 0, 1], 0).into());
    let server = started.map_err(|error| Error::failed(format!("cannot start the embedded server: {error}")))?;
    let address = server.address();
    plan.server.address = Address::Tcp { host: address.ip().to_string(), port: address.port() };
    Ok(server)
}

/// A run on its way.
struct Run<'a> {
    session: &'a Session,
    arguments: Arguments,
    document: Document,
}

impl Run<'_> {
    /// Runs all tests, and tells of each as soon as it is over. Whatever ends the run, what was measured is told.
    fn tell(mut self) -> Result<Exit, Error> {
        let mut out = io::stdout().lock();
        let mut observer: Box<dyn Observer> =
            if io::stderr().is_terminal() { Box::new(Progress::default()) } else { Box::new(()) };
        self.arguments.report.begin(&self.document, &mut out).map_err(|error| Error::output(&error))?;
        let ran = self.run_rounds(&mut out, observer.as_mut());
        let told = self.arguments.report.end(&self.document, &mut out).and_then(|()| out.flush());
        ran?;
        told.map_err(|error| Error::output(&error))?;
        Ok(Exit::Done)
    }

    fn run_rounds(&mut self, out: &mut dyn Write, observer: &mut dyn Observer) -> Result<(), Error> {
        for round in 0.. {
            for index in 0..self.document.config.tests.len() {
                self.run_test(round, index, out, observer)?;
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
        out: &mut dyn Write,
        observer: &mut dyn Observer,
    ) -> Result<(), Error> {
        let plan = &self.document.config;
        let test = &plan.tests[index];
        let (seed, target) = (plan.seed_of(round, index), &self.document.targets[0]);
        let interrupted = &self.session.interrupt.flag;
        let recording = engine::run(&DRIVERS[0], plan, test, seed, target, interrupted, observer)
            .map_err(|error| self.not_started(&error))?;
        let summary = stats::summarize(&recording);
        self.document.record(round, index, recording, summary);
        // The file first: nobody can close it under us.
        if let Some(path) = &self.arguments.json {
            store::write(&self.document, path).map_err(Error::failed)?;
        }
        let result = self.document.results.last().expect("a result was just recorded");
        let told = self.arguments.report.test(&self.document, result, out).and_then(|()| out.flush());
        told.map_err(|error| Error::output(&error))?;
        let stopped = format!("{} stopped after {} of {} requests", result.title, result.completed, result.requested);
        match &result.end {
            End::Completed => Ok(()),
            End::Interrupted => Err(self.session.interrupted(format!("interrupted: {stopped}"))),
            End::Failed(failure) => Err(Error::failed(format!("{stopped}: {failure}"))),
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
        ErrorKind::ConnectRefused | ErrorKind::ConnectTimeout | ErrorKind::ConnectFailed => Exit::Unreachable,
        _ => Exit::Failed,
    }
}

/// `-I`: opens the connections and waits.
fn hold_idle(plan: &Plan, target: &Target, session: &Session) -> Result<Exit, Error> {
    let mut out = io::stdout().lock();
    writeln!(out, "Creating {} idle connections and waiting forever (Ctrl+C when done)", plan.clients)
        .and_then(|()| out.flush())
        .map_err(|error| Error::output(&error))?;
    let shown = io::stderr().is_terminal();
    let mut standing = 0;
    idle::hold(&target.endpoint, plan.clients as usize, &session.interrupt.flag, |clients| {
        if shown && clients != standing {
            eprint!("clients: {clients}\r");
        }
        standing = clients;
    })
    .map_err(|failure| Error::new(exit_of(&failure), &failure))?;
    Err(session.interrupted(format!("interrupted with {standing} connections open")))
}
