//! One run of one test: load threads started together, their counts collected, a recording brought home.

use super::budget::Budget;
use super::clock::Clock;
use super::drivers::Driver;
use super::drivers::standing::Standing;
use super::gate::Gate;
use super::recorder::{Ending, Message, Split, beat};
use super::worker::{Common, Worker};
use crate::event::{Event, Goal, Observer};
use crate::plan::{Plan, Stop};
use crate::recording::{Counts, End, ErrorKind, Failure, Recording, Timeline};
use crate::target::Directory;
use crate::units::{Nanos, Seed};
use crate::workload::{Batch, Test};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use thiserror::Error;

/// Why a run did not start. Whatever goes wrong after the start is part of the recording.
#[derive(Debug, Error)]
pub enum EngineError {
    #[error("{0}")]
    Start(Failure),
    #[error("interrupted before the first request")]
    Interrupted,
    #[error("cannot start a load thread: {0}")]
    Thread(#[source] io::Error),
}

/// What is to be run.
#[derive(Debug, Clone, Copy)]
pub struct Load<'a> {
    pub plan: &'a Plan,
    /// One of the plan's, or one that goes before them.
    pub test: &'a Test,
    /// What its requests and arrivals are drawn from.
    pub seed: Seed,
    /// The servers.
    pub directory: &'a Directory,
    /// Connections to them that are not to be made anew each time.
    pub standing: Option<&'a Standing>,
}

/// Runs a `load` with `driver`. Ends early, with what was measured so far, when `interrupted` becomes true or the plan's
/// policy on errors says so.
///
/// # Errors
/// [`EngineError`] when no request was sent because the connections could not be made.
pub fn run(
    driver: &'static Driver,
    load: Load,
    interrupted: &AtomicBool,
    observer: &mut dyn Observer,
) -> Result<Recording, EngineError> {
    let Load { plan, test, seed, directory, standing } = load;
    let threads = plan.load_threads() as usize;
    let batch_requests = u64::from(plan.pipeline) * test.sequence_len() as u64;
    let common = Common {
        plan,
        directory,
        standing,
        seed,
        budget: Budget::new(plan.requests().unwrap_or(u64::MAX), batch_requests, threads as u64),
        spare: Budget::new(u64::MAX, batch_requests, threads as u64),
        clock: Clock::start(),
        beat: beat(plan.interval, observer.follows()),
        ready: Gate::for_threads(threads),
        halt: interrupted,
        failed: AtomicBool::new(false),
    };
    let fillings = plan.fillings();
    let collected = thread::scope(|scope| {
        let (sender, receiver) = channel();
        let (mut clients, mut spares) = (0..0, Vec::new());
        for thread in 0..threads {
            let batch = Batch::new(test, plan.batch_repeats(test) as usize, fillings.clone(), seed);
            clients = clients.end..clients.end + share_of(plan.clients as usize, threads, thread);
            let (give_back, given_back) = channel();
            spares.push(give_back);
            let worker = Worker::new(&common, thread, clients.clone(), batch, (sender.clone(), given_back));
            let started =
                thread::Builder::new().name(format!("load-{thread}")).spawn_scoped(scope, move || worker.work(driver));
            if let Err(error) = started {
                // The threads that did start wait for this one.
                common.failed.store(true, Ordering::Relaxed);
                common.ready.expect_fewer(threads - thread);
                return Err(EngineError::Thread(error));
            }
        }
        drop(sender);
        observer.observe(&Event::Started { title: &test.title, goal: goal(plan) });
        let collected = Collector::new(plan, spares, common.clock, common.beat).collect(&receiver, observer);
        observer.observe(&Event::Ended { measured_until: collected.measured_until() });
        Ok(collected)
    })?;
    let mut recording = collected.into_recording(plan, interrupted.load(Ordering::Relaxed))?;
    recording.dealt = common.budget.dealt().max(common.spare.dealt());
    recording.counts.errors.count_many(ErrorKind::Dns, directory.take_failed_look_ups());
    Ok(recording)
}

/// How many of `clients` belong to `thread`: those that do not divide evenly go to the first threads.
fn share_of(clients: usize, threads: usize, thread: usize) -> usize {
    clients / threads + usize::from(thread < clients % threads)
}

/// What the run is on its way to.
fn goal(plan: &Plan) -> Goal {
    match plan.stop {
        Stop::AfterRequests(requests) => Goal::Requests(requests),
        Stop::AfterDuration(duration) => Goal::Time(plan.warmup + duration + plan.cooldown),
    }
}

/// Puts together what load threads hand over.
struct Collector {
    clock: Clock,
    /// When the first thread began to send.
    sending: Option<Nanos>,
    beat_length: Nanos,
    beats_per_interval: u64,
    total: Counts,
    completed: u64,
    timeline: Timeline,
    /// Intervals that some thread may still add to: what was counted in each, and whom the memory for that came from.
    open: BTreeMap<u64, (usize, Box<Split>)>,
    /// For each thread, where it finds counts to use again.
    spares: Vec<Sender<Box<Split>>>,
    /// For each thread the beat that it is in.
    beats: Vec<u64>,
    endings: Vec<Ending>,
}

