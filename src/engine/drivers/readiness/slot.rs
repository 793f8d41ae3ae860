//! A client with its connection, and how far that has come.

use crate::engine::client::Client;
use crate::engine::connection::Connection;
use crate::engine::drivers::stream::Stream;
use crate::target::Endpoint;
use crate::units::Nanos;
use std::ops::Range;

/// A client and its connection.
#[derive(Default)]
pub(super) struct Slot {
    pub stage: Stage,
    pub stream: Option<Stream>,
    pub connection: Connection,
    pub client: Client,
    /// The place in the roster that it connects to, and where that was when it did.
    pub place: usize,
    pub endpoint: Option<Endpoint>,
    /// The batch that a connection is being made for, when each has its own.
    pub next: Option<Range<u64>>,
    /// Requests that this connection has served.
    pub served: u64,
    /// Tries since a connection was last good for something.
    pub attempts: u32,
    /// Whether it has had its first connection, or failed to, and the start need not wait for it.
    pub is_ready: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// Not connected: waiting to be dialed, or for another try.
    #[default]
    Closed,
    Connecting {
        since: Nanos,
    },
    /// The TLS handshake.
    Securing {
        since: Nanos,
        connected: Nanos,
    },
    Greeting {
        since: Nanos,
        replies_left: u32,
    },
    Open,
    /// With nothing left to send. What becomes of the connection does not matter any more.
    Done,
}

impl Stage {
    /// When a connection that is on the way was begun.
    pub fn dialing_since(self) -> Option<Nanos> {
        match self {
            Stage::Connecting { since } | Stage::Securing { since, .. } | Stage::Greeting { since, .. } => Some(since),
            Stage::Closed | Stage::Open | Stage::Done => None,
        }
    }
}
