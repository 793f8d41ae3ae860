//! One load thread: what it is given, and what it reports.

use super::budget::{Budget, Share};
use super::clock::Clock;
use super::drivers::Driver;
use super::gate::Gate;
use super::recorder::{Ending, Message, Recorder};
use crate::plan::{Plan, Protocol};
use crate::recording::{Failure, LoadThread};
use crate::resp::encode;
use crate::target::{Directory, Server};
use crate::units::Nanos;
use crate::workload::Batch;
use rustix::time::{ClockId, clock_gettime};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;

/// What all load threads of a run have in common.
pub struct Common<'a> {
    pub plan: &'a Plan,
    pub directory: &'a Directory,
    pub budget: Budget,
    pub clock: Clock,
    /// All connections stand: nobody sends before everybody could.
    pub ready: Gate,
    /// Set by the user, or by a thread that failed: everybody is to stop.
    pub halt: &'a AtomicBool,
    pub failed: AtomicBool,
}

impl Common<'_> {
    pub fn is_halted(&self) -> bool {
        self.halt.load(Ordering::Relaxed) || self.failed.load(Ordering::Relaxed)
    }
}

/// What a driver works with: its clients and their requests.
pub struct Worker<'a> {
    pub common: &'a Common<'a>,
    /// Numbers of its clients among all of the run.
    pub clients: Range<usize>,
    pub share: Share<'a>,
    pub batch: Batch,
    pub greetings: Greetings,
    pub recorder: Recorder,
    /// When the last reply was read.
    pub last_reply: Nanos,
    /// When the run started, once it did.
    pub started: Option<Nanos>,
    /// The last of the failures that the run went on after.
    pub last_failure: Option<Failure>,
    cpu_at_start: Nanos,
}

impl<'a> Worker<'a> {
    pub fn new(
        common: &'a Common<'a>,
        thread: usize,
        clients: Range<usize>,
        batch: Batch,
        sender: Sender<Message>,
    ) -> Self {
        Worker {
            common,
            clients,
            share: common.budget.share(),
            batch,
            greetings: Greetings::of(common.plan, &common.directory.access.server),
            recorder: Recorder::new(thread, sender),
            last_reply: Nanos::ZERO,
            started: None,
            last_failure: None,
            cpu_at_start: Nanos::ZERO,
        }
    }

    /// Waits until every thread's connections stand, and starts the run. False when it is not to start.
    pub fn start_together(&mut self) -> bool {
        self.common.ready.wait();
        if self.common.is_halted() {
            return false;
        }
        let now = self.common.clock.now();
        self.recorder.start(now);
        self.last_reply = now;
        self.cpu_at_start = thread_cpu();
        self.started = Some(now);
        true
    }

    /// Runs the worker to its end on the calling thread.
    pub fn work(mut self, driver: &Driver) {
        let result = (driver.drive)(&mut self);
        if result.is_err() {
            self.common.failed.store(true, Ordering::Relaxed);
        }
        self.finish(result.err());
    }

    fn finish(self, failure: Option<Failure>) {
        let cpu = if self.started.is_some() { thread_cpu() - self.cpu_at_start } else { Nanos::ZERO };
        let elapsed = self.started.map_or(Nanos::ZERO, |started| self.common.clock.now() - started);
        let load = LoadThread { clients: self.clients.len() as u32, cpu_ns: cpu, elapsed_ns: elapsed };
        let ending = Ending {
            started: self.started,
            last_reply: self.last_reply,
            load,
            failure,
            last_failure: self.last_failure,
        };
        self.recorder.end(ending);
    }
}

/// The processor time of the calling thread.
fn thread_cpu() -> Nanos {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Nanos(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

/// What a connection says before its first request.
#[derive(Debug, Clone, Default)]
pub struct Greeting {
    pub bytes: Vec<u8>,
    /// Replies that it is answered with.
    pub replies: u32,
}

/// Greetings by whom they are for.
#[derive(Debug)]
pub struct Greetings {
    pub to_primary: Greeting,
    /// To a node of a cluster that is to be read from though it is a copy.
    pub to_replica: Greeting,
}

impl Greetings {
    fn of(plan: &Plan, server: &Server) -> Greetings {
        let to_primary = Greeting::of(plan, server);
        let mut to_replica = to_primary.clone();
        to_replica.ask(&["READONLY"]);
        Greetings { to_primary, to_replica }
    }
}

impl Greeting {
    /// In the order of redis-benchmark: AUTH, CLIENT TRACKING, SELECT, HELLO.
    fn of(plan: &Plan, server: &Server) -> Greeting {
        let mut greeting = Greeting::default();
        if let Some(credentials) = &server.credentials {
            credentials.encode(&mut greeting.bytes);
            greeting.replies += 1;
        }
        if plan.tracking {
            greeting.ask(&["CLIENT", "TRACKING", "on"]);
        }
        if server.database != 0 {
            greeting.ask(&["SELECT", &server.database.to_string()]);
        }
        if plan.protocol == Protocol::Resp3 {
            greeting.ask(&["HELLO", "3"]);
        }
        greeting
    }

    fn ask(&mut self, arguments: &[&str]) {
        encode(arguments, &mut self.bytes);
        self.replies += 1;
    }
}