impl Collector {
    fn new(plan: &Plan, spares: Vec<Sender<Box<Split>>>, clock: Clock, beat_length: Nanos) -> Collector {
        Collector {
            clock,
            sending: None,
            beat_length,
            beats_per_interval: plan.interval.0 / beat_length.0,
            total: Counts::default(),
            completed: 0,
            timeline: Timeline::new(Nanos(plan.interval.0 / beat_length.0 * beat_length.0)),
            open: BTreeMap::new(),
            beats: vec![0; spares.len()],
            spares,
            endings: Vec::new(),
        }
    }

    /// Takes messages until every load thread is gone.
    fn collect(mut self, receiver: &Receiver<Message>, observer: &mut dyn Observer) -> Collector {
        for message in receiver {
            match message {
                Message::Sending { at } => {
                    if self.sending.is_none() {
                        self.sending = Some(at);
                        observer.observe(&Event::Sending { unix: self.clock.unix(at) });
                    }
                }
                Message::Beat { thread, beat, counts } => {
                    self.completed += counts.measured.completed;
                    let elapsed = Nanos((beat + 1) * self.beat_length.0);
                    let recent = if counts.measured.is_empty() { &counts.aside } else { &counts.measured };
                    observer.observe(&Event::Progress { elapsed, completed: self.completed, recent });
                    match self.open.entry(beat / self.beats_per_interval) {
                        Entry::Vacant(place) => drop(place.insert((thread, counts))),
                        Entry::Occupied(mut sum) => {
                            sum.get_mut().1.add(&counts);
                            self.give_back(thread, counts);
                        }
                    }
                    self.beats[thread] = beat + 1;
                }
                Message::Ended { thread, ending } => {
                    self.beats[thread] = u64::MAX;
                    self.endings.push(ending);
                }
            }
            self.close_intervals(observer);
        }
        self
    }

    /// Closes the intervals that all threads have left behind.
    fn close_intervals(&mut self, observer: &mut dyn Observer) {
        let reached = self.beats.iter().min().map_or(0, |beat| beat / self.beats_per_interval);
        while let Some(entry) = self.open.first_entry()
            && *entry.key() < reached
        {
            let (index, (thread, mut split)) = entry.remove_entry();
            let Split { measured, aside } = &mut *split;
            // A thread that ended in an interval's first instants has nothing to say of it.
            if measured.is_empty() && aside.is_empty() {
                continue;
            }
            self.total.add(measured);
            let counts = if aside.is_empty() {
                &*measured
            } else {
                aside.add(measured);
                &*aside
            };
            self.timeline.push(index, counts, measured.has_requests());
            let length = self.timeline.interval_ns;
            let start = Nanos(length.0 * index);
            observer.observe(&Event::Interval { start, length, counts, measured });
            self.give_back(thread, split);
        }
    }

    /// Gives counts that were taken note of back to the thread that made them.
    fn give_back(&self, thread: usize, mut counts: Box<Split>) {
        counts.clear();
        // One that has ended needs none.
        let _ = self.spares[thread].send(counts);
    }

    /// When the last thread had done with the part that counts, or read its last reply of it, since the first requests.
    fn measured_until(&self) -> Nanos {
        let done = |ending: &Ending| {
            let part = ending.started.map(|started| started + ending.load.elapsed_ns);
            part.unwrap_or_default().max(ending.last_reply)
        };
        let last = self.endings.iter().map(done).max().unwrap_or_default();
        last - self.sending.unwrap_or_default()
    }

    fn into_recording(self, plan: &Plan, interrupted: bool) -> Result<Recording, EngineError> {
        let started = self.endings.iter().filter_map(|ending| ending.started).min();
        // A thread that failed stopped the others; without one, they went on for as long as there was somebody to.
        let failure = self.endings.iter().find_map(|ending| ending.failure.clone()).or_else(|| {
            let last = self.endings.iter().find_map(|ending| ending.last_failure.clone());
            let is_short = match plan.stop {
                Stop::AfterRequests(requests) => self.total.sent < requests,
                // Whoever is still there at the end has the run to its end.
                Stop::AfterDuration(duration) => self.endings.iter().all(|ending| ending.load.elapsed_ns < duration),
            };
            last.filter(|_| is_short && !interrupted)
        });
        let Some(started) = started else {
            return Err(failure.map_or(EngineError::Interrupted, EngineError::Start));
        };
        let last_reply = self.endings.iter().map(|ending| ending.last_reply).max().unwrap_or(started);
        Ok(Recording {
            counts: self.total,
            dealt: 0,
            elapsed: match plan.duration() {
                Some(duration) if failure.is_none() && !interrupted => duration,
                _ => last_reply - started,
            },
            timeline: self.timeline,
            load_threads: self.endings.iter().map(|ending| ending.load).collect(),
            end: match failure {
                Some(failure) => End::Failed(failure),
                None if interrupted => End::Interrupted,
                None => End::Completed,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_shared_out_without_loss() {
        for clients in 1..40 {
            for threads in 1..=clients {
                let shares: Vec<usize> = (0..threads).map(|thread| share_of(clients, threads, thread)).collect();
                assert_eq!(shares.iter().sum::<usize>(), clients);
                assert!(shares.iter().all(|&share| share > 0));
            }
        }
    }
}
