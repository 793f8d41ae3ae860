//! Time that others took from this machine: the hypervisor for its other guests, and the quota of the control group.

use super::cgroup::Groups;
use super::kernel;
use crate::units::Nanos;
use std::time::Instant;

/// A look at the kernel's counts.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    at: Instant,
    /// Ticks of all processors, and those of them that the hypervisor gave to others.
    ticks: Option<(u64, u64)>,
    /// For how long the control group was stopped.
    throttled: Option<Nanos>,
}

/// What was taken between two looks, as shares of the time. None of what the kernel does not tell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TakenShare {
    pub steal: Option<f64>,
    pub throttled: Option<f64>,
}

impl Taken {
    pub fn look() -> Taken {
        let ticks = kernel::text("/proc/stat").and_then(|text| ticks(&text));
        Taken { at: Instant::now(), ticks, throttled: Groups::of_self().throttled_time() }
    }

    /// What was taken since `before`.
    pub fn since(&self, before: &Taken) -> TakenShare {
        let elapsed = self.at.duration_since(before.at).as_secs_f64();
        let steal = self.ticks.zip(before.ticks).map(|((all, steal), (all_before, steal_before))| {
            (steal - steal_before.min(steal)) as f64 / (all - all_before.min(all)).max(1) as f64
        });
        let throttled = self
            .throttled
            .zip(before.throttled)
            .map(|(now, before)| if elapsed > 0.0 { now.since(before).as_secs() / elapsed } else { 0.0 })
            // Each processor of the group is counted for itself.
            .map(|share| share.min(1.0));
        TakenShare { steal, throttled }
    }
}

/// The first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal, and two that are in user.
fn ticks(text: &str) -> Option<(u64, u64)> {
    let line = text.lines().next()?.strip_prefix("cpu ")?;
    let numbers: Vec<u64> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    Some((numbers.get(..8)?.iter().sum(), numbers[7]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_kernels_counts_are_read() {
        let stat = "cpu  100 5 50 800 10 1 4 30 7 0\ncpu0 1 2 3\n";
        assert_eq!(ticks(stat), Some((1000, 30)));
        assert_eq!(ticks("cpu  1 2 3\n"), None);
    }

    #[test]
    fn shares_are_of_the_time_between() {
        let before = Taken { at: Instant::now(), ticks: Some((1000, 30)), throttled: Some(Nanos::ZERO) };
        let at = before.at + Duration::from_secs(1);
        let after = Taken { at, ticks: Some((1200, 40)), throttled: Some(Nanos::from_millis(250)) };
        assert_eq!(after.since(&before), TakenShare { steal: Some(0.05), throttled: Some(0.25) });
        let several = Taken { throttled: Some(Nanos::from_secs(12)), ..after };
        assert_eq!(several.since(&before).throttled, Some(1.0), "processors of a group add up");
        let unknown = Taken { ticks: None, throttled: None, ..after };
        assert_eq!(unknown.since(&before), TakenShare { steal: None, throttled: None });
    }

    #[test]
    fn this_machine_tells() {
        assert!(Taken::look().ticks.is_some());
    }
}
