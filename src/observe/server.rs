//! What a server says of itself in INFO, and what it did between two looks at that.

use super::{commands, neighbour};
use crate::recording::observed::{ServerActivity, ServerUse};
use crate::target::guard::info::Info;
use crate::units::{Nanos, Rate};
use std::time::{Duration, Instant};

/// Sections that change as a server works. Before Redis 7 a question is for one section.
const SHORT: [&[&str]; 6] = [
    &["INFO", "cpu"],
    &["INFO", "stats"],
    &["INFO", "clients"],
    &["INFO", "memory"],
    &["INFO", "replication"],
    &["INFO", "persistence"],
];

/// Who it is, asked once on each connection.
pub const IDENTITY: &[&str] = &["INFO", "server"];

/// Sections that are as long as a server knows commands.
const LONG: [&[&str]; 3] = [&["INFO", "commandstats"], &["INFO", "latencystats"], &["INFO", "errorstats"]];

/// How much is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// For a sample.
    Short,
    /// For the summary of a run.
    Whole,
}

/// What is asked of a server. A section that it does not know is answered with nothing.
pub fn questions(depth: Depth) -> Vec<&'static [&'static str]> {
    let mut questions = SHORT.to_vec();
    if depth == Depth::Whole {
        questions.push(IDENTITY);
        // Last, so that nothing of ours comes behind.
        questions.extend(LONG);
    }
    questions
}

/// A look at a server.
#[derive(Debug, Clone)]
pub struct ServerLook {
    at: Instant,
    info: Info,
    /// Who answered. Not asked with every look: on a connection nobody else ever answers.
    pub identity: Identity,
    /// How long its main thread has waited for a processor. None of a server elsewhere.
    waited: Option<Duration>,
}

/// Who a server is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    pub run_id: Option<String>,
    /// The number of its process, where it lives.
    process: Option<u64>,
}

impl ServerLook {
    /// What it said at `at`: its answers, one below the other. `known` is who it is if they do not say so.
    pub fn of(text: &str, at: Instant, known: Identity) -> ServerLook {
        let info = Info::parse(text);
        let identity = Identity {
            run_id: info.text("run_id").map(str::to_owned).or(known.run_id),
            process: info.number("process_id").or(known.process),
        };
        let waited = identity.process.and_then(|process| neighbour::waited(process, &info));
        ServerLook { at, info, identity, waited }
    }

    /// Whether `clients` more find room, this connection standing. None when the server does not say how many there may be.
    pub fn has_room_for(&self, clients: u64) -> Option<bool> {
        let most = self.info.number("maxclients")?;
        Some(self.info.number("connected_clients")? + clients <= most)
    }

    /// What it did since `before`. None when that was another server, or the same before it was started anew.
    pub fn since(&self, before: &ServerLook) -> Option<ServerActivity> {
        if self.identity.run_id != before.identity.run_id {
            return None;
        }
        let elapsed = self.at.duration_since(before.at);
        let number = |name: &str| self.info.number(name);
        // A count that fell was reset in between: what it says since then is the least that can be said.
        let made = |name: &str| {
            let (now, before) = (self.info.number(name)?, before.info.number(name)?);
            Some(now.checked_sub(before).unwrap_or(now))
        };
        let busy = |names: [&str; 2]| {
            let seconds = |look: &ServerLook| Some(look.seconds(names[0])? + look.seconds(names[1])?);
            let used = seconds(self)? - seconds(before)?;
            (!elapsed.is_zero()).then(|| used.max(0.0) / elapsed.as_secs_f64())
        };
        let set = |name: &str| number(name).map(|value| value != 0);
        let lag = self.furthest_behind();
        Some(ServerActivity {
            main_thread_busy: busy(["used_cpu_sys_main_thread", "used_cpu_user_main_thread"]),
            run_queue_wait: self
                .waited
                .zip(before.waited)
                .filter(|_| !elapsed.is_zero())
                .map(|(now, before)| now.saturating_sub(before).as_secs_f64() / elapsed.as_secs_f64()),
            process_busy: busy(["used_cpu_sys", "used_cpu_user"]),
            commands_per_second: made("total_commands_processed").map(|count| Rate::of(count, elapsed.into())),
            connected_clients: number("connected_clients"),
            blocked_clients: number("blocked_clients"),
            used_memory_bytes: number("used_memory"),
            maxmemory_bytes: number("maxmemory"),
            evicted_keys: made("evicted_keys"),
            expired_keys: made("expired_keys"),
            keyspace_hits: made("keyspace_hits"),
            keyspace_misses: made("keyspace_misses"),
            rejected_connections: made("rejected_connections"),
            bytes_received: made("total_net_input_bytes"),
            bytes_sent: made("total_net_output_bytes"),
            is_saving: set("rdb_bgsave_in_progress")
                .zip(set("aof_rewrite_in_progress"))
                .map(|(snapshot, rewrite)| snapshot || rewrite),
            latest_fork_us: number("latest_fork_usec"),
            connected_replicas: number("connected_slaves"),
            replica_lag_bytes: lag.map(|(bytes, _)| bytes),
            replica_lag_secs: lag.and_then(|(_, seconds)| seconds),
        })
    }

