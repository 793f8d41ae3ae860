//! The control groups that this process is in, of either version: how much of the processors they let it have.

use super::kernel;
use crate::units::Nanos;
use std::path::Path;

/// Directories, our own group first and then those that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// Of version 2.
    second: Vec<String>,
    /// Of version 1, for processor time.
    first: Vec<String>,
}

/// A limit to the processor time of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Quota {
    /// Processors.
    pub cores: f64,
    /// In the kernel's words: microseconds in a period of microseconds.
    pub text: String,
    /// Where it stands.
    pub file: String,
    /// What to write there for no quota at all.
    pub none: &'static str,
}

impl Groups {
    /// Those of this process.
    pub fn of_self() -> Groups {
        Groups::read(&kernel::text("/proc/self/cgroup").unwrap_or_default())
    }

    fn read(text: &str) -> Groups {
        let (mut second, mut first) = (Vec::new(), Vec::new());
        for line in text.lines() {
            let Some((controllers, path)) = line.split_once(':').and_then(|(_, rest)| rest.split_once(':')) else {
                continue;
            };
            let up = || Path::new(path).ancestors().map(|path| path.display().to_string());
            if controllers.is_empty() {
                second.extend(up().map(|path| format!("/sys/fs/cgroup{}", path.trim_end_matches('/'))));
            } else if controllers.split(',').any(|name| name == "cpu") {
                first.extend(up().map(|path| format!("/sys/fs/cgroup/{controllers}{}", path.trim_end_matches('/'))));
            }
        }
        Groups { second, first }
    }

    /// The tightest quota of all. None where there is none.
    pub fn quota(&self) -> Option<Quota> {
        let of_second = self.second.iter().filter_map(|group| {
            let file = format!("{group}/cpu.max");
            let text = kernel::text(&file)?.trim().to_owned();
            Some(Quota { cores: cores(&text)?, text, file, none: "max" })
        });
        let of_first = self.first.iter().filter_map(|group| {
            let file = format!("{group}/cpu.cfs_quota_us");
            let text = format!(
                "{} {}",
                kernel::text(&file)?.trim(),
                kernel::text(format!("{group}/cpu.cfs_period_us"))?.trim()
            );
            Some(Quota { cores: cores(&text)?, text, file, none: "-1" })
        });
        of_second.chain(of_first).min_by(|one, other| one.cores.total_cmp(&other.cores))
    }

    /// Periods in which a quota had the group stopped, since it began: of the one that was stopped most.
    pub fn throttled_periods(&self) -> Option<u64> {
        self.most(throttled_periods)
    }

    /// For how long it was stopped. A group of several processors counts each of them.
    pub fn throttled_time(&self) -> Option<Nanos> {
        self.most(throttled_time)
    }

    fn most<T: Ord>(&self, of: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.second.iter().chain(&self.first).filter_map(|group| of(&kernel::text(format!("{group}/cpu.stat"))?)).max()
    }
}

/// Processors, from microseconds in a period of microseconds. None for `max` and for -1.
fn cores(text: &str) -> Option<f64> {
    let (quota, period) = text.split_once(' ')?;
    let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
    (quota > 0.0 && period > 0.0).then(|| quota / period)
}

fn throttled_periods(text: &str) -> Option<u64> {
    field(text, "nr_throttled ")
}

/// Version 2 counts microseconds, version 1 nanoseconds.
fn throttled_time(text: &str) -> Option<Nanos> {
    let micros = field(text, "throttled_usec ").map(|micros| micros.saturating_mul(1000));
    micros.or_else(|| field(text, "throttled_time ")).map(Nanos)
}

fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_of_both_versions() {
        assert_eq!([cores("150000 100000"), cores("max 100000"), cores("-1 100000")], [Some(1.5), None, None]);
        let Groups { second, first } = Groups::read("2:cpu,cpuacct:/a/b\n1:memory:/m\n0::/pod\n");
        assert_eq!(second, ["/sys/fs/cgroup/pod", "/sys/fs/cgroup"]);
        assert_eq!(
            first,
            ["/sys/fs/cgroup/cpu,cpuacct/a/b", "/sys/fs/cgroup/cpu,cpuacct/a", "/sys/fs/cgroup/cpu,cpuacct"]
        );
    }

    #[test]
    fn so_is_what_they_took() {
        let second = "usage_usec 5\nnr_periods 9\nnr_throttled 2\nthrottled_usec 1234\n";
        assert_eq!((throttled_periods(second), throttled_time(second)), (Some(2), Some(Nanos(1_234_000))));
        let first = "nr_periods 9\nnr_throttled 3\nthrottled_time 77\n";
        assert_eq!((throttled_periods(first), throttled_time(first)), (Some(3), Some(Nanos(77))));
        assert_eq!((throttled_periods(""), throttled_time("")), (None, None));
    }
}
