//! The text of `CLIENT LIST`, and who of it is somebody else.

use super::commandstats::is_housekeeping;

/// A client of somebody else, as far as rules ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The last command it sent.
    pub command: String,
    /// Seconds since then.
    pub idle_secs: u64,
}

/// A connection that has not sent anything for so long was not just made by a health check.
const SILENT_SECS: u64 = 2;

/// The clients in `list` that are neither ours nor part of the machinery around a server.
///
/// Replicas and our masters go by their flags, sentinels by their names, and health checks by what they send: behind a
/// proxy all of them share its address, so that the address says nothing.
pub fn foreign(list: &str, own_ids: &[u64], own_addresses: &[String]) -> Vec<Client> {
    list.lines().filter_map(|line| client(line, own_ids, own_addresses)).collect()
}

fn client(line: &str, own_ids: &[u64], own_addresses: &[String]) -> Option<Client> {
    // No value has a blank in it: the server lets no name in that has one.
    let field = |name: &str| {
        line.split_whitespace().find_map(|field| field.split_once('=').filter(|(key, _)| *key == name)).map(|(_, v)| v)
    };
    let number = |name: &str| field(name).and_then(|value| value.parse::<u64>().ok());
    let id = number("id")?;
    // Only a local socket says `/path:0` of all its clients alike, and is no address of one.
    let address = field("addr").filter(|address| !address.starts_with('/')).unwrap_or_default();
    if own_ids.contains(&id) || own_addresses.iter().any(|own| own == address) {
        return None;
    }
    let flags = field("flags").unwrap_or_default();
    let command = field("cmd").unwrap_or_default();
    let machinery = flags.contains(['S', 'M'])
        || field("name").is_some_and(|name| name.starts_with("sentinel-"))
        || is_housekeeping(command);
    let just_made = command == "NULL" && number("age").is_some_and(|age| age <= SILENT_SECS);
    if machinery || just_made {
        return None;
    }
    let command = if command == "NULL" { "none yet" } else { command };
    Some(Client { command: command.to_owned(), idle_secs: number("idle").unwrap_or(0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line of redis-server 7.0 with these fields in it.
    fn line(id: u64, address: &str, name: &str, idle: u64, flags: &str, command: &str) -> String {
        format!(
            "id={id} addr={address} laddr=127.0.73.10:7300 fd=9 name={name} age=60 idle={idle} flags={flags} db=0 sub=0 \
             psub=0 ssub=0 multi=-1 qbuf=0 qbuf-free=20474 argv-mem=0 multi-mem=0 rbs=1024 rbp=0 obl=0 oll=0 omem=0 \
             tot-mem=22400 events=r cmd={command} user=default redir=-1 resp=2\n"
        )
    }

    fn commands(list: &str) -> Vec<String> {
        foreign(list, &[1], &["10.0.0.9:4000".to_owned()]).into_iter().map(|client| client.command).collect()
    }

    #[test]
    fn machinery_and_our_own_connections_are_not_foreign() {
        for (what, line) in [
            ("we, by id", line(1, "10.0.0.9:1", "", 0, "N", "scan")),
            ("we, by address", line(2, "10.0.0.9:4000", "", 0, "N", "scan")),
            ("a replica", line(3, "10.0.0.2:1", "", 1, "S", "eval")),
            ("our master", line(4, "10.0.0.2:1", "", 1, "M", "set")),
            ("a sentinel", line(5, "10.0.0.2:1", "sentinel-0a1b2c3d-cmd", 0, "N", "eval")),
            ("a health check", line(6, "10.0.0.2:1", "", 0, "N", "info")),
            ("an exporter", line(7, "10.0.0.2:1", "exporter", 3, "N", "slowlog|get")),
            ("a check just made", line(8, "10.0.0.2:1", "", 0, "N", "NULL").replace("age=60", "age=0")),
        ] {
            assert_eq!(commands(&line), [""; 0], "{what}");
        }
    }

    #[test]
    fn an_application_is_foreign() {
        let list = [
            line(3, "10.0.0.2:1", "app", 7, "N", "get"),
            line(4, "10.0.0.2:2", "", 0, "b", "blpop"),
            line(5, "10.0.0.2:3", "", 90, "N", "NULL"),
            line(6, "10.0.0.2:4", "", 0, "O", "monitor"),
            line(7, "/tmp/redis.sock:0", "", 0, "U", "set"),
        ];
        assert_eq!(commands(&list.concat()), ["get", "blpop", "none yet", "monitor", "set"]);
        assert_eq!(foreign(&list[0], &[], &[])[0].idle_secs, 7);
    }

    #[test]
    fn what_is_no_client_is_nobody() {
        assert_eq!(commands("\n\ngarbage\nid=x cmd=get\n"), [""; 0]);
    }
}
