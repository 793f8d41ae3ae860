//! What others had the server do between two looks at `INFO commandstats`.

use std::collections::HashMap;

/// Commands of the machinery around a server: health checks, sentinels, replication, exporters, and the greetings of
/// clients. An idle server behind a proxy and three sentinels serves 13 to 19 of them a second.
///
/// Subcommands go by the name of their command: Redis 7 counts `config|get`, and Redis 6 `config`.
const HOUSEKEEPING: [&str; 31] = [
    // What checks, sentinels and replicas were seen to send to an idle stack.
    "ping",
    "info",
    "publish",
    "subscribe",
    "psubscribe",
    "role",
    "quit",
    "replconf",
    "psync",
    "hello",
    "auth",
    "select",
    "client",
    "config",
    "command",
    "latency",
    "sentinel",
    // Their counterparts in other versions and at the end of a session.
    "sync",
    "ssubscribe",
    "unsubscribe",
    "punsubscribe",
    "sunsubscribe",
    "reset",
    // A sentinel packs what it does in a failover into a transaction. Data in a transaction counts by itself.
    "multi",
    "exec",
    "slaveof",
    "replicaof",
    // What exporters ask.
    "slowlog",
    "memory",
    "cluster",
    "acl",
];

/// Whether a command, in the spelling of `CLIENT LIST` or `commandstats`, touches no data.
pub fn is_housekeeping(command: &str) -> bool {
    let name = command.split('|').next().unwrap_or(command);
    HOUSEKEEPING.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Calls of data commands between the looks `before` and `after`, by name, the most called first.
pub fn data_calls(before: &str, after: &str) -> Vec<(String, u64)> {
    let before: HashMap<&str, u64> = calls(before).collect();
    let mut made: Vec<(String, u64)> = calls(after)
        .filter(|(name, _)| !is_housekeeping(name))
        // A count that fell was reset in between; what it says since then is the least that can be said.
        .map(|(name, count)| (name, count.checked_sub(before.get(name).copied().unwrap_or(0)).unwrap_or(count)))
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| (name.to_owned(), count))
        .collect();
    made.sort_by(|(name, count), (other, more)| more.cmp(count).then_with(|| name.cmp(other)));
    made
}

/// `cmdstat_get:calls=3,usec=…`
fn calls(text: &str) -> impl Iterator<Item = (&str, u64)> {
    text.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        Some((name, rest.split([',', '\r']).next()?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(counts: &[(&str, u64)]) -> String {
        let lines = counts.iter().map(|(name, calls)| {
            format!("cmdstat_{name}:calls={calls},usec=9,usec_per_call=1.00,rejected_calls=0,failed_calls=0\r\n")
        });
        format!("# Commandstats\r\n{}", lines.collect::<String>())
    }

    #[test]
    fn only_data_commands_count_and_only_those_in_between() {
        let before = stats(&[("get", 100), ("info", 5), ("set", 7), ("config|get", 1)]);
        let after =
            stats(&[("get", 150), ("info", 25), ("set", 7), ("config|get", 9), ("client|list", 1), ("incr", 60)]);
        assert_eq!(data_calls(&before, &after), [("incr".to_owned(), 60), ("get".to_owned(), 50)]);
    }

    #[test]
    fn counts_that_were_reset_in_between_still_count() {
        assert_eq!(data_calls(&stats(&[("get", 1000)]), &stats(&[("get", 30)])), [("get".to_owned(), 30)]);
    }

    #[test]
    fn housekeeping_goes_by_the_name_of_the_command() {
        for command in ["config|get", "CONFIG", "client|setinfo", "sentinel|ping", "replconf", "latency|histogram"] {
            assert!(is_housekeeping(command), "{command}");
        }
        for command in ["get", "scan", "eval", "object|freq", "xinfo|stream", "NULL", ""] {
            assert!(!is_housekeeping(command), "{command}");
        }
    }
}
