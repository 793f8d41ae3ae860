//! One load thread: what it is given, and what it reports.

use super::budget::{Budget, Share};
use super::clock::Clock;
use super::drivers::Driver;
use super::drivers::standing::Standing;
use super::gate::Gate;
use super::open_loop::OpenLoop;
use super::realtime;
use super::recorder::{Ending, Kind, Message, Recorder, Split};
use crate::plan::{PipelineMode, Plan, Protocol};
use crate::recording::{Failure, LoadThread};
use crate::resp::encode;
use crate::target::{Directory, Server};
use crate::units::{Nanos, Seed};
use crate::workload::Batch;
use crate::workload::arrivals::Schedule;
use rustix::time::{ClockId, clock_gettime};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};

/// What all load threads of a run have in common.
pub struct Common<'a> {
    pub plan: &'a Plan,
    pub directory: &'a Directory,
    /// Connections that an earlier run left, and where this one leaves its own.
    pub standing: Option<&'a Standing>,
    /// What this test is drawn from: another one in each round.
    pub seed: Seed,
    pub budget: Budget,
    /// Where the requests of the warm-up come from, and those of the cool-down. It never ends.
    pub spare: Budget,
    pub clock: Clock,
    /// How often load threads hand over their counts.
    pub beat: Nanos,
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
    /// Requests that count in nothing.
    pub spare: Share<'a>,
    /// The schedule to keep, in an open loop.
    pub open_loop: Option<OpenLoop>,
    pub batch: Batch,
    pub greetings: Greetings,
    pub recorder: Recorder,
    /// When the last reply was read.
    pub last_reply: Nanos,
    /// When the run started, once it did.
    pub started: Option<Nanos>,
    /// The last of the failures that the run went on after.
    pub last_failure: Option<Failure>,
    /// When the next part of the run begins.
    next_part: Nanos,
    part: Part,
    cpu_at_start: Nanos,
    /// What of the part that counts was spent waiting without sleep.
    spun: Nanos,
    /// Processor time, what was spun of it, and time of the part that counts, once that is over.
    measured: Option<(Nanos, Nanos, Nanos)>,
}

/// The parts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    WarmUp,
    Measured,
    CoolDown,
    Over,
}

impl<'a> Worker<'a> {
    pub fn new(
        common: &'a Common<'a>,
        thread: usize,
        clients: Range<usize>,
        batch: Batch,
        channels: (Sender<Message>, Receiver<Box<Split>>),
    ) -> Self {
        Worker {
            common,
            clients,
            share: common.budget.share(),
            spare: common.spare.share(),
            open_loop: common.plan.arrivals.as_ref().map(|arrivals| {
                let threads = common.plan.load_threads() as usize;
                OpenLoop::new(Schedule::new(
                    arrivals.process,
                    &arrivals.shape.per(arrival_len(common.plan, &batch) as f64),
                    thread,
                    threads,
                    common.seed.child(ARRIVALS),
                ))
            }),
            batch,
            greetings: Greetings::of(common.plan, &common.directory.access.server),
            recorder: Recorder::new(thread, common.beat, Kind::of(common.plan), channels),
            last_reply: Nanos::ZERO,
            started: None,
            last_failure: None,
            next_part: Nanos(u64::MAX),
            part: Part::WarmUp,
            cpu_at_start: Nanos::ZERO,
            spun: Nanos::ZERO,
            measured: None,
        }
    }

    /// Waits until every thread's connections stand, and starts the run. False when it is not to start.
    pub fn start_together(&mut self) -> bool {
        self.common.ready.wait();
        if self.common.is_halted() {
            return false;
        }
        if self.common.plan.realtime {
            realtime::ask();
        }
        let now = self.common.clock.now();
        self.recorder.start(now);
        if let Some(open_loop) = &mut self.open_loop {
            open_loop.start(now);
        }
        let warmup = self.common.plan.warmup;
        if warmup > Nanos::ZERO {
            std::mem::swap(&mut self.share, &mut self.spare);
            self.recorder.measure(Nanos::ZERO..Nanos::ZERO);
            self.next_part = now + warmup;
            self.started = Some(self.next_part);
        } else {
            self.begin_measuring(now);
        }
        self.last_reply = self.started.expect("it was just set");
        true
    }

