//! Reading what the rules judge.

use super::facts::{Facts, Installed};
use crate::observe::cgroup::Groups;
use crate::observe::{Machine, Processors};
use crate::target::limits;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

/// How long the machine is watched.
const WATCH: Duration = Duration::from_secs(1);

impl Facts {
    /// Looks around, and then at what happens in a second. `clients` is how many connections a run is to have, `programs`
    /// what became of looking for those of the lab.
    pub fn look(clients: u64, programs: Option<Installed>) -> Facts {
        let before = Processors::look();
        thread::sleep(WATCH);
        let second = before.zip(Processors::look()).and_then(|(before, after)| after.since(&before));
        let groups = Groups::of_self();
        Facts {
            clients,
            machine: Machine::observe(),
            open_files: limits::open_files(),
            open_files_max: number("/proc/sys/fs/nr_open"),
            somaxconn: number("/proc/sys/net/core/somaxconn"),
            syn_backlog: number("/proc/sys/net/ipv4/tcp_max_syn_backlog"),
            ports: numbers("/proc/sys/net/ipv4/ip_local_port_range").and_then(|it| Some((*it.first()?, *it.get(1)?))),
            tw_reuse: number("/proc/sys/net/ipv4/tcp_tw_reuse"),
            cores_online: read("/sys/devices/system/cpu/online").and_then(|text| in_list(text.trim())),
            governors: governors(),
            clocksources: words("/sys/devices/system/clocksource/clocksource0/available_clocksource"),
            quota: groups.quota(),
            throttled_periods: groups.throttled_periods(),
            second,
            hypervisor: hypervisor(),
            is_virtual: read("/proc/cpuinfo").and_then(|text| has_hypervisor(&text)),
            slow_start_after_idle: number("/proc/sys/net/ipv4/tcp_slow_start_after_idle"),
            buffers_max: largest("/proc/sys/net/ipv4/tcp_rmem").zip(largest("/proc/sys/net/ipv4/tcp_wmem")),
            congestion_control: read("/proc/sys/net/ipv4/tcp_congestion_control").map(|text| text.trim().to_owned()),
            huge_pages: read("/sys/kernel/mm/transparent_hugepage/enabled").and_then(|text| chosen(&text)),
            redis_runs: redis_runs(),
            swap_used_bytes: read("/proc/meminfo").and_then(|text| swap_used(&text)),
            io_uring_disabled: number("/proc/sys/kernel/io_uring_disabled"),
            is_filtered: read("/proc/self/status").and_then(|text| Some(field(&text, "Seccomp")? != "0")),
            programs,
        }
    }
}

fn read(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok()
}

fn numbers(path: &str) -> Option<Vec<u64>> {
    read(path)?.split_whitespace().map(|word| word.parse().ok()).collect()
}

fn number(path: &str) -> Option<u64> {
    numbers(path)?.first().copied()
}

/// The last of least, default and most.
fn largest(path: &str) -> Option<u64> {
    numbers(path)?.get(2).copied()
}

fn words(path: &str) -> Vec<String> {
    read(path).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

/// How many numbers a list such as `0-3,8` has in it.
fn in_list(text: &str) -> Option<usize> {
    let of_part = |part: &str| {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        Some((high.parse::<usize>().ok()? + 1).saturating_sub(low.parse().ok()?))
    };
    text.split(',').map(of_part).sum()
}

/// The word in brackets of those that there are: `always [madvise] never`.
fn chosen(text: &str) -> Option<String> {
    text.split_whitespace().find_map(|word| Some(word.strip_prefix('[')?.strip_suffix(']')?.to_owned()))
}

fn governors() -> Vec<String> {
    let Ok(entries) = fs::read_dir("/sys/devices/system/cpu") else { return Vec::new() };
    let of = |entry: fs::DirEntry| read(entry.path().join("cpufreq/scaling_governor"));
    let all: BTreeSet<String> = entries.flatten().filter_map(of).map(|text| text.trim().to_owned()).collect();
    all.into_iter().collect()
}

/// None where the processor has no flags, as those of other architectures than x86 have none.
fn has_hypervisor(cpuinfo: &str) -> Option<bool> {
    Some(field(cpuinfo, "flags")?.split(' ').any(|flag| flag == "hypervisor"))
}

fn hypervisor() -> Option<String> {
    let named = |file: &str| read(format!("/sys/class/dmi/id/{file}")).map(|text| text.trim().to_owned());
    let names: Vec<String> = ["sys_vendor", "product_name"].into_iter().filter_map(named).collect();
    Some(names.join(" ")).filter(|names| !names.trim().is_empty())
}

/// Bytes, from lines in kibibytes.
fn swap_used(meminfo: &str) -> Option<u64> {
    let bytes = |name| field(meminfo, name)?.strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|number| number << 10);
    Some(bytes("SwapTotal")?.saturating_sub(bytes("SwapFree")?))
}

fn redis_runs() -> Option<bool> {
    let mut processes = fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| read(entry.path().join("comm")));
    Some(processes.any(|name| ["redis-server", "valkey-server"].contains(&name.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_files_are_read() {
        assert_eq!((in_list("0-3,8"), in_list("0"), in_list("")), (Some(5), Some(1), None));
        assert_eq!(chosen("always [madvise] never\n").as_deref(), Some("madvise"));
        assert_eq!(swap_used("SwapTotal:  10 kB\nSwapFree:  4 kB\n"), Some(6 << 10));
        assert_eq!(has_hypervisor("flags\t\t: fpu hypervisor vme\n"), Some(true));
        assert_eq!((has_hypervisor("flags : fpu\n"), has_hypervisor("Features : fp\n")), (Some(false), None));
    }
}
