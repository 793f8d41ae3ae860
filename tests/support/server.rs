//! A private redis-server, and what it says of the load.

use super::daemon::Daemon;
use super::link::{Link, Value};
use super::place::free_port;
use super::{Scratch, wait_until};
use rustix::process::Signal;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::process::Command;
use std::sync::Mutex;

/// Commands of the tests themselves, of control connections, and of servers among each other.
const HOUSEKEEPING: [&str; 30] = [
    "acl|setuser",
    "acl|whoami",
    "client|id",
    "client|info",
    "client|list",
    "client|no-evict",
    "client|setinfo",
    "client|setname",
    "cluster|info",
    "cluster|nodes",
    "cluster|shards",
    "cluster|slots",
    "command",
    "command|docs",
    "command|getkeys",
    "command|getkeysandflags",
    "command|info",
    "config|get",
    "config|resetstat",
    "dbsize",
    "flushall",
    "info",
    "latency|histogram",
    "memory|usage",
    "psync",
    "readonly",
    "replconf",
    "role",
    "scan",
    "unlink",
];

/// Where a server listens.
#[derive(Debug, Clone)]
pub struct Place {
    pub address: String,
    pub port: u16,
    pub tls: bool,
}

/// A redis-server on a port of loopback and on a socket in a directory of its own. Killed when dropped.
pub struct RedisServer {
    daemon: Daemon,
    pub address: String,
    pub port: u16,
    /// Through the socket in our own directory, where no other server can answer.
    link: Mutex<Link>,
    command: Command,
    password: Option<String>,
    scratch: Scratch,
}

impl RedisServer {
    pub fn start() -> RedisServer {
        RedisServer::with(&[])
    }

    /// Starts a server with more arguments.
    pub fn with(arguments: &[&str]) -> RedisServer {
        RedisServer::at("127.0.0.1", arguments)
    }

    /// Starts a server at another address of loopback.
    ///
    /// The port is free when it is looked up, and may be gone when the server wants it: then the server ends, and
    /// another port is tried.
    pub fn at(address: &str, arguments: &[&str]) -> RedisServer {
        RedisServer::anywhere(address, false, arguments)
    }

    /// Starts a server that speaks TLS only.
    pub fn with_tls(arguments: &[&str]) -> RedisServer {
        RedisServer::anywhere("127.0.0.1", true, arguments)
    }

    fn anywhere(address: &str, tls: bool, arguments: &[&str]) -> RedisServer {
        let place = || Place { address: address.to_owned(), port: free_port(address), tls };
        (0..10).find_map(|_| RedisServer::try_start(place(), arguments)).expect("one of ten ports stays free")
    }