    fn begin_measuring(&mut self, now: Nanos) {
        self.part = Part::Measured;
        self.next_part = self.common.plan.duration().map_or(Nanos(u64::MAX), |duration| now + duration);
        self.recorder.measure(now..self.next_part);
        self.cpu_at_start = thread_cpu();
        self.spun = Nanos::ZERO;
        self.started = Some(now);
        self.last_reply = now;
    }

    /// Goes from one part of the run to the next when it is time to. True when that happened.
    #[inline]
    pub fn turn_page(&mut self, now: Nanos) -> bool {
        now >= self.next_part && self.begin_next_part(now)
    }

    #[cold]
    fn begin_next_part(&mut self, now: Nanos) -> bool {
        match self.part {
            Part::WarmUp => {
                std::mem::swap(&mut self.share, &mut self.spare);
                self.begin_measuring(now);
            }
            Part::Measured => {
                self.end_measuring(now);
                std::mem::swap(&mut self.share, &mut self.spare);
                self.part = Part::CoolDown;
                self.next_part = now + self.common.plan.cooldown;
            }
            Part::CoolDown | Part::Over => {
                self.share.close();
                self.part = Part::Over;
                self.next_part = Nanos(u64::MAX);
            }
        }
        true
    }

    /// Requests that arrive together, in an open loop.
    pub fn arrival_len(&self) -> u64 {
        arrival_len(self.common.plan, &self.batch)
    }

    /// The requests of an arrival that was due at `due`, in whichever part of the run it is sent.
    pub fn batch_due(&mut self, due: Nanos) -> Option<Range<u64>> {
        let is_late = self.part == Part::Measured && !self.recorder.is_measured(due);
        let requests = self.arrival_len();
        if is_late { self.spare.next_batch(requests) } else { self.share.next_batch(requests) }
    }

    /// Counts what is due at `now` by the schedule, if there is one.
    #[inline]
    pub fn fall_due(&mut self, now: Nanos) {
        let requests = self.arrival_len();
        if let Some(open_loop) = &mut self.open_loop {
            open_loop.fall_due(now, |due| self.recorder.at(due).due += requests);
        }
    }

    /// So long nothing was done, and not slept either.
    #[inline]
    pub fn spun(&mut self, span: Nanos) {
        self.spun = self.spun + span;
    }

    /// Whether the time of the run is up.
    pub fn is_over(&self) -> bool {
        self.part == Part::Over
    }

    fn end_measuring(&mut self, now: Nanos) {
        let started = self.started.unwrap_or(now);
        self.measured.get_or_insert((thread_cpu() - self.cpu_at_start, self.spun, now - started));
    }

    /// Runs the worker to its end on the calling thread.
    pub fn work(mut self, driver: &Driver) {
        let result = (driver.drive)(&mut self);
        if result.is_err() {
            self.common.failed.store(true, Ordering::Relaxed);
        }
        self.finish(result.err());
    }

    fn finish(mut self, failure: Option<Failure>) {
        if self.part == Part::Measured {
            self.end_measuring(self.common.clock.now());
        }
        let (cpu_ns, spun_ns, elapsed_ns) = self.measured.unwrap_or_default();
        let lag = self.recorder.loop_lag();
        let load = LoadThread {
            clients: self.clients.len() as u32,
            cpu_ns,
            spun_ns,
            elapsed_ns,
            loop_lag_max_ns: lag.map(|(longest, _)| longest),
            loop_lag_p99_ns: lag.map(|(_, p99)| p99),
        };
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

/// A batch arrives as a whole; into a window each sequence comes by itself.
fn arrival_len(plan: &Plan, batch: &Batch) -> u64 {
    match plan.pipeline_mode {
        PipelineMode::Batch => batch.len() as u64,
        PipelineMode::Window => batch.sequence_len() as u64,
    }
}

/// The child of the seed that arrivals are drawn from, apart from those of requests.
const ARRIVALS: u64 = u64::MAX - 1;

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
