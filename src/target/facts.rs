//! What a server says of itself.

use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::str::FromStr;

/// Facts from `INFO` and `CONFIG GET`, each missing when the server would not tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerFacts {
    /// `redis`, or what a fork calls itself.
    pub server_name: Option<String>,
    pub version: Option<String>,
    /// `standalone`, `cluster` or `sentinel`.
    pub mode: Option<String>,
    /// `master` or `slave`, in the server's words.
    pub role: Option<String>,
    /// Changes whenever the server is started.
    pub run_id: Option<String>,
    pub uptime_seconds: Option<u64>,
    pub io_threads_active: Option<bool>,
    pub used_memory_bytes: Option<u64>,
    /// 0 when there is no limit.
    pub maxmemory_bytes: Option<u64>,
    pub maxmemory_policy: Option<String>,
    pub system_memory_bytes: Option<u64>,
    pub connected_clients: Option<u64>,
    pub maxclients: Option<u64>,
    pub connected_replicas: Option<u64>,
    /// Of a replica: `up` or `down`.
    pub master_link: Option<String>,
    pub is_loading: Option<bool>,
    pub is_saving: Option<bool>,
    /// The server's `save` setting; empty when snapshots are off.
    pub config_save: Option<String>,
    /// The server's `appendonly` setting, `yes` or `no`.
    pub config_appendonly: Option<String>,
    /// The server's `io-threads` setting: threads that read and write, the main thread included.
    #[serde(default)]
    pub config_io_threads: Option<u32>,
    /// Why facts are missing, in the server's words.
    pub reason: Option<String>,
}

impl ServerFacts {
    /// As much of `run_id` as tells servers apart for people.
    pub fn short_run_id(&self) -> Option<String> {
        self.run_id.as_ref().map(|id| id.chars().take(8).collect())
    }

    /// Reads the text that `INFO` replies with.
    pub fn from_info(text: &str) -> ServerFacts {
        let info = Info::read(text);
        // Valkey keeps `redis_version` for compatibility and says what it is in fields of its own.
        let fork = info.text("valkey_version");
        let is_on = |name: &str| info.number::<u64>(name).map(|value| value != 0);
        ServerFacts {
            server_name: info.text("server_name").or_else(|| info.text("redis_version").map(|_| "redis".to_owned())),
            version: fork.or_else(|| info.text("redis_version")),
            mode: info.text("redis_mode"),
            role: info.text("role"),
            run_id: info.text("run_id"),
            uptime_seconds: info.number("uptime_in_seconds"),
            io_threads_active: is_on("io_threads_active"),
            used_memory_bytes: info.number("used_memory"),
            maxmemory_bytes: info.number("maxmemory"),
            maxmemory_policy: info.text("maxmemory_policy"),
            system_memory_bytes: info.number("total_system_memory"),
            connected_clients: info.number("connected_clients"),
            maxclients: info.number("maxclients"),
            connected_replicas: info.number("connected_slaves"),
            master_link: info.text("master_link_status"),
            is_loading: is_on("loading"),
            is_saving: is_on("rdb_bgsave_in_progress")
                .zip(is_on("aof_rewrite_in_progress"))
                .map(|(rdb, aof)| rdb || aof),
            ..ServerFacts::default()
        }
    }
}

/// The fields of a reply to `INFO`.
struct Info<'a>(HashMap<&'a str, &'a str>);

impl<'a> Info<'a> {
    fn read(text: &'a str) -> Info<'a> {
        Info(text.lines().filter_map(|line| line.trim_end_matches('\r').split_once(':')).collect())
    }

    fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|value| (*value).to_owned())
    }

    fn number<T: FromStr>(&self, name: &str) -> Option<T> {
        self.0.get(name)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn info_is_read_field_by_field() {
        let facts = ServerFacts::from_info(
            "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nrun_id:abc\r\nio_threads_active:0\r\n\
             used_memory:1024\r\nrdb_bgsave_in_progress:1\r\naof_rewrite_in_progress:0\r\n\r\n# Replication\r\nrole:master\r\n",
        );
        assert_eq!(facts.version.as_deref(), Some("7.0.15"));
        assert_eq!(facts.server_name.as_deref(), Some("redis"));
        assert_eq!(facts.role.as_deref(), Some("master"));
        assert_eq!((facts.io_threads_active, facts.is_saving), (Some(false), Some(true)));
        assert_eq!((facts.used_memory_bytes, facts.maxmemory_bytes), (Some(1024), None));
        assert_eq!(facts.maxmemory_policy, None);
    }

    #[test]
    fn a_short_run_id_is_of_letters_and_not_of_bytes() {
        let short = |id: &str| ServerFacts::from_info(&format!("run_id:{id}\r\n")).short_run_id();
        assert_eq!(short("0123456789abcdef").as_deref(), Some("01234567"));
        assert_eq!(short("0123456\u{fffd}\u{fffd}").as_deref(), Some("0123456\u{fffd}"));
        assert_eq!(ServerFacts::default().short_run_id(), None);
    }

    #[test]
    fn a_fork_is_called_by_its_own_name() {
        let facts = ServerFacts::from_info("redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\r\n");
        assert_eq!((facts.server_name.as_deref(), facts.version.as_deref()), (Some("valkey"), Some("8.0.1")));
    }
}