    /// The summary of a run that began after `before`. None when that was another server.
    pub fn whole(&self, before: &ServerLook, name: &str) -> Option<ServerUse> {
        let activity = self.since(before)?;
        let text = |name: &str| self.info.text(name).map(str::to_owned);
        Some(ServerUse {
            name: name.to_owned(),
            run_id: self.identity.run_id.clone(),
            // Valkey keeps the other for compatibility.
            version: text("valkey_version").or_else(|| text("redis_version")),
            role: text("role"),
            io_threads_active: self.info.number("io_threads_active").map(|value| value != 0),
            length_ns: Nanos::from(self.at.duration_since(before.at)),
            activity,
            commands: commands::made(&before.info, &self.info),
            latencies: commands::latencies(&self.info),
            errors: commands::errors(&before.info, &self.info),
        })
    }

    fn seconds(&self, name: &str) -> Option<f64> {
        self.info.text(name)?.parse().ok()
    }

    /// Of the replica that lags most its bytes and seconds.
    fn furthest_behind(&self) -> Option<(u64, Option<u64>)> {
        let written = self.info.number("master_repl_offset")?;
        let lags = (0..self.info.number("connected_slaves")?).filter_map(|index| {
            let replica = self.info.text(&format!("slave{index}"))?;
            let field = |name| replica.split(',').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
            let has: u64 = field("offset")?.parse().ok()?;
            Some((written.saturating_sub(has), field("lag").and_then(|lag| lag.parse().ok())))
        });
        lags.max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const BEFORE: &str = "# Server\r\nrun_id:abc\r\nredis_version:7.0.15\r\nmaxclients:100\r\nconnected_clients:41\r\n\
        used_cpu_sys:1.5\r\nused_cpu_user:2.5\r\nused_cpu_sys_main_thread:1.0\r\nused_cpu_user_main_thread:2.0\r\n\
        total_commands_processed:1000\r\nevicted_keys:5\r\nkeyspace_hits:70\r\nexpired_keys:9\r\n\
        cmdstat_get:calls=10,usec=100,usec_per_call=10.00\r\n";
    const AFTER: &str = "# Server\r\nrun_id:abc\r\nredis_version:7.0.15\r\nrole:master\r\nused_memory:4096\r\n\
        used_cpu_sys:2.0\r\nused_cpu_user:3.5\r\nused_cpu_sys_main_thread:1.25\r\nused_cpu_user_main_thread:2.75\r\n\
        total_commands_processed:5000\r\nevicted_keys:25\r\nkeyspace_hits:30\r\nrdb_bgsave_in_progress:1\r\n\
        aof_rewrite_in_progress:0\r\nmaster_repl_offset:10000\r\nconnected_slaves:2\r\n\
        slave0:ip=h,port=1,state=online,offset=9990,lag=0\r\nslave1:ip=h,port=2,state=online,offset=4000,lag=3\r\n\
        cmdstat_get:calls=15,usec=200,usec_per_call=13.33\r\n";

    fn looks() -> (ServerLook, ServerLook) {
        let at = Instant::now();
        (
            ServerLook::of(BEFORE, at, Identity::default()),
            ServerLook::of(AFTER, at + Duration::from_secs(2), Identity::default()),
        )
    }

    #[test]
    fn what_it_did_is_the_difference_of_two_looks() {
        let (before, after) = looks();
        let did = after.since(&before).unwrap();
        assert_eq!((did.main_thread_busy, did.process_busy), (Some(0.5), Some(0.75)));
        assert_eq!(did.commands_per_second, Some(Rate(2000.0)));
        assert_eq!((did.evicted_keys, did.used_memory_bytes, did.is_saving), (Some(20), Some(4096), Some(true)));
        assert_eq!(did.keyspace_hits, Some(30), "it was reset in between");
        assert_eq!((did.expired_keys, did.maxmemory_bytes), (None, None), "it was not told, which is no zero");
        assert_eq!((did.replica_lag_bytes, did.replica_lag_secs), (Some(6000), Some(3)));
    }

    #[test]
    fn the_summary_has_the_commands_too() {
        let (before, after) = looks();
        let whole = after.whole(&before, "h:1").unwrap();
        assert_eq!((whole.name.as_str(), whole.role.as_deref()), ("h:1", Some("master")));
        assert_eq!((whole.length_ns, whole.commands["get"].calls), (Nanos::from_secs(2), 5));
        let other = ServerLook::of(&AFTER.replace("abc", "xyz"), Instant::now(), Identity::default());
        assert_eq!(other.whole(&before, "h:1"), None, "another server's counts have nothing to do with these");
    }

    #[test]
    fn room_is_what_the_load_leaves() {
        let (before, after) = looks();
        assert_eq!([59, 60].map(|clients| before.has_room_for(clients)), [Some(true), Some(false)]);
        assert_eq!(after.has_room_for(1), None);
    }
}
