//! Looking at everybody beside a run, about once a second and without holding it up.

use super::client::ClientLook;
use super::contact::{Contact, Presence};
use super::haproxy::{ProxyLook, StatsAddress};
use super::server::{Depth, ServerLook};
use crate::event::{self, Event};
use crate::recording::Observed;
use crate::recording::observed::{Sample, ServerSample};
use crate::target::Directory;
use crate::units::Nanos;
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::oneshot::error::RecvError;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep_until;

/// The length of a sample, unless the timeline has longer intervals: more often than this, looking would cost something.
const SAMPLE: Duration = Duration::from_secs(1);

/// A look for a sample is over before the next is due.
const SAMPLE_PATIENCE: Duration = Duration::from_millis(800);

/// How long a look before a run may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often we look at ourselves: load threads are gone when the run is over, and the last look at them should be late.
const BEAT: Duration = Duration::from_millis(250);

/// A server that is to be observed.
pub struct Subject {
    pub name: String,
    pub directory: Arc<Directory>,
    /// Its place in the roster.
    pub place: usize,
    /// Whether something may lie between that has places for so many connections and no more.
    pub is_behind_proxy: bool,
}

/// Whom to observe in runs one after the other: always ourselves, and servers and proxies as given.
#[derive(Default)]
pub struct Observers {
    contacts: Vec<Contact>,
    proxies: Vec<StatsAddress>,
    /// What is to be said of every run.
    notes: Vec<String>,
    /// The length of a sample of this run.
    every: Duration,
}

/// A run that is observed.
pub struct Observing {
    started: Option<watch::Sender<Option<Instant>>>,
    seen: watch::Receiver<Sample>,
    ended: oneshot::Sender<Duration>,
    task: JoinHandle<(Observers, Observed)>,
}

/// Whoever tells that a run has begun. Listens to its events.
pub struct Starter(watch::Sender<Option<Instant>>);

impl event::Observer for Starter {
    fn observe(&mut self, event: &Event) {
        if let Event::Sending { unix } = event {
            self.0.send_replace(Some(instant_of(*unix)));
        }
    }
}

