//! Facts about the machine that makes the load. Anything that cannot be learned is missing, never guessed.

use super::cgroup::Groups;
use crate::units::Nanos;
use serde::{Deserialize, Serialize};
use std::fs;
use std::time::Instant;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    pub cpu_model: Option<String>,
    /// Processors that this process may use.
    pub cores: usize,
    /// Processors that this process may use, by number, as the kernel writes it: `0-3,8`.
    pub affinity: Option<String>,
    pub os: String,
    pub architecture: String,
    pub kernel: String,
    /// What the monotonic clock is read from. Anything but `tsc` makes a reading a system call.
    pub clocksource: Option<String>,
    /// What one reading of the clock cost, the least of several rounds.
    pub clock_read_ns: Nanos,
    /// The tightest processor quota of the control groups that this process is in: microseconds in a period of
    /// microseconds. None without one.
    pub cgroup_cpu_max: Option<String>,
    pub container: bool,
    /// Load averages over 1, 5 and 15 minutes, before the run.
    pub loadavg: Option<[f64; 3]>,
    /// Who decides how fast the processor runs: anything but `performance` may change it in mid-run.
    #[serde(default)]
    pub governor: Option<String>,
}

impl Machine {
    /// Looks around, which takes well under a millisecond.
    pub fn observe() -> Machine {
        let uname = rustix::system::uname();
        Machine {
            cpu_model: field(&read("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            affinity: field(&read("/proc/self/status"), "Cpus_allowed_list"),
            os: std::env::consts::OS.to_owned(),
            architecture: std::env::consts::ARCH.to_owned(),
            kernel: uname.release().to_string_lossy().into_owned(),
            clocksource: line("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
            clock_read_ns: clock_read(),
            cgroup_cpu_max: Groups::of_self().quota().map(|quota| quota.text),
            container: fs::exists("/.dockerenv").unwrap_or(false)
                || std::env::var_os("KUBERNETES_SERVICE_HOST").is_some(),
            loadavg: loadavg(&read("/proc/loadavg")),
            governor: line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        }
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn line(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// The value of the first `name : value` line.
fn field(text: &str, name: &str) -> Option<String> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim().to_owned())
}

fn loadavg(text: &str) -> Option<[f64; 3]> {
    let mut numbers = text.split(' ').map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some([next()?, next()?, next()?])
}

fn clock_read() -> Nanos {
    const ROUNDS: u32 = 8;
    const READS: u32 = 256;
    let round = || {
        let start = Instant::now();
        for _ in 1..READS {
            std::hint::black_box(Instant::now());
        }
        start.elapsed() / READS
    };
    (0..ROUNDS).map(|_| round()).min().unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_files_are_read_by_name() {
        assert_eq!(field("processor\t: 0\nmodel name\t: AMD: EPYC\n", "model name").as_deref(), Some("AMD: EPYC"));
        assert_eq!(field("", "model name"), None);
        assert_eq!(loadavg("0.50 0.25 1.00 1/99 4242\n"), Some([0.5, 0.25, 1.0]));
        assert_eq!(loadavg(""), None);
    }

    #[test]
    fn the_machine_at_hand_has_a_processor_and_a_clock() {
        let machine = Machine::observe();
        assert!(machine.cores >= 1 && machine.clock_read_ns.0 > 0 && !machine.kernel.is_empty());
    }
}
