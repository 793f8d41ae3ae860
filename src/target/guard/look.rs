//! Looking at a server with commands that only read, and with as little of them as will do.

use super::clients;
use super::evidence::{Commands, Evidence, KeySample};
use super::info::Info;
use super::{GuardReport, Intent, Mode, rules};
use crate::target::reply;
use redis::aio::MultiplexedConnection;
use redis::{Pipeline, Value};
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout_at};

/// Time between the two looks at what others do.
const WATCH: Duration = Duration::from_secs(1);
/// A client that sent something so few seconds ago may be at work.
const AT_WORK_IDLE_SECS: u64 = 2;
/// Commands per second that the machinery around an idle server does not reach.
const IDLE_COMMANDS_PER_SEC_MAX: u64 = 20;
/// Keys that are looked at for whose they are.
const SAMPLE_KEYS: u64 = 100;

/// Looks at the server and judges what `intent` would do to it, all within `patience`. What is not seen by then, and what
/// the server would not tell, are findings.
///
/// `connection` must be in the database of the run. `own_addresses` are those of further connections of ours, as the
/// server sees them. An idle server costs one round trip, or two when somebody else is connected; [`Mode::Refuse`] watches
/// for a second in any case, and [`Mode::Warn`] only when somebody may be at work. [`Mode::Off`] sends nothing.
pub async fn look(
    connection: &mut MultiplexedConnection,
    mode: Mode,
    intent: &Intent,
    own_addresses: &[String],
    patience: Duration,
) -> GuardReport {
    if mode == Mode::Off {
        return GuardReport { mode, findings: Vec::new() };
    }
    let mut looking = Looking { connection, deadline: Instant::now() + patience };
    let evidence = looking.gather(mode, own_addresses).await;
    GuardReport { mode, findings: rules::judge(intent, &evidence) }
}

/// A connection, and the end of all waiting for it.
struct Looking<'a> {
    connection: &'a mut MultiplexedConnection,
    deadline: Instant,
}

impl Looking<'_> {
    async fn gather(&mut self, mode: Mode, own_addresses: &[String]) -> Evidence {
        let mut pipe = redis::pipe();
        pipe.cmd("INFO");
        pipe.cmd("DBSIZE");
        pipe.cmd("SCAN").arg(0).arg("COUNT").arg(SAMPLE_KEYS);
        pipe.cmd("CLIENT").arg("ID");
        // Last, so that what we send ourselves is counted by then.
        pipe.cmd("INFO").arg("commandstats");
        let mut replies = self.ask(pipe).await.into_iter();
        let since = Instant::now();
        let mut next = || replies.next().unwrap_or_else(|| Err("no reply".to_owned()));
        let info = read(next(), reply::text).map(|text| Info::parse(&text));
        let key_count = read(next(), reply::number);
        let keys = read(next(), sample);
        // Without an id our own connection still tells itself by what it sends.
        let own_ids: Vec<u64> = read(next(), reply::number).into_iter().collect();
        let before = read(next(), reply::text);
        let mut evidence = Evidence {
            info,
            clients: None,
            own_ids,
            own_addresses: own_addresses.to_vec(),
            commands: None,
            key_count,
            keys,
            maxclients: None,
        };
        self.ask_further(&mut evidence).await;
        if mode == Mode::Refuse || may_be_at_work(&evidence) {
            evidence.commands = Some(self.watch(before, since).await);
        }
        evidence
    }

    /// Asks for what the first replies left open: who the other clients are, if there are any, and how many there may be.
    async fn ask_further(&mut self, evidence: &mut Evidence) {
        let fact = |name| evidence.info.as_ref().ok().and_then(|info| info.number(name));
        let alone = fact("connected_clients").is_some_and(|clients| clients <= 1);
        let limit_known = evidence.info.is_err() || fact("maxclients").is_some();
        if alone && limit_known {
            return;
        }
        let mut pipe = redis::pipe();
        pipe.cmd("CLIENT").arg("LIST");
        if !limit_known {
            pipe.cmd("CONFIG").arg("GET").arg("maxclients");
        }
        let mut replies = self.ask(pipe).await.into_iter();
        if !alone {
            evidence.clients = replies.next().map(|list| read(list, reply::text));
        }
        evidence.maxclients = replies.next().and_then(|reply| read(reply, setting).ok());
    }

    /// `INFO commandstats` again, some time after the look `before`, which was taken at `since`.
    async fn watch(&mut self, before: Result<String, String>, since: Instant) -> Result<Commands, String> {
        let before = before?;
        if since + WATCH > self.deadline {
            return Err("no time left for a second look".to_owned());
        }
        sleep_until(since + WATCH).await;
        let mut pipe = redis::pipe();
        pipe.cmd("INFO").arg("commandstats");
        let reply = self.ask(pipe).await.pop().unwrap_or_else(|| Err("no reply".to_owned()));
        let after = read(reply, reply::text)?;
        Ok(Commands { before, after, seconds: since.elapsed().as_secs_f64() })
    }

    /// The reply to each command, or why there is none.
    async fn ask(&mut self, mut pipe: Pipeline) -> Vec<Result<Value, String>> {
        let asked = pipe.len();
        let replies = pipe.ignore_errors().query_async::<Vec<Value>>(self.connection);
        match timeout_at(self.deadline, replies).await {
            Ok(Ok(replies)) => replies.into_iter().map(Ok).collect(),
            Ok(Err(error)) => vec![Err(reply::broken(&error)); asked],
            Err(_) => vec![Err("no reply in time".to_owned()); asked],
        }
    }
}

fn read<T>(reply: Result<Value, String>, read: impl FnOnce(&Value) -> Option<T>) -> Result<T, String> {
    reply.and_then(|reply| reply::expect(reply, read))
}

/// Whether it is worth a second to see what others do.
fn may_be_at_work(evidence: &Evidence) -> bool {
    match &evidence.clients {
        None => false,
        Some(Ok(list)) => clients::foreign(list, &evidence.own_ids, &evidence.own_addresses)
            .iter()
            .any(|client| client.idle_secs <= AT_WORK_IDLE_SECS),
        Some(Err(_)) => {
            let rate = evidence.info.as_ref().ok().and_then(|info| info.number("instantaneous_ops_per_sec"));
            rate.is_some_and(|rate| rate > IDLE_COMMANDS_PER_SEC_MAX)
        }
    }
}

/// The reply to SCAN: a cursor, and keys.
fn sample(reply: &Value) -> Option<KeySample> {
    let [cursor, keys] = reply::elements(reply)? else { return None };
    let keys = reply::elements(keys)?.iter().filter_map(reply::bytes).map(<[u8]>::to_vec).collect();
    Some(KeySample { keys, whole: reply::bytes(cursor)? == b"0" })
}

/// The reply to CONFIG GET with one name: a pair, or a map in RESP3.
fn setting(reply: &Value) -> Option<u64> {
    match reply {
        Value::Array(pair) => reply::number(pair.get(1)?),
        Value::Map(pairs) => reply::number(&pairs.first()?.1),
        _ => None,
    }
}
