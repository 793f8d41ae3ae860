//! What was seen at a server, before anybody has judged it.

use super::clients::{self, Client};
use super::info::Info;

/// What was seen. Where the server would not tell there is the reason, in its own words.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// `INFO` in its default sections.
    pub info: Result<Info, String>,
    /// The text of `CLIENT LIST`. None when nobody else was connected, so that nobody was asked for.
    pub clients: Option<Result<String, String>>,
    /// Our own connections by the id that the server gave them, and by their addresses as the server sees them.
    pub own_ids: Vec<u64>,
    pub own_addresses: Vec<String>,
    /// None when nobody seemed to be at work, so that nobody was watched.
    pub commands: Option<Result<Commands, String>>,
    /// How many keys the database holds.
    pub key_count: Result<u64, String>,
    pub keys: Result<KeySample, String>,
    /// `CONFIG GET maxclients`, for servers whose INFO does not say it.
    pub maxclients: Option<u64>,
}

/// `INFO commandstats` at two instants.
#[derive(Debug, Clone, PartialEq)]
pub struct Commands {
    pub before: String,
    pub after: String,
    /// Seconds between the two.
    pub seconds: f64,
}

/// Some keys of the database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeySample {
    pub keys: Vec<Vec<u8>>,
    /// Whether these are all keys that there are.
    pub whole: bool,
}

impl Evidence {
    /// The clients of others that are no part of the machinery around the server. None when it isn't known.
    pub fn foreign_clients(&self) -> Option<Vec<Client>> {
        match &self.clients {
            None => Some(Vec::new()),
            Some(Ok(list)) => Some(clients::foreign(list, &self.own_ids, &self.own_addresses)),
            Some(Err(_)) => None,
        }
    }
}
