//! A server's process on this machine: how long its main thread could have run and had no processor.

use super::schedstat::{self, Schedstat};
use crate::target::guard::info::Info;
use std::time::Duration;

/// How far the server's account of its processor time and the kernel's may be apart when both are of the same thread:
/// they are read one after the other.
const APART: Duration = Duration::from_millis(20);
const APART_SHARE: f64 = 0.05;

/// How long the main thread of process `pid` has waited for a processor, if that is the process that `info` is of. The same
/// number may be another process's where the server has numbers of its own, so its account of its processor time has to
/// agree with the kernel's.
pub fn waited(pid: u64, info: &Info) -> Option<Duration> {
    let seconds = |name: &str| info.text(name)?.parse::<f64>().ok();
    let told = seconds("used_cpu_sys_main_thread")? + seconds("used_cpu_user_main_thread")?;
    let Schedstat { ran, waited } = schedstat::of(format!("/proc/{pid}"))?;
    is_the_same(Duration::try_from_secs_f64(told).ok()?, ran).then_some(waited)
}

fn is_the_same(told: Duration, ran: Duration) -> bool {
    told.abs_diff(ran) <= APART + told.mul_f64(APART_SHARE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_the_time_that_it_used() {
        let info = |seconds: f64| {
            Info::parse(&format!("used_cpu_sys_main_thread:{seconds:.6}\r\nused_cpu_user_main_thread:0.0\r\n"))
        };
        let pid = u64::from(std::process::id());
        let ran = schedstat::of("/proc/self").expect("the kernel tells of ourselves").ran;
        assert!(waited(pid, &info(ran.as_secs_f64())).is_some());
        assert_eq!(waited(pid, &info(ran.as_secs_f64() + 1e6)), None, "another server of that number");
        assert_eq!(waited(pid, &Info::parse("")), None);
        assert_eq!(waited(u64::from(u32::MAX), &info(0.0)), None);
    }
}