/// The instant of a time since 1970 that was a moment ago: who collects may have waited for its turn.
fn instant_of(unix: Nanos) -> Instant {
    let (now, time) = (Instant::now(), SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
    let ago = Duration::from(Nanos::from(time) - unix);
    // A clock that was set meanwhile is not believed.
    now.checked_sub(ago.min(SAMPLE)).unwrap_or(now)
}

/// Looks that were taken together; none of whoever was not seen.
struct Looks {
    servers: Vec<Option<ServerLook>>,
    proxies: Vec<Option<ProxyLook>>,
}

impl Observers {
    /// Of servers that turn out to be the same one the first counts. `notes` are said of every run.
    pub fn new(subjects: Vec<Subject>, proxies: Vec<StatsAddress>, notes: Vec<String>) -> Observers {
        let contact = |it: Subject| Contact::new(it.name, it.directory, it.place, it.is_behind_proxy);
        Observers { contacts: subjects.into_iter().map(contact).collect(), proxies, notes, every: SAMPLE }
    }

    /// Looks at all servers before a run of `clients` connections, and is ready for its start. `interval` is that of its
    /// timeline.
    pub async fn begin(mut self, clients: u64, interval: Nanos) -> Observing {
        self.every = SAMPLE.max(interval.into());
        let mut observed = Observed { notes: self.notes.clone(), ..Observed::default() };
        let looks = join_all(self.contacts.iter_mut().map(|contact| contact.look(Depth::Whole, PATIENCE))).await;
        let (mut known, mut before, mut contacts) = (BTreeSet::new(), Vec::new(), Vec::new());
        for (mut contact, look) in self.contacts.drain(..).zip(looks) {
            let look = keep(&mut observed.notes, &contact.name, look);
            let run_id = look.as_ref().and_then(|look| look.identity.run_id.clone());
            if run_id.is_some_and(|id| !known.insert(id)) {
                // A second way to a server that is observed already.
                contact.hang_up().await;
                continue;
            }
            if let Some(note) = contact.make_room(look.as_ref(), clients).await {
                note_once(&mut observed.notes, &contact.name, &note);
            }
            before.push(look);
            contacts.push(contact);
        }
        self.contacts = contacts;
        let (start, started) = watch::channel(None);
        let (ended, end) = oneshot::channel();
        let (shown, seen) = watch::channel(Sample::default());
        let task = tokio::spawn(self.observe(started, end, shown, before, observed));
        Observing { started: Some(start), seen, ended, task }
    }

    async fn observe(
        mut self,
        mut started: watch::Receiver<Option<Instant>>,
        mut end: oneshot::Receiver<Duration>,
        shown: watch::Sender<Sample>,
        before: Vec<Option<ServerLook>>,
        mut observed: Observed,
    ) -> (Observers, Observed) {
        let over = tokio::select! {
            biased;
            patience = &mut end => Some(patience),
            _ = started.wait_for(Option::is_some) => None,
        };
        // A run that did not begin has nothing to be seen.
        let Some(start) = *started.borrow() else { return (self, observed) };
        let patience = match over {
            Some(patience) => patience,
            None => self.watch(start, end, &shown, &mut observed).await,
        };
        // Without patience nobody is there any more to be told.
        if let Ok(patience) = patience {
            self.summarize(&before, patience, &mut observed).await;
        }
        (self, observed)
    }

    /// Watches a run that began at `start` until its end: how much patience there is then.
    async fn watch(
        &mut self,
        start: Instant,
        mut end: oneshot::Receiver<Duration>,
        shown: &watch::Sender<Sample>,
        observed: &mut Observed,
    ) -> Result<Duration, RecvError> {
        let first = ClientLook::now();
        let (mut last, mut latest) = (first.clone(), first.clone());
        let (mut due, mut beat) = (start + self.every, start + BEAT);
        let mut looks = tokio::select! {
            biased;
            looks = self.look(&mut observed.notes, |it| it == Presence::Stays) => looks,
            () = sleep_until((start + SAMPLE_PATIENCE).into()) => self.blank(),
        };
        let patience = loop {
            tokio::select! {
                biased;
                patience = &mut end => break patience,
                () = sleep_until(due.min(beat).into()) => {}
            }
            let now = ClientLook::now();
            if now.has_threads() {
                latest = now.clone();
            }
            beat = next(beat, BEAT, now.at);
            if now.at < due {
                continue;
            }
            due = next(due, self.every, now.at);
            // Load threads are gone a little before we are told of the end: then the last look at them has to do.
            let now = latest.clone();
            if now.at == last.at {
                continue;
            }
            let seen = tokio::select! {
                biased;
                patience = &mut end => break patience,
                seen = self.look(&mut observed.notes, |it| it != Presence::Outside) => seen,
            };
            let sample = self.sample(start, (&last, &looks), (&now, &seen));
            shown.send_replace(sample.clone());
            observed.samples.push(sample);
            (last, looks) = (now, seen);
        };
        let over = ClientLook::now();
        observed.client = over.since(&first);
        if latest.at > first.at {
            observed.client.threads = latest.since(&first).threads;
        }
        patience
    }

    /// Looks at those whose presence is one that `looks`, and at all proxies.
    async fn look(&mut self, notes: &mut Vec<String>, looks: impl Fn(Presence) -> bool) -> Looks {
        let servers = self.contacts.iter_mut().map(async |contact| match looks(contact.presence) {
            true => Some((contact.look(Depth::Short, SAMPLE_PATIENCE).await, &contact.name)),
            false => None,
        });
        let proxies = self.proxies.iter().map(|address| ProxyLook::at(address, SAMPLE_PATIENCE));
        let (servers, proxies) = tokio::join!(join_all(servers), join_all(proxies));
        let servers = servers.into_iter().map(|seen| seen.and_then(|(look, name)| keep(notes, name, look))).collect();
        let proxies = proxies.into_iter().map(|look| look.map_err(|reason| push_once(notes, reason)).ok()).collect();
        Looks { servers, proxies }
    }

    /// Nobody was seen.
    fn blank(&self) -> Looks {
        Looks { servers: vec![None; self.contacts.len()], proxies: vec![None; self.proxies.len()] }
    }

    /// What happened between two looks at ourselves, and two at everybody else.
    fn sample(&self, start: Instant, before: (&ClientLook, &Looks), now: (&ClientLook, &Looks)) -> Sample {
        let servers = self.contacts.iter().zip(now.1.servers.iter().zip(&before.1.servers));
        let proxies = self.proxies.iter().zip(now.1.proxies.iter().zip(&before.1.proxies));
        Sample {
            start_ns: before.0.at.duration_since(start).into(),
            length_ns: now.0.at.duration_since(before.0.at).into(),
            client: now.0.since(before.0),
            servers: servers
                .filter_map(|(contact, (now, before))| {
                    let activity = now.as_ref()?.since(before.as_ref()?)?;
                    Some(ServerSample { name: contact.name.clone(), activity })
                })
                .collect(),
            proxies: proxies
                .filter_map(|(address, (now, before))| Some(now.as_ref()?.sample(before.as_ref()?, address)))
                .collect(),
        }
    }

    /// Looks at all servers after a run, within `patience`, and leaves those that it only visits.
    async fn summarize(&mut self, before: &[Option<ServerLook>], patience: Duration, observed: &mut Observed) {
        let looks = join_all(self.contacts.iter_mut().map(|contact| contact.look(Depth::Whole, patience))).await;
        for ((contact, look), before) in self.contacts.iter_mut().zip(looks).zip(before) {
            if let Some(look) = keep(&mut observed.notes, &contact.name, look)
                && let Some(before) = before
            {
                match look.whole(before, &contact.name) {
                    Some(whole) => observed.servers.push(whole),
                    None => note_once(
                        &mut observed.notes,
                        &contact.name,
                        "another server answered after the run than before it; observe each by its own address (--observe)",
                    ),
                }
            }
            if contact.presence != Presence::Stays {
                contact.hang_up().await;
            }
        }
    }
}

impl Observing {
    /// Who is to hear the events of the run.
    ///
    /// # Panics
    /// When it is asked for twice.
    pub fn starter(&mut self) -> Starter {
        Starter(self.started.take().expect("a run begins once"))
    }

    /// The last sample, as soon as there is one: for whoever may have to end the run because of it.
    pub fn seen(&self) -> watch::Receiver<Sample> {
        self.seen.clone()
    }

    /// What was observed, and the observers for the next run. The last look, at the servers, may take `patience`.
    pub async fn end(self, patience: Duration) -> (Observers, Observed) {
        // Who observes may have seen that the run did not begin.
        let _ = self.ended.send(patience);
        self.task.await.expect("whoever observes ends when it is told to")
    }
}

/// The first time after `now` among those that are `step` apart.
fn next(mut due: Instant, step: Duration, now: Instant) -> Instant {
    while due <= now {
        due += step;
    }
    due
}

/// The look, or a note why there is none.
fn keep(notes: &mut Vec<String>, name: &str, look: Result<ServerLook, String>) -> Option<ServerLook> {
    look.map_err(|reason| note_once(notes, name, &reason)).ok()
}

fn note_once(notes: &mut Vec<String>, name: &str, words: &str) {
    push_once(notes, format!("{name}: not observed throughout: {words}"));
}

fn push_once(notes: &mut Vec<String>, note: String) {
    if !notes.contains(&note) {
        notes.push(note);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_missed_is_not_made_up_for() {
        let start = Instant::now();
        let at = |millis: u64| start + Duration::from_millis(millis);
        for (now, expected) in [(999, 1000), (1000, 2000), (1001, 2000), (5500, 6000)] {
            assert_eq!(next(at(1000), SAMPLE, at(now)), at(expected), "{now}");
        }
    }

    #[test]
    fn a_reason_is_told_once() {
        let mut notes = Vec::new();
        for words in ["gone", "mute", "gone"] {
            note_once(&mut notes, "h:1", words);
        }
        assert_eq!(notes.len(), 2);
    }

    #[test]
    fn a_start_that_was_told_of_late_is_when_it_was() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let ago = |time: Duration| Instant::now().duration_since(instant_of(Nanos::from(time)));
        let since = ago(now - Duration::from_millis(100));
        assert!(since >= Duration::from_millis(100) && since < Duration::from_secs(30), "{since:?}");
        assert!(ago(now + Duration::from_secs(60)) < Duration::from_secs(30), "not yet, by a clock that was set");
    }

    /// Ourselves alone, of a run that is over before a sample.
    #[tokio::test]
    async fn a_run_that_is_short_or_did_not_begin_is_no_failure() {
        let mut observing = Observers::default().begin(1, Nanos::from_millis(100)).await;
        drop(observing.starter());
        let (observers, observed) = observing.end(PATIENCE).await;
        assert_eq!(observed, Observed::default());
        let mut observing = observers.begin(1, Nanos::from_millis(100)).await;
        let unix = Nanos::from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap());
        event::Observer::observe(&mut observing.starter(), &Event::Sending { unix });
        let (_, observed) = observing.end(PATIENCE).await;
        assert_eq!(observed.samples, []);
    }
}
