//! What the server knows besides its keys: the clients' sessions, and what was counted.

use super::behaviour::Behaviour;
use super::commands::{Names, REGISTRY};
use super::database::Database;
use super::reply::Protocol;
use crate::units::{Draws, Seed};
use std::net::SocketAddr;
use std::ops::Range;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

pub const DATABASES: usize = 16;

/// All that commands read and change.
pub struct State {
    databases: Vec<Database>,
    sessions: Vec<Option<Session>>,
    sessions_opened: u64,
    /// Keys whose change breaks a client's transaction.
    pub watches: Vec<Watch>,
    pub stats: Stats,
    pub names: Names,
    pub draws: Draws,
    pub address: SocketAddr,
    pub run_id: String,
    /// None for a server that serves as well as it can.
    pub behaviour: Option<Box<Behaviour>>,
    started: Instant,
    /// In microseconds since 1970, read once per round of the event loop.
    pub now_us: u64,
}

/// What the server counts, for INFO.
#[derive(Default)]
pub struct Stats {
    pub input_bytes: u64,
    pub output_bytes: u64,
    pub connections: u64,
    pub commands: Vec<CommandStats>,
}

#[derive(Debug, Clone, Copy, Default)]
pub struct CommandStats {
    pub calls: u64,
    /// Those refused before they ran.
    pub rejected: u64,
    /// Those that ran and answered with an error.
    pub failed: u64,
}

/// One client, without its socket.
pub struct Session {
    pub id: u64,
    pub peer: SocketAddr,
    pub name: String,
    pub database: usize,
    pub protocol: Protocol,
    pub transaction: Option<Box<Transaction>>,
    /// A watched key has changed.
    pub watch_broken: bool,
    /// The connection ends after this reply.
    pub closing: bool,
    pub opened_us: u64,
    /// When the last command arrived, and its place in the registry.
    pub active_us: u64,
    pub command: usize,
}

/// Requests between MULTI and EXEC.
#[derive(Default)]
pub struct Transaction {
    pub requests: Vec<Request>,
    /// A request was refused, and EXEC will be.
    pub refused: bool,
}

/// A request with bytes of its own.
pub struct Request {
    pub command: usize,
    pub bytes: Vec<u8>,
    pub ranges: Vec<Range<usize>>,
}

pub struct Watch {
    pub client: usize,
    pub database: usize,
    pub key: Vec<u8>,
}

impl State {
    pub fn new(address: SocketAddr) -> State {
        let now_us = clock_us();
        let mut draws = Seed(now_us ^ u64::from(std::process::id())).draws(u64::from(address.port()));
        let run_id = (0..5).map(|_| format!("{:08x}", draws.next_u64() as u32)).collect();
        State {
            databases: (0..DATABASES).map(|_| Database::default()).collect(),
            sessions: Vec::new(),
            sessions_opened: 0,
            watches: Vec::new(),
            stats: Stats { commands: vec![CommandStats::default(); REGISTRY.len()], ..Stats::default() },
            names: Names::default(),
            draws,
            address,
            run_id,
            behaviour: None,
            started: Instant::now(),
            now_us,
        }
    }

    pub fn read_clock(&mut self) {
        self.now_us = clock_us();
    }

    pub fn now_ms(&self) -> u64 {
        self.now_us / 1000
    }

    pub fn uptime_secs(&self) -> u64 {
        self.started.elapsed().as_secs()
    }

    pub fn open_session(&mut self, client: usize, peer: SocketAddr) {
        if self.sessions.len() <= client {
            self.sessions.resize_with(client + 1, || None);
        }
        self.stats.connections += 1;
        self.sessions_opened += 1;
        self.sessions[client] = Some(Session {
            id: self.sessions_opened,
            peer,
            name: String::new(),
            database: 0,
            protocol: Protocol::Resp2,
            transaction: None,
            watch_broken: false,
            closing: false,
            opened_us: self.now_us,
            active_us: self.now_us,
            command: 0,
        });
    }

    pub fn close_session(&mut self, client: usize) {
        self.unwatch(client);
        self.sessions[client] = None;
    }

    #[inline]
    pub fn session(&mut self, client: usize) -> &mut Session {
        self.sessions[client].as_mut().expect("a client has a session for as long as it is connected")
    }

    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.iter().flatten()
    }

    /// The database that `client` has selected.
    #[inline]
    pub fn database(&mut self, client: usize) -> &mut Database {
        let number = self.session(client).database;
        let now_ms = self.now_ms();
        let database = &mut self.databases[number];
        database.now_ms = now_ms;
        database
    }

    pub fn databases(&mut self) -> &mut [Database] {
        &mut self.databases
    }

    pub fn unwatch(&mut self, client: usize) {
        self.watches.retain(|watch| watch.client != client);
        self.session(client).watch_broken = false;
    }

    /// Breaks the transactions of those who watch a key for which `changed` holds.
    pub fn touch(&mut self, changed: impl Fn(&Watch) -> bool) {
        for watch in self.watches.iter().filter(|watch| changed(watch)) {
            if let Some(session) = &mut self.sessions[watch.client] {
                session.watch_broken = true;
            }
        }
    }
}

fn clock_us() -> u64 {
    // A clock before 1970 is as good as one that stands at 1970: nothing here reaches back that far.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
}
