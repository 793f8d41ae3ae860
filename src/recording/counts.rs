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
    /// With service times as exact as the reports of redis-benchmark need them.
    pub fn fine() -> Counts {
        Counts { service: Latencies::fine(), ..Counts::default() }
    }

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
            if let Some(more) = more.as_ref().filter(|more| more.count() > 0) {
                sum.get_or_insert_default().add(more);
            }
        }
    }

    /// Forgets all counts, and keeps the memory of those histograms that are written to all the time.
    pub fn clear(&mut self) {
        let Counts { mut service, mut response, mut slip, mut commands, .. } = std::mem::take(self);
        service.clear();
        response.iter_mut().chain(&mut slip).for_each(Latencies::clear);
        commands.iter_mut().for_each(CommandCounts::clear);
        *self = Counts { service, response, slip, commands, ..Counts::default() };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::ErrorKind;

    /// Counts in which a request took `long`.
    fn counts(long: Nanos) -> Counts {
        let mut counts =
            Counts { due: 1, sent: 1, completed: 1, bytes_sent: 9, loop_lag_max: long, ..Counts::default() };
        counts.service.record(long, 1);
        counts.connect.record(long, 1);
        counts.response.get_or_insert_default().record(long, 1);
        counts.slip.get_or_insert_default().record(long, 1);
        counts.handshake.get_or_insert_default().record(long, 1);
        counts.of_commands(2)[1].complete(1, long, Some(long));
        counts.errors.count_many(ErrorKind::Dns, 1);
        counts.reads.hits = 1;
        counts
    }

    #[test]
    fn what_is_cleared_counts_as_if_it_were_new_and_has_its_room() {
        let mut used = counts(Nanos::from_secs(1));
        let room = used.service.room();
        used.clear();
        assert!(used.is_empty() && used.service.room() == room && room > Latencies::default().room());
        let mut sum = Counts::default();
        sum.add(&used);
        assert!(sum.response.is_none() && sum.handshake.is_none() && sum.errors.is_empty() && sum.reads.total() == 0);
        // What comes afterwards is all that there is.
        used.add(&counts(Nanos(500)));
        let response = used.commands[1].response.as_ref();
        for latencies in [Some(&used.service), used.slip.as_ref(), used.response.as_ref(), response] {
            let told = latencies.map(|it| (it.count(), it.min(), it.max()));
            assert_eq!(told, Some((1, Some(Nanos(500)), Some(Nanos(500)))));
        }
        assert_eq!((used.due, used.bytes_sent, used.loop_lag_max), (1, 9, Nanos(500)));
    }
}
