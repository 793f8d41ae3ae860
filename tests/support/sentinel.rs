//! A master, two replicas, and three sentinels that watch them.

use super::daemon::Daemon;
use super::link::{Link, Value};
use super::place::{Network, free_port};
use super::server::Place;
use super::{RedisServer, Scratch, wait_until};
use std::fs;
use std::process::Command;
use std::sync::Mutex;

/// The name under which sentinels know the master.
pub const GROUP: &str = "mymaster";

/// Passwords of a set, each wanted when it is there.
#[derive(Debug, Clone, Copy, Default)]
pub struct Passwords {
    pub redis: Option<&'static str>,
    pub sentinel: Option<&'static str>,
}

/// Three pods at an address each, with the same ports everywhere: a redis-server and a sentinel in each. Pod 0 begins
/// as the master.
pub struct Sentinels {
    pub redis: Vec<RedisServer>,
    pub sentinels: Vec<Sentinel>,
}

/// One sentinel. Killed when dropped.
pub struct Sentinel {
    daemon: Daemon,
    pub address: String,
    pub port: u16,
    link: Mutex<Link>,
    _scratch: Scratch,
}

impl Sentinels {
    pub fn start() -> Sentinels {
        Sentinels::with(Passwords::default())
    }

    pub fn with(passwords: Passwords) -> Sentinels {
        (0..10).find_map(|_| Sentinels::try_start(passwords)).expect("one of ten networks is free")
    }

    /// None when a port is in use.
    fn try_start(passwords: Passwords) -> Option<Sentinels> {
        let network = Network::any();
        let port = free_port(&network.address(10));
        let master = network.address(10);
        let redis: Vec<RedisServer> =
            (10..13).map(|host| redis(&network.address(host), &master, port, passwords)).collect::<Option<_>>()?;
        wait_until("both replicas are in step", || {
            let replicas = [redis[0].info("slave0"), redis[0].info("slave1")];
            replicas.into_iter().flatten().filter(|replica| replica.contains("state=online")).count() == 2
        });
        let sentinels = (10..13)
            .map(|host| Sentinel::try_start(&network.address(host), &master, port, passwords))
            .collect::<Option<_>>()?;
        let set = Sentinels { redis, sentinels };
        wait_until("the sentinels know each other and agree", || {
            set.sentinels.iter().all(|sentinel| {
                sentinel.says("num-other-sentinels", "2")
                    && sentinel.says("num-slaves", "2")
                    && sentinel.says("flags", "master")
                    && matches!(sentinel.ask(&["SENTINEL", "CKQUORUM", GROUP]), Value::Text(text) if text.starts_with(b"OK 3"))
            })
        });
        // A machine that is busy with other things keeps nobody waiting for so long that another takes over.
        set.give_up_after("30000");
        for server in &set.redis {
            server.ask(&["CONFIG", "RESETSTAT"]);
        }
        Some(set)
    }

    /// From now on a master that is silent for 0.7 seconds is down, and another takes over.
    pub fn fail_over_soon(&self) {
        self.give_up_after("700");
    }

    fn give_up_after(&self, milliseconds: &str) {
        for sentinel in &self.sentinels {
            let reply = sentinel.ask(&["SENTINEL", "SET", GROUP, "down-after-milliseconds", milliseconds]);
            assert!(reply.is_ok(), "{reply:?}");
        }
    }

    /// `--sentinel` with all three, `--master-name`, and `line` behind it.
    pub fn arguments(&self, line: &str) -> Vec<String> {
        let all: Vec<String> = self.sentinels.iter().map(Sentinel::name).collect();
        let line = format!("--sentinel {} --master-name {GROUP} {line}", all.join(","));
        line.split_whitespace().map(str::to_owned).collect()
    }

    /// The index of the master in the eyes of sentinel `witness`.
    pub fn master(&self, witness: usize) -> usize {
        let address = self.sentinels[witness].ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", GROUP]).texts();
        self.redis.iter().position(|server| server.address == address[0]).expect("it is one of ours")
    }

    /// Hands the master's role to another, with everybody alive. Returns the index of the new master when all agree.
    pub fn fail_over(&self) -> usize {
        let old = self.master(0);
        wait_until("a failover begins", || self.sentinels[0].ask(&["SENTINEL", "FAILOVER", GROUP]).is_ok());
        self.wait_for_another_than(old)
    }

