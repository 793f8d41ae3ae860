//! A private redis-server, and what it says of the load.

use super::{PATIENCE, Scratch, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

/// Commands of the tests themselves, and of the control connection.
const HOUSEKEEPING: [&str; 4] = ["info", "config|get", "config|resetstat", "flushall"];

/// A redis-server on a free port of loopback and on a socket in a directory of its own. Killed when dropped.
pub struct RedisServer {
    process: Child,
    pub port: u16,
    /// Through the socket in our own directory, where no other server can answer.
    link: Mutex<Link>,
    scratch: Scratch,
}

impl RedisServer {
    pub fn start() -> RedisServer {
        RedisServer::with(&[])
    }

    /// Starts a server with more arguments.
    ///
    /// The port is free when it is looked up, and may be gone when the server wants it: then the server ends, and
    /// another port is tried.
    pub fn with(arguments: &[&str]) -> RedisServer {
        (0..10).find_map(|_| RedisServer::try_start(arguments)).expect("one of ten ports stays free for a moment")
    }

    fn try_start(arguments: &[&str]) -> Option<RedisServer> {
        let scratch = Scratch::new();
        let socket = scratch.path("redis.sock");
        let log = scratch.path("log");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let mut process = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--enable-debug-command", "yes"])
            .arg("--unixsocket")
            .arg(&socket)
            .arg("--dir")
            .arg(scratch.path(""))
            .arg("--logfile")
            .arg(&log)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("these tests need redis-server 6 or later (scripts/test installs it): {error}")
            });
        let mut link = None;
        wait_until("redis-server answers, or ends", || {
            link = UnixStream::connect(&socket).ok().map(Link::new);
            link.is_some() || process.try_wait().expect("our child").is_some()
        });
        let Some(mut link) = link else {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            assert!(log.contains("in use"), "redis-server ended with {arguments:?}: {log}");
            return None;
        };
        if let Some(at) = arguments.iter().position(|argument| *argument == "--requirepass") {
            link.ask(&["AUTH", arguments[at + 1]]).expect("the server lets us in");
        }
        let server = RedisServer { process, port, link: Mutex::new(link), scratch };
        assert_eq!(server.ask(&["PING"]), Value::Text(b"PONG".into()));
        server.ask(&["CONFIG", "RESETSTAT"]);
        Some(server)
    }

    /// `-p PORT`, and `line` behind it.
    pub fn arguments(&self, line: &str) -> Vec<String> {
        let port = ["-p".to_owned(), self.port.to_string()];
        port.into_iter().chain(line.split_whitespace().map(str::to_owned)).collect()
    }

    pub fn socket(&self) -> String {
        self.scratch.path("redis.sock").to_str().expect("our paths are text").to_owned()
    }

    /// The reply to one command.
    pub fn ask(&self, arguments: &[&str]) -> Value {
        self.link.lock().unwrap().ask(arguments).unwrap_or_else(|error| panic!("{arguments:?}: {error}"))
    }

    /// Forgets all keys and all counts.
    pub fn reset(&self) {
        self.ask(&["FLUSHALL"]);
        self.ask(&["CONFIG", "RESETSTAT"]);
    }

    /// How often each command was called since the last reset, by name, housekeeping left out.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        let text = self.ask(&["INFO", "commandstats"]).text();
        let each = text.lines().filter_map(|line| line.strip_prefix("cmdstat_")?.split_once(":calls="));
        each.map(|(name, rest)| (name.to_owned(), rest.split(',').next().unwrap().parse().unwrap()))
            .filter(|(name, _)| !HOUSEKEEPING.contains(&name.as_str()))
            .collect()
    }

    /// How often one command was called since the last reset.
    pub fn calls_of(&self, name: &str) -> u64 {
        self.calls().get(name).copied().unwrap_or_default()
    }

    /// A number from INFO.
    pub fn fact(&self, name: &str) -> u64 {
        let text = self.ask(&["INFO", "everything"]).text();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        value.unwrap_or_else(|| panic!("INFO has no {name}")).trim().parse().unwrap()
    }

    pub fn keys(&self) -> BTreeSet<String> {
        self.ask(&["KEYS", "*"]).array().into_iter().map(|key| key.text()).collect()
    }

    /// Sends a signal to the server.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).expect("the server is there");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The calls that a test expects: `calls("set 7 get 7")`.
pub fn calls(line: &str) -> BTreeMap<String, u64> {
    let words = super::words(line);
    words.chunks(2).map(|pair| (pair[0].to_owned(), pair[1].parse().unwrap())).collect()
}

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(Vec<u8>),
    Error(String),
    Number(i64),
    Nil,
    Array(Vec<Value>),
}

impl Value {
    pub fn text(self) -> String {
        String::from_utf8(self.bytes()).expect("text")
    }

    pub fn bytes(self) -> Vec<u8> {
        match self {
            Value::Text(bytes) => bytes,
            other => panic!("expected text: {other:?}"),
        }
    }

    pub fn array(self) -> Vec<Value> {
        match self {
            Value::Array(values) => values,
            other => panic!("expected an array: {other:?}"),
        }
    }

    pub fn texts(self) -> Vec<String> {
        self.array().into_iter().map(Value::text).collect()
    }
}

/// A blocking connection, written without any code of the program under test.
struct Link(BufReader<UnixStream>);

impl Link {
    fn new(stream: UnixStream) -> Link {
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout above zero");
        Link(BufReader::new(stream))
    }

    fn ask(&mut self, arguments: &[&str]) -> io::Result<Value> {
        let mut request = format!("*{}\r\n", arguments.len());
        for argument in arguments {
            request += &format!("${}\r\n{argument}\r\n", argument.len());
        }
        self.0.get_mut().write_all(request.as_bytes())?;
        self.read()
    }

    fn read(&mut self) -> io::Result<Value> {
        let mut line = String::new();
        if self.0.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (kind, rest) = line.trim_end().split_at(1);
        let number = || rest.parse::<i64>().expect("a number");
        Ok(match kind {
            "+" => Value::Text(rest.into()),
            "-" => Value::Error(rest.into()),
            ":" => Value::Number(number()),
            "$" if number() < 0 => Value::Nil,
            "$" => {
                let mut bytes = vec![0; number() as usize + 2];
                self.0.read_exact(&mut bytes)?;
                bytes.truncate(bytes.len() - 2);
                Value::Text(bytes)
            }
            "*" => Value::Array((0..number()).map(|_| self.read()).collect::<io::Result<_>>()?),
            _ => panic!("not a reply: {line:?}"),
        })
    }
}