    /// Starts a server at this address and port. None when the port is in use.
    pub fn try_start(place: Place, arguments: &[&str]) -> Option<RedisServer> {
        let scratch = Scratch::new();
        let (plain, tls) = if place.tls { (0, place.port) } else { (place.port, 0) };
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &plain.to_string(), "--bind", &place.address, "--protected-mode", "no"])
            .args(["--save", "", "--appendonly", "no", "--enable-debug-command", "yes"])
            .arg("--unixsocket")
            .arg(scratch.path("redis.sock"))
            .arg("--dir")
            .arg(scratch.path(""))
            .arg("--logfile")
            .arg(scratch.path("log"))
            .args(arguments);
        // A server without TLS compiled in does not know the flag.
        if place.tls {
            command.args(["--tls-port", &tls.to_string()]);
        }
        let password = arguments.iter().position(|argument| *argument == "--requirepass");
        let password = password.map(|at| arguments[at + 1].to_owned());
        let (daemon, link) = launch(&mut command, &scratch, password.as_deref())?;
        let Place { address, port, .. } = place;
        let server = RedisServer { daemon, address, port, link: Mutex::new(link), command, password, scratch };
        server.ask(&["CONFIG", "RESETSTAT"]);
        Some(server)
    }

    /// Ends the server as a crash does.
    pub fn kill(&mut self) {
        self.daemon.kill();
    }

    /// Starts the server again, where it was and as it was started. What it held is gone.
    pub fn start_again(&mut self) {
        self.kill();
        let (daemon, link) =
            launch(&mut self.command, &self.scratch, self.password.as_deref()).expect("the port is still free");
        self.daemon = daemon;
        self.link = Mutex::new(link);
    }

    /// `-p PORT`, with `-h ADDRESS` where it is not the usual one, and `line` behind it.
    pub fn arguments(&self, line: &str) -> Vec<String> {
        let mut arguments = vec!["-p".to_owned(), self.port.to_string()];
        if self.address != "127.0.0.1" {
            arguments.extend(["-h".to_owned(), self.address.clone()]);
        }
        arguments.extend(line.split_whitespace().map(str::to_owned));
        arguments
    }

    /// `ADDRESS:PORT`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.address, self.port)
    }

    pub fn socket(&self) -> String {
        self.scratch.path("redis.sock").to_str().expect("our paths are text").to_owned()
    }

    /// A file in the directory of the server.
    pub fn file(&self, name: &str) -> std::path::PathBuf {
        self.scratch.path(name)
    }

    /// The reply to one command. Asked again when the connection is gone: sentinels and nodes of a cluster close the
    /// connections of all clients when a server changes its role.
    #[track_caller]
    pub fn ask(&self, arguments: &[&str]) -> Value {
        let mut link = self.link.lock().unwrap();
        let reply = link.ask(arguments).or_else(|_| {
            *link = connect(&self.scratch, self.password.as_deref())?;
            link.ask(arguments)
        });
        drop(link);
        reply.unwrap_or_else(|error| panic!("{} {arguments:?}: {error}", self.name()))
    }

    /// Gives one command, which must succeed.
    #[track_caller]
    pub fn tell(&self, arguments: &[&str]) {
        let reply = self.ask(arguments);
        assert!(reply.is_ok(), "{} {arguments:?}: {reply:?}", self.name());
    }

    /// Forgets all keys and all counts.
    pub fn reset(&self) {
        self.ask(&["FLUSHALL"]);
        self.ask(&["CONFIG", "RESETSTAT"]);
    }

    /// How often each command was called since the last reset, by name, housekeeping left out.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.all_calls().into_iter().filter(|(name, _)| !HOUSEKEEPING.contains(&name.as_str())).collect()
    }

    /// How often each command was called since the last reset, by name.
    pub fn all_calls(&self) -> BTreeMap<String, u64> {
        let text = self.ask(&["INFO", "commandstats"]).text();
        let each = text.lines().filter_map(|line| line.strip_prefix("cmdstat_")?.split_once(":calls="));
        each.map(|(name, rest)| (name.to_owned(), rest.split(',').next().unwrap().parse().unwrap())).collect()
    }

    /// How often one command was called since the last reset.
    pub fn calls_of(&self, name: &str) -> u64 {
        self.all_calls().get(name).copied().unwrap_or_default()
    }

    /// What INFO says of `name`.
    pub fn info(&self, name: &str) -> Option<String> {
        let text = self.ask(&["INFO", "everything"]).text();
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(|value| value.trim().to_owned())
    }

    /// A number from INFO.
    pub fn fact(&self, name: &str) -> u64 {
        self.info(name).unwrap_or_else(|| panic!("INFO has no {name}")).parse().unwrap()
    }

    pub fn run_id(&self) -> String {
        self.info("run_id").expect("every server has one")
    }

    /// The lines of CLIENT LIST that have all of `words` in them.
    pub fn clients(&self, words: &[&str]) -> Vec<String> {
        let list = self.ask(&["CLIENT", "LIST"]).text();
        let of_words = |line: &&str| words.iter().all(|word| line.contains(word));
        list.lines().filter(of_words).map(str::to_owned).collect()
    }

    pub fn keys(&self) -> BTreeSet<String> {
        self.ask(&["KEYS", "*"]).array().into_iter().map(|key| key.text()).collect()
    }

    /// Sends a signal to the server.
    pub fn signal(&self, signal: Signal) {
        self.daemon.signal(signal);
    }
}

/// Connects through the socket in `scratch`.
fn connect(scratch: &Scratch, password: Option<&str>) -> io::Result<Link> {
    let mut link = Link::unix(&scratch.path("redis.sock"))?;
    if let Some(password) = password {
        link.ask(&["AUTH", password])?;
    }
    Ok(link)
}

/// Runs `command` and connects to the server that it makes. None when its port is in use.
fn launch(command: &mut Command, scratch: &Scratch, password: Option<&str>) -> Option<(Daemon, Link)> {
    let mut daemon = Daemon::start(command);
    let mut link = None;
    wait_until("redis-server answers, or ends", || {
        link = connect(scratch, password).ok();
        link.is_some() || !daemon.is_running()
    });
    if link.is_none() {
        let log = fs::read_to_string(scratch.path("log")).unwrap_or_default();
        assert!(log.contains("in use"), "{command:?} ended: {log}");
    }
    Some((daemon, link?))
}

/// The calls that a test expects: `calls("set 7 get 7")`.
pub fn calls(line: &str) -> BTreeMap<String, u64> {
    let words = super::words(line);
    words.chunks(2).map(|pair| (pair[0].to_owned(), pair[1].parse().unwrap())).collect()
}