    /// Waits until all sentinels agree upon a master that is not `old`, and it takes writes. Returns its index.
    pub fn wait_for_another_than(&self, old: usize) -> usize {
        let mut new = old;
        wait_until("another master", || {
            new = self.master(0);
            new != old
                && (0..self.sentinels.len()).all(|witness| self.master(witness) == new)
                && self.redis[new].info("role").as_deref() == Some("master")
        });
        new
    }
}

fn redis(address: &str, master: &str, port: u16, passwords: Passwords) -> Option<RedisServer> {
    let text = port.to_string();
    // Replicas come to the master from their own address, as pods do.
    let mut all = vec!["--replica-announce-ip", address, "--bind-source-addr", address];
    all.extend(["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"]);
    if let Some(password) = passwords.redis {
        all.extend(["--requirepass", password, "--masterauth", password]);
    }
    if address != master {
        all.extend(["--replicaof", master, &text]);
    }
    RedisServer::try_start(Place { address: address.to_owned(), port, tls: false }, &all)
}

impl Sentinel {
    fn try_start(address: &str, master: &str, master_port: u16, passwords: Passwords) -> Option<Sentinel> {
        let scratch = Scratch::new();
        let port = free_port(address);
        let mut lines = vec![
            format!("port {port}"),
            format!("bind {address}"),
            "protected-mode no".to_owned(),
            format!("dir {}", scratch.path("").display()),
            format!("logfile {}", scratch.path("log").display()),
            format!("sentinel monitor {GROUP} {master} {master_port} 2"),
            format!("sentinel down-after-milliseconds {GROUP} 700"),
            format!("sentinel failover-timeout {GROUP} 3000"),
            format!("sentinel parallel-syncs {GROUP} 2"),
            format!("sentinel announce-ip {address}"),
            format!("sentinel announce-port {port}"),
        ];
        if let Some(password) = passwords.redis {
            lines.push(format!("sentinel auth-pass {GROUP} {password}"));
        }
        if let Some(password) = passwords.sentinel {
            lines.push(format!("requirepass {password}"));
            lines.push(format!("sentinel sentinel-pass {password}"));
        }
        let file = scratch.path("sentinel.conf");
        fs::write(&file, lines.join("\n") + "\n").expect("a directory of our own");
        let mut daemon = Daemon::start(Command::new("redis-server").arg(&file).arg("--sentinel"));
        let mut link = None;
        wait_until("the sentinel answers, or ends", || {
            link = Link::tcp(address, port).ok();
            link.is_some() || !daemon.is_running()
        });
        let Some(mut link) = link else {
            let log = fs::read_to_string(scratch.path("log")).unwrap_or_default();
            assert!(log.contains("in use"), "a sentinel ended: {log}");
            return None;
        };
        if let Some(password) = passwords.sentinel {
            link.ask(&["AUTH", password]).expect("the sentinel lets us in");
        }
        let sentinel =
            Sentinel { daemon, address: address.to_owned(), port, link: Mutex::new(link), _scratch: scratch };
        // Sentinels greet each other every two seconds, and tests have no time for that. `ask-period` and the like
        // stay as they are.
        let hurry = ["SENTINEL", "DEBUG", "PUBLISH-PERIOD", "200", "INFO-PERIOD", "300", "PING-PERIOD", "200"];
        assert!(sentinel.ask(&hurry).is_ok());
        Some(sentinel)
    }

    pub fn ask(&self, arguments: &[&str]) -> Value {
        let reply = self.link.lock().unwrap().ask(arguments);
        reply.unwrap_or_else(|error| panic!("sentinel {} {arguments:?}: {error}", self.name()))
    }

    /// `ADDRESS:PORT`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.address, self.port)
    }

    pub fn kill(&mut self) {
        self.daemon.kill();
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        self.daemon.signal(signal);
    }

    /// Whether the sentinel says `value` of the master's `field`.
    fn says(&self, field: &str, value: &str) -> bool {
        let Value::Array(fields) = self.ask(&["SENTINEL", "MASTER", GROUP]) else { return false };
        let texts: Vec<String> = fields.into_iter().map(Value::text).collect();
        texts.chunks(2).any(|pair| pair[0] == field && pair[1] == value)
    }
}
