//! Who had the processors of this machine meanwhile: this process, others on it, and other guests of its hypervisor.

use super::kernel;
use rustix::time::{ClockId, clock_gettime};
use std::time::Instant;

/// A look at the kernel's counts.
#[derive(Debug, Clone, Copy)]
pub struct Processors {
    at: Instant,
    /// Processor time of this process, in seconds.
    own: f64,
    ticks: Ticks,
}

/// What became of the processors between two looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProcessorUse {
    /// Processors that this process kept busy.
    pub own: f64,
    /// The share of all processors' time that others on this machine had, 0 to 1.
    pub others: f64,
    /// The share that the hypervisor gave to other guests, 0 to 1.
    pub steal: f64,
}

/// Ticks of all processors since the machine began: all, idle, and given to others.
#[derive(Debug, Clone, Copy)]
struct Ticks {
    processors: usize,
    all: u64,
    idle: u64,
    steal: u64,
}

impl Processors {
    /// None where the kernel does not count.
    pub fn look() -> Option<Processors> {
        let ticks = ticks(&kernel::text("/proc/stat")?)?;
        let own = clock_gettime(ClockId::ProcessCPUTime);
        Some(Processors { at: Instant::now(), own: own.tv_sec as f64 + own.tv_nsec as f64 / 1e9, ticks })
    }

    /// What became of them since `before`. None when no tick has passed.
    pub fn since(&self, before: &Processors) -> Option<ProcessorUse> {
        let all = self.ticks.all.checked_sub(before.ticks.all).filter(|all| *all > 0)? as f64;
        let share = |now: u64, before: u64| now.saturating_sub(before) as f64 / all;
        let steal = share(self.ticks.steal, before.ticks.steal);
        let busy = 1.0 - share(self.ticks.idle, before.ticks.idle) - steal;
        let seconds = self.at.duration_since(before.at).as_secs_f64();
        let own = if seconds > 0.0 { (self.own - before.own) / seconds } else { 0.0 };
        let others = (busy - own / self.ticks.processors as f64).clamp(0.0, 1.0);
        Some(ProcessorUse { own, others, steal })
    }
}

/// The first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal, and two that are in user. Below
/// it, a line for each processor.
fn ticks(text: &str) -> Option<Ticks> {
    let line = text.lines().next()?.strip_prefix("cpu ")?;
    let numbers: Vec<u64> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    let processors = text.lines().skip(1).filter(|line| line.starts_with("cpu")).count();
    let all = numbers.get(..8)?.iter().sum();
    Some(Ticks { processors: processors.max(1), all, idle: numbers[3] + numbers[4], steal: numbers[7] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Of two processors 60 % are busy, half of that with this process, and a tenth is stolen.
    #[test]
    fn the_time_between_two_looks_is_shared_out() {
        let stat = |total: &str| ticks(&format!("{total}\ncpu0 1 2\ncpu1 1 2\nintr 5\n")).unwrap();
        let before = Processors { at: Instant::now(), own: 1.0, ticks: stat("cpu  100 0 50 800 10 0 0 40 7 0") };
        let at = before.at + Duration::from_secs(1);
        let after = Processors { at, own: 1.6, ticks: stat("cpu  150 0 60 820 20 0 0 50 9 0") };
        let ProcessorUse { own, others, steal } = after.since(&before).unwrap();
        for (found, expected) in [(own, 0.6), (others, 0.3), (steal, 0.1)] {
            assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
        }
        assert_eq!(before.since(&before), None);
        assert!(ticks("cpu  1 2 3\n").is_none());
    }

    #[test]
    fn this_machine_tells() {
        assert!(Processors::look().is_some());
    }
}
