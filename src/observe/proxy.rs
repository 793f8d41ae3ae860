//! A proxy in a sample.

use super::haproxy::{ProxyLook, StatsAddress};
use crate::recording::observed::ProxySample;
use crate::units::Rate;

impl ProxyLook {
    /// What happened since `before`, over all servers that had connections.
    pub fn sample(&self, before: &ProxyLook, address: &StatsAddress) -> ProxySample {
        let seen = self.since(before, address);
        let sum = |of: fn(&super::ProxyServerUse) -> u64| seen.servers.iter().map(of).sum::<u64>();
        let longest = |of: fn(&super::ProxyServerUse) -> Option<u64>| seen.servers.iter().filter_map(of).max();
        ProxySample {
            address: seen.address.clone(),
            busy: seen.busy,
            run_queue_wait: seen.run_queue_wait,
            sessions: sum(|server| server.sessions),
            queue: sum(|server| server.queue),
            rate: Rate::of(sum(|server| server.sessions_made), self.elapsed_since(before)),
            errors: sum(|server| server.connect_errors + server.response_errors),
            queue_time_ms: longest(|server| server.queue_time_ms),
            connect_time_ms: longest(|server| server.connect_time_ms),
            response_time_ms: longest(|server| server.response_time_ms),
        }
    }
}
