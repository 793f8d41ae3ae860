//! The configurations of the three programs, as texts. They are those of the redis-ha chart, with the addresses of
//! loopback, and say where they differ and why.
//!
//! No path is in them: each program runs in a directory of its own, and blanks in its name need no quotes then.

use super::topology::{MASTER_NAME, PODS, QUORUM, Topology};
use crate::target::{Credentials, Secret};
use std::fmt::Write;

/// The admin socket of a proxy, in its directory.
pub const STATS_SOCKET: &str = "stats.sock";

/// The backend of a proxy that leads to the master, and the one that leads to the replicas.
pub const TO_MASTER: &str = "bk_redis_master";
pub const TO_REPLICAS: &str = "bk_redis_slave";

/// What the redis of pod `index` is told. Pod 0 begins as the master. `binds_source`: replicas can be told to come to
/// their master from their own address, as pods do, which redis can since 7.0.
pub fn redis(topology: &Topology, index: usize, password: Option<&Secret>, binds_source: bool) -> String {
    let (address, port) = (topology.pod(index), topology.ports.redis);
    let Topology { min_replicas, .. } = topology;
    // The chart waits 5 s for other replicas before it sends a new one its data: a lab wants to be up by then.
    let mut text = format!(
        "bind {address}
port {port}
protected-mode no
dir .
maxmemory 0
maxmemory-policy volatile-lru
min-replicas-to-write {min_replicas}
min-replicas-max-lag 5
repl-diskless-sync yes
repl-diskless-sync-delay 0
rdbcompression yes
rdbchecksum yes
save 900 1
rename-command FLUSHDB \"\"
rename-command FLUSHALL \"\"
replica-announce-ip {address}
replica-announce-port {port}
"
    );
    if binds_source {
        say(&mut text, format_args!("bind-source-addr {address}"));
    }
    if let Some(password) = password {
        say(&mut text, format_args!("requirepass {0}\nmasterauth {0}", password.expose()));
    }
    if index != 0 {
        say(&mut text, format_args!("replicaof {} {port}", topology.pod(0)));
    }
    text
}

/// What the sentinel of pod `index` is told.
pub fn sentinel(topology: &Topology, index: usize, password: Option<&Secret>) -> String {
    let (address, port) = (topology.pod(index), topology.ports.sentinel);
    let (master, master_port) = (topology.pod(0), topology.ports.redis);
    let down_after_ms = topology.down_after.0 / 1_000_000;
    // In the proportion of the chart, 10 s to 180 s: a failover that failed is tried again after twice this time.
    let failover_timeout_ms = down_after_ms * 18;
    let mut text = format!(
        "bind {address}
port {port}
protected-mode no
dir .
sentinel monitor {MASTER_NAME} {master} {master_port} {QUORUM}
sentinel down-after-milliseconds {MASTER_NAME} {down_after_ms}
sentinel failover-timeout {MASTER_NAME} {failover_timeout_ms}
sentinel parallel-syncs {MASTER_NAME} 5
sentinel announce-ip {address}
sentinel announce-port {port}
"
    );
    if let Some(password) = password {
        say(&mut text, format_args!("sentinel auth-pass {MASTER_NAME} {}", password.expose()));
    }
    text
}

/// What proxy `index` is told. A connection goes to a server that says that it is the master and that two sentinels say
/// it of.
pub fn haproxy(topology: &Topology, index: usize, password: Option<&Secret>) -> String {
    let (address, ports) = (topology.proxy(index), topology.ports);
    // More connections than `maxconn` look like a server that hangs. Where the system allows fewer open files, the
    // proxy is to take what it can get.
    let mut text = format!(
        "global
  stats socket unix@{STATS_SOCKET} mode 600 level admin
  stats timeout 30s
  maxconn 4096
  no strict-limits
  nbthread 1
  log stderr format raw local0

defaults REDIS
  mode tcp
  log global
  option tcplog
  option dontlog-normal
  timeout connect 4s
  timeout server 330s
  timeout client 330s
  timeout check 2s
  timeout tunnel 1h

listen health_check_http_url
  bind {address}:{}
  mode http
  monitor-uri /healthz
  option dontlognull

frontend ft_redis_master
  bind {address}:{}
  use_backend {TO_MASTER}

frontend ft_redis_slave
  bind {address}:{}
  use_backend {TO_REPLICAS}

frontend stats
  mode http
  bind {address}:{}
  http-request use-service prometheus-exporter if {{ path /metrics }}
  stats enable
  stats uri /stats
  stats refresh 10s
",
        ports.health, ports.proxy, ports.read_only, ports.stats
    );
    for pod in 0..PODS {
        sentinel_votes(&mut text, topology, pod);
    }
    servers(&mut text, topology, index, Backend { name: TO_MASTER, role: "master", votes: true }, password);
    servers(&mut text, topology, index, Backend { name: TO_REPLICAS, role: "slave", votes: false }, password);
    text
}

/// A backend that takes no connections: how many of its servers are up says how many sentinels hold `pod` for the
/// master.
fn sentinel_votes(text: &mut String, topology: &Topology, pod: usize) {
    say(text, format_args!("\nbackend check_if_redis_is_master_{pod}"));
    checks(text, None);
    say(text, format_args!("  tcp-check send SENTINEL\\ get-master-addr-by-name\\ {MASTER_NAME}\\r\\n"));
    say(text, format_args!("  tcp-check expect string {}", topology.pod(pod)));
    say(text, format_args!("  tcp-check send QUIT\\r\\n"));
    for sentinel in 0..PODS {
        let (address, port) = (topology.pod(sentinel), topology.ports.sentinel);
        say(text, format_args!("  server R{sentinel} {address}:{port} check inter 1s"));
    }
}

