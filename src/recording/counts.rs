//! What a load thread counts.

use super::commands::{CommandCounts, Reads};
use super::errors::Errors;
use super::latencies::Latencies;
use crate::units::Nanos;

/// Counts over a stretch of time. Adding those of all threads and all stretches gives those of the run.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// Requests that fell due, sent or not. Of an open loop only.
    pub due: u64,
    pub sent: u64,
    /// Requests that got a reply which was not an error.
    pub completed: u64,
    /// Requests that were sent, and whose connection ended before the reply: nobody knows what became of them.
    pub unknown: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    pub errors: Errors,
    /// What reads found.
    pub reads: Reads,
    /// Of each command of a mix. Empty when there is but one command, or nothing to count.
    pub commands: Vec<CommandCounts>,
    /// Sent to reply received, per reply that was not an error.
    pub service: Latencies,
    /// Due to reply received. None in a closed loop, where nothing is due before it is sent.
    pub response: Option<Latencies>,
    /// Due to sent: how late the load itself was.
    pub slip: Option<Latencies>,
    /// Requests that were due and not sent by the end of the run.
    pub unsent: u64,
    /// The time it took to make each connection, greeting included.
    pub connect: Latencies,
    /// The part of it that TLS took. None when connections are plain.
    pub handshake: Option<Latencies>,
    /// The longest turn of a load thread's loop, from when it was told what is ready until all of that was served.
    pub loop_lag_max: Nanos,
}

impl Counts {
    pub fn add(&mut self, other: &Counts) {
        self.due += other.due;
        self.sent += other.sent;
        self.completed += other.completed;
        self.unknown += other.unknown;
        self.bytes_sent += other.bytes_sent;
        self.bytes_received += other.bytes_received;
        self.errors.add(&other.errors);
        self.reads.add(other.reads);
        if !other.commands.is_empty() {
            self.of_commands(other.commands.len());
        }
        for (sum, more) in self.commands.iter_mut().zip(&other.commands) {
            sum.add(more);
        }
        self.service.add(&other.service);
        self.connect.add(&other.connect);
        self.unsent += other.unsent;
        self.loop_lag_max = self.loop_lag_max.max(other.loop_lag_max);
        for (sum, more) in [
            (&mut self.handshake, &other.handshake),
            (&mut self.response, &other.response),
            (&mut self.slip, &other.slip),
        ] {
            if let Some(more) = more {
                sum.get_or_insert_default().add(more);
            }
        }
    }

    /// The counts of each of `commands` commands.
    #[inline]
    pub fn of_commands(&mut self, commands: usize) -> &mut [CommandCounts] {
        if self.commands.len() < commands {
            self.commands.resize_with(commands, CommandCounts::default);
        }
        &mut self.commands
    }

    /// Whether requests fell due, were sent, or were answered in any way.
    pub fn has_requests(&self) -> bool {
        self.due > 0 || self.sent > 0 || self.completed > 0 || self.unknown > 0 || !self.errors.is_empty()
    }

    pub fn is_empty(&self) -> bool {
        !self.has_requests() && self.connect.count() == 0
    }
}
