//! The rules, in the order in which they count.

use super::Limit;
use super::facts::{Facts, ProxyFacts, ServerFacts, ThreadFacts};
use crate::units::Nanos;

/// A load thread that wants a processor for more of the time is at its end.
const CLIENT_BUSY: f64 = 0.90;

/// A server's main thread that is busy for so much of the time is at its end. It sleeps but for moments, and INFO counts
/// processor time in steps.
const SERVER_BUSY: f64 = 0.95;

/// So do a proxy's threads, which do not share their work quite evenly.
const PROXY_BUSY: f64 = 0.90;

/// Below these nobody is near his end.
const CLIENT_IDLE: f64 = 0.70;
const OTHERS_IDLE: f64 = 0.80;

/// A client that waits for a processor for so much of the time is starved of it, whatever the server does: that one is
/// only as busy as the client lets it be.
const STARVED_FIRST: f64 = 0.25;

/// And for so much when nobody else is at his end. On a core that it shares with the server, a client does not want the
/// processor all the time: it waits for the server, which waits for the processor.
const STARVED: f64 = 0.10;
const STARVED_WANTED: f64 = 0.70;
const STARVED_ANYWAY: f64 = 0.28;

/// Of what one wants of the processor, what others want that want it far less.
const FAR_LESS: f64 = 0.85;

/// Of what a client can do at all.
const NEAR_CEILING: f64 = 0.95;

/// What a quota or a hypervisor may take before it is the limit.
const THROTTLED: f64 = 0.05;
const STOLEN: f64 = 0.10;

/// Of what was due, what has to be answered for all to be given, and what may be left over.
const GIVEN: f64 = 0.98;
const UNSENT: f64 = 0.01;

/// Of what can be in flight, what makes that the limit of an open loop.
const IN_FLIGHT: f64 = 0.8;

/// Of the mean latency, what the fastest request took when it is the way that all of them spend their time on.
const WAY: f64 = 0.8;

/// Of the segments that were sent, those sent again that are a finding.
const RETRANSMITTED: f64 = 0.01;
const RETRANSMITTED_MIN: u64 = 20;

/// A shorter run says nothing of anybody: processor time is counted in steps of up to 10 ms.
const ELAPSED_MIN: Nanos = Nanos::from_millis(500);

/// What the limit was, more closely.
#[derive(Debug, PartialEq)]
pub enum Cause<'a> {
    TooShort,
    /// All that was due was answered.
    Given,
    /// Clients think between their requests.
    Thinking,
    /// The load thread at this place had no processor.
    Starved(usize, &'a ThreadFacts),
    ThreadBusy(usize),
    Ceiling,
    Throttled,
    Stolen,
    /// Requests went out later and later, and nobody else was busy.
    Late,
    ServerBusy(&'a ServerFacts),
    ProxyBusy(&'a ProxyFacts),
    Retransmits,
    /// Nobody was busy.
    Waiting,
    /// These facts would tell.
    Untold(Vec<Missing>),
    /// Nobody was at his end, and not everybody was far from it.
    Between,
}

/// What is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    Threads,
    Server,
    Proxy,
}

impl Cause<'_> {
    pub fn of(facts: &Facts) -> Cause<'_> {
        if facts.elapsed < ELAPSED_MIN {
            return Cause::TooShort;
        }
        if is_given(facts) {
            return Cause::Given;
        }
        let server = facts.busiest_server().filter(|(_, busy)| *busy >= SERVER_BUSY);
        let at_end = starved(facts, CLIENT_BUSY, STARVED_FIRST)
            .or_else(|| server.map(|(server, _)| Cause::ServerBusy(server)))
            .or_else(|| starved(facts, CLIENT_BUSY, STARVED))
            .or_else(|| client_or_proxy(facts))
            .or_else(|| starved(facts, 0.0, STARVED_ANYWAY))
            .or_else(|| others_starved(facts))
            .or_else(|| starved(facts, STARVED_WANTED, STARVED))
            .or_else(|| is_near_ceiling(facts).then_some(Cause::Ceiling))
            .or_else(|| facts.throttled.filter(|share| *share > THROTTLED).map(|_| Cause::Throttled))
            .or_else(|| facts.steal.filter(|share| *share > STOLEN).map(|_| Cause::Stolen))
            .or_else(|| is_lossy(facts).then_some(Cause::Retransmits));
        at_end.unwrap_or_else(|| nobody_at_end(facts))
    }

    pub fn limit(&self) -> Limit {
        match self {
            Cause::Given | Cause::Thinking => Limit::Rate,
            Cause::Starved(..) | Cause::ThreadBusy(_) | Cause::Ceiling => Limit::Client,
            Cause::Throttled | Cause::Stolen | Cause::Late => Limit::Client,
            Cause::ServerBusy(_) => Limit::Server,
            Cause::ProxyBusy(_) => Limit::Proxy,
            Cause::Retransmits | Cause::Waiting => Limit::Path,
            Cause::TooShort | Cause::Untold(_) | Cause::Between => Limit::Unknown,
        }
    }
}

/// Whether all that was due was answered, and in time for as long as it lasted.
fn is_given(facts: &Facts) -> bool {
    let Some(offered) = facts.offered else { return false };
    let due = offered.0 * facts.elapsed.as_secs();
    let answered = facts.achieved.0 * facts.elapsed.as_secs();
    let is_late = facts.slip.as_ref().is_some_and(|slip| slip.is_rising(facts.elapsed));
    answered >= due * GIVEN && facts.unsent as f64 <= (due * UNSENT).max(1.0) && !is_late
}