struct Backend {
    name: &'static str,
    /// What a server of this backend says of itself.
    role: &'static str,
    /// Whether the sentinels must say so, too.
    votes: bool,
}

fn servers(text: &mut String, topology: &Topology, proxy: usize, backend: Backend, password: Option<&Secret>) {
    say(text, format_args!("\nbackend {}", backend.name));
    // Servers see which proxy a connection comes from, as they do between pods.
    say(text, format_args!("  source {}", topology.proxy(proxy)));
    checks(text, password);
    say(text, format_args!("  tcp-check send info\\ replication\\r\\n"));
    say(text, format_args!("  tcp-check expect string role:{}", backend.role));
    say(text, format_args!("  tcp-check send QUIT\\r\\n"));
    say(text, format_args!("  tcp-check expect string +OK"));
    for pod in 0..PODS {
        if backend.votes {
            let votes = format!("nbsrv(check_if_redis_is_master_{pod}) ge {QUORUM}");
            say(text, format_args!("  use-server R{pod} if {{ srv_is_up(R{pod}) }} {{ {votes} }}"));
        }
        let (address, port) = (topology.pod(pod), topology.ports.redis);
        say(text, format_args!("  server R{pod} {address}:{port} check inter 1s fall 1 rise 1"));
    }
}

/// How every check begins.
fn checks(text: &mut String, password: Option<&Secret>) {
    say(text, format_args!("  option tcp-check\n  tcp-check connect"));
    if let Some(password) = password {
        say(text, format_args!("  tcp-check send-binary {}\n  tcp-check expect string +OK", auth_in_hex(password)));
    }
    say(text, format_args!("  tcp-check send PING\\r\\n\n  tcp-check expect string +PONG"));
}

/// The AUTH request in hexadecimal digits, in which no sign of a password means anything to the proxy.
pub fn auth_in_hex(password: &Secret) -> String {
    let mut request = Vec::new();
    Credentials { user: None, password: password.clone() }.encode(&mut request);
    request.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn say(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a string takes all");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::topology::{Network, Ports};
    use crate::units::Nanos;

    fn topology() -> Topology {
        let down_after = Nanos::from_millis(500);
        Topology { network: Network(73), ports: Ports::shifted_by(0), proxies: 2, down_after, min_replicas: 1 }
    }

    #[test]
    fn pod_0_begins_as_the_master_and_the_others_follow_it() {
        let all: Vec<String> = (0..PODS).map(|index| redis(&topology(), index, None, true)).collect();
        assert!(!all[0].contains("replicaof"));
        for replica in &all[1..] {
            assert!(replica.contains("\nreplicaof 127.0.73.10 6379\n"), "{replica}");
        }
        assert!(all[2].starts_with("bind 127.0.73.12\nport 6379\n"));
        assert!(all[2].contains("\nmin-replicas-to-write 1\n") && all[2].contains("\nbind-source-addr 127.0.73.12\n"));
        assert!(!redis(&topology(), 2, None, false).contains("bind-source-addr"));
    }

    #[test]
    fn sentinels_watch_pod_0_with_a_quorum_of_two() {
        let text = sentinel(&topology(), 1, None);
        for line in [
            "bind 127.0.73.11",
            "sentinel monitor mymaster 127.0.73.10 6379 2",
            "sentinel down-after-milliseconds mymaster 500",
            "sentinel failover-timeout mymaster 9000",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
    }

    #[test]
    fn a_proxy_asks_servers_and_sentinels_who_is_the_master() {
        let text = haproxy(&topology(), 1, None);
        for (line, count) in [
            ("  bind 127.0.73.21:6379", 1),
            ("  bind 127.0.73.21:6380", 1),
            ("  bind 127.0.73.21:9101", 1),
            ("  source 127.0.73.21", 2),
            ("  tcp-check expect string role:master", 1),
            ("  tcp-check expect string role:slave", 1),
            ("  tcp-check send info\\ replication\\r\\n", 2),
            ("  use-server R2 if { srv_is_up(R2) } { nbsrv(check_if_redis_is_master_2) ge 2 }", 1),
            ("  server R1 127.0.73.11:26379 check inter 1s", 3),
        ] {
            assert_eq!(text.lines().filter(|found| *found == line).count(), count, "{line}: {text}");
        }
    }

    /// The proxy would read `$` and `#` as its own; and the sentinels have no password.
    #[test]
    fn a_password_is_told_to_whoever_needs_it() {
        let password = Secret::new("a$b#c");
        assert!(redis(&topology(), 1, Some(&password), true).contains("\nrequirepass a$b#c\nmasterauth a$b#c\n"));
        assert!(sentinel(&topology(), 1, Some(&password)).ends_with("\nsentinel auth-pass mymaster a$b#c\n"));
        let text = haproxy(&topology(), 0, Some(&password));
        assert!(!text.contains("a$b#c"));
        let hex = "2a320d0a24340d0a415554480d0a24350d0a6124622363";
        assert_eq!(text.matches(hex).count(), 2, "{text}");
    }
}
