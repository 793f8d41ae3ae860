//! One run of one test: load threads started together, their counts collected, a recording brought home.

use super::budget::Budget;
use super::clock::Clock;
use super::drivers::Driver;
use super::gate::Gate;
use super::recorder::{BEAT, Ending, Message};
use super::worker::{Common, Worker};
use crate::event::{Event, Observer};
use crate::plan::Plan;
use crate::recording::{Counts, End, ErrorKind, Failure, Recording, Timeline};
use crate::target::Directory;
use crate::units::{Nanos, Seed};
use crate::workload::{Batch, Test};
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use thiserror::Error;

/// The slices of a timeline.
const INTERVAL: Nanos = Nanos::from_secs(1);
const BEATS_PER_INTERVAL: u64 = INTERVAL.0 / BEAT.0;

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

/// Runs `test` as `plan` says against the servers in `directory`, with `driver` and draws of `seed`. Ends early, with what was measured so far, when
/// `interrupted` becomes true or the plan's policy on errors says so.
///
/// # Errors
/// [`EngineError`] when no request was sent because the connections could not be made.
pub fn run(
    driver: &'static Driver,
    plan: &Plan,
    test: &Test,
    seed: Seed,
    directory: &Directory,
    interrupted: &AtomicBool,
    observer: &mut dyn Observer,
) -> Result<Recording, EngineError> {
    let threads = plan.load_threads() as usize;
    let batch_requests = u64::from(plan.pipeline) * test.sequence.len() as u64;
    let common = Common {
        plan,
        directory,
        budget: Budget::new(plan.requests(), batch_requests, threads as u64),
        clock: Clock::start(),
        ready: Gate::for_threads(threads),
        halt: interrupted,
        failed: AtomicBool::new(false),
    };
    let data = plan.data();
    let collected = thread::scope(|scope| {
        let (sender, receiver) = channel();
        let mut clients = 0..0;
        let in_cluster = directory.access.server.cluster.is_some();
        for thread in 0..threads {
            // A batch deeper than the whole run would only cost memory.
            let repeats = u64::from(plan.pipeline).min(plan.requests().div_ceil(test.sequence.len() as u64));
            let batch = Batch::new(test, repeats as usize, &data, plan.key_count, seed, in_cluster);
            clients = clients.end..clients.end + share_of(plan.clients as usize, threads, thread);
            let worker = Worker::new(&common, thread, clients.clone(), batch, sender.clone());
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
        observer.observe(&Event::Started { title: &test.title, requests: plan.requests() });
        let collected = Collector::new(threads).collect(&receiver, observer);
        observer.observe(&Event::Ended);
        Ok(collected)
    })?;
    let mut recording = collected.into_recording(plan.requests(), interrupted.load(Ordering::Relaxed))?;
    recording.counts.errors.count_many(ErrorKind::Dns, directory.take_failed_look_ups());
    Ok(recording)
}

/// How many of `clients` belong to `thread`: those that do not divide evenly go to the first threads.
fn share_of(clients: usize, threads: usize, thread: usize) -> usize {
    clients / threads + usize::from(thread < clients % threads)
}

/// Puts together what load threads hand over.
struct Collector {
    total: Counts,
    completed: u64,
    timeline: Timeline,
    /// Intervals that some thread may still add to.
    open: BTreeMap<u64, Counts>,
    /// For each thread the beat that it is in.
    beats: Vec<u64>,
    endings: Vec<Ending>,
}

impl Collector {
    fn new(threads: usize) -> Collector {
        Collector {
            total: Counts::default(),
            completed: 0,
            timeline: Timeline::new(INTERVAL),
            open: BTreeMap::new(),
            beats: vec![0; threads],
            endings: Vec::new(),
        }
    }

    /// Takes messages until every load thread is gone.
    fn collect(mut self, receiver: &Receiver<Message>, observer: &mut dyn Observer) -> Collector {
        for message in receiver {
            match message {
                Message::Beat { thread, beat, counts } => {
                    self.completed += counts.completed;
                    let elapsed = Nanos((beat + 1) * BEAT.0);
                    observer.observe(&Event::Progress { elapsed, completed: self.completed, recent: &counts });
                    match self.open.entry(beat / BEATS_PER_INTERVAL) {
                        std::collections::btree_map::Entry::Vacant(place) => drop(place.insert(*counts)),
                        std::collections::btree_map::Entry::Occupied(mut sum) => sum.get_mut().add(&counts),
                    }
                    self.beats[thread] = beat + 1;
                }
                Message::Ended { thread, ending } => {
                    self.beats[thread] = u64::MAX;
                    self.endings.push(ending);
                }
            }
            self.close_intervals();
        }
        self
    }

    /// Closes the intervals that all threads have left behind.
    fn close_intervals(&mut self) {
        let reached = self.beats.iter().min().map_or(0, |beat| beat / BEATS_PER_INTERVAL);
        while let Some(entry) = self.open.first_entry()
            && *entry.key() < reached
        {
            let (index, counts) = entry.remove_entry();
            // A thread that ended in an interval's first instants has nothing to say of it.
            if !counts.is_empty() {
                self.timeline.push(index, &counts);
                self.total.add(&counts);
            }
        }
    }

    fn into_recording(self, requests: u64, interrupted: bool) -> Result<Recording, EngineError> {
        let started = self.endings.iter().filter_map(|ending| ending.started).min();
        // A thread that failed stopped the others; without one, they went on for as long as there was somebody to.
        let failure = self.endings.iter().find_map(|ending| ending.failure.clone()).or_else(|| {
            let last = self.endings.iter().find_map(|ending| ending.last_failure.clone());
            last.filter(|_| self.total.sent < requests && !interrupted)
        });
        let Some(started) = started else {
            return Err(failure.map_or(EngineError::Interrupted, EngineError::Start));
        };
        let last_reply = self.endings.iter().map(|ending| ending.last_reply).max().unwrap_or(started);
        Ok(Recording {
            counts: self.total,
            elapsed: last_reply - started,
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