/// What keeps a processor from a load thread that wants one for more than a share `wanted_min` of the time, and has to do
/// without for `least`.
fn starved(facts: &Facts, wanted_min: f64, least: f64) -> Option<Cause<'_>> {
    let (at, thread, wanted) = facts.busiest_thread()?;
    let throttled = facts.throttled.unwrap_or(0.0);
    let waited = thread.run_queue_wait.unwrap_or(0.0);
    if wanted + throttled <= wanted_min || waited + throttled < least {
        return None;
    }
    Some(if throttled > waited { Cause::Throttled } else { Cause::Starved(at, thread) })
}

/// Whichever is nearer to its end.
fn client_or_proxy(facts: &Facts) -> Option<Cause<'_>> {
    let client = facts.busiest_thread().filter(|(.., wanted)| *wanted > CLIENT_BUSY);
    let proxy = facts.busiest_proxy().filter(|(_, busy)| *busy > PROXY_BUSY);
    match (client, proxy) {
        (Some((.., wanted)), Some((proxy, busy))) if busy >= wanted => Some(Cause::ProxyBusy(proxy)),
        (Some((at, ..)), _) => Some(Cause::ThreadBusy(at)),
        (None, Some((proxy, _))) => Some(Cause::ProxyBusy(proxy)),
        (None, None) => None,
    }
}

/// A local server or proxy that wants the processor far more than anybody else and does not always have it: in a loop of
/// stations the one that is wanted most is the narrow one.
fn others_starved(facts: &Facts) -> Option<Cause<'_>> {
    let client = facts.busiest_thread().map(|(.., wanted)| (wanted, None));
    let servers = facts
        .servers
        .iter()
        .filter_map(|server| Some((server.wanted()?, server.run_queue_wait.map(|_| Cause::ServerBusy(server)))));
    let proxies = facts
        .proxies
        .iter()
        .filter_map(|proxy| Some((proxy.wanted()?, proxy.run_queue_wait.map(|_| Cause::ProxyBusy(proxy)))));
    let mut all: Vec<(f64, Option<Cause>)> = servers.chain(proxies).chain(client).collect();
    all.sort_by(|one, other| other.0.total_cmp(&one.0));
    let next = all.get(1).map_or(0.0, |(wanted, _)| *wanted);
    let (most, cause) = all.into_iter().next()?;
    cause.filter(|_| most >= OTHERS_IDLE && next <= most * FAR_LESS)
}

/// Whether the client did what it can do at all. A ceiling at which load threads were idle was another's: that of round
/// trips, or of the server that it was measured with.
fn is_near_ceiling(facts: &Facts) -> bool {
    let is_idle = facts.busiest_thread().is_some_and(|(.., wanted)| wanted < CLIENT_IDLE);
    !is_idle && facts.ceiling.is_some_and(|ceiling| ceiling.0 > 0.0 && facts.achieved.0 >= ceiling.0 * NEAR_CEILING)
}

fn is_lossy(facts: &Facts) -> bool {
    facts.segments.is_some_and(|(sent, again)| again >= RETRANSMITTED_MIN && again as f64 > sent as f64 * RETRANSMITTED)
}

fn nobody_at_end(facts: &Facts) -> Cause<'_> {
    let missing = missing(facts);
    if !missing.is_empty() {
        return Cause::Untold(missing);
    }
    let is_idle = |thread: &ThreadFacts, wanted| wanted < CLIENT_IDLE && thread.run_queue_wait.is_none_or(is_short);
    let client_is_idle = facts.busiest_thread().is_none_or(|(_, thread, wanted)| is_idle(thread, wanted));
    let servers = facts.servers.iter().filter_map(ServerFacts::wanted);
    let others_are_idle =
        servers.chain(facts.proxies.iter().filter_map(ProxyFacts::wanted)).all(|wanted| wanted < OTHERS_IDLE);
    // While every connection waits for replies, requests are late without the client's doing.
    let is_full =
        client_is_idle && facts.in_flight_limit().is_some_and(|limit| facts.achieved.0 >= limit.0 * IN_FLIGHT);
    let is_late = facts.slip.as_ref().is_some_and(|slip| slip.is_rising(facts.elapsed));
    match (others_are_idle, client_is_idle) {
        (true, _) if is_late && !is_full => Cause::Late,
        (true, true) if facts.offered.is_none() && Some(facts.think_time) > facts.latency_mean => Cause::Thinking,
        (true, true) => Cause::Waiting,
        // A client without a processor now and then would have made others slower than the fastest.
        (true, false) if facts.offered.is_none() && facts.way_share().is_some_and(|share| share >= WAY) => {
            Cause::Waiting
        }
        _ => Cause::Between,
    }
}

/// Waits for a processor that are no finding.
fn is_short(wait: f64) -> bool {
    wait < STARVED
}

fn missing(facts: &Facts) -> Vec<Missing> {
    let has_no_thread = facts.busiest_thread().is_none();
    let has_no_server = facts.servers.is_empty() || facts.servers.iter().any(|server| server.busy().is_none());
    let has_no_proxy = facts.has_unseen_proxy || facts.proxies.iter().any(|proxy| proxy.busy.is_none());
    [(has_no_thread, Missing::Threads), (has_no_server, Missing::Server), (has_no_proxy, Missing::Proxy)]
        .into_iter()
        .filter_map(|(is_missing, what)| is_missing.then_some(what))
        .collect()
}
