//! What a server says of itself.

use serde::{Deserialize, Serialize};
use std::collections::HashMap;

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
    pub io_threads_active: Option<bool>,
    pub maxmemory_policy: Option<String>,
    /// The server's `save` setting; empty when snapshots are off.
    pub config_save: Option<String>,
    /// The server's `appendonly` setting, `yes` or `no`.
    pub config_appendonly: Option<String>,
    /// Why facts are missing, in the server's words.
    pub reason: Option<String>,
}

impl ServerFacts {
    /// Reads the text that `INFO` replies with.
    pub fn from_info(text: &str) -> ServerFacts {
        let fields: HashMap<&str, &str> =
            text.lines().filter_map(|line| line.trim_end_matches('\r').split_once(':')).collect();
        let field = |name: &str| fields.get(name).map(|value| (*value).to_owned());
        // Valkey keeps `redis_version` for compatibility and says what it is in fields of its own.
        let fork = field("valkey_version");
        ServerFacts {
            server_name: field("server_name").or_else(|| field("redis_version").map(|_| "redis".to_owned())),
            version: fork.or_else(|| field("redis_version")),
            mode: field("redis_mode"),
            role: field("role"),
            run_id: field("run_id"),
            io_threads_active: field("io_threads_active").map(|value| value != "0"),
            maxmemory_policy: field("maxmemory_policy"),
            ..ServerFacts::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn info_is_read_field_by_field() {
        let facts = ServerFacts::from_info(
            "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nrun_id:abc\r\nio_threads_active:0\r\n\r\n# Replication\r\nrole:master\r\n",
        );
        assert_eq!(facts.version.as_deref(), Some("7.0.15"));
        assert_eq!(facts.server_name.as_deref(), Some("redis"));
        assert_eq!(facts.role.as_deref(), Some("master"));
        assert_eq!(facts.io_threads_active, Some(false));
        assert_eq!(facts.maxmemory_policy, None);
    }

    #[test]
    fn a_fork_is_called_by_its_own_name() {
        let facts = ServerFacts::from_info("redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\r\n");
        assert_eq!((facts.server_name.as_deref(), facts.version.as_deref()), (Some("valkey"), Some("8.0.1")));
    }
}
