//! The process of an HAProxy: what it tells of it, and what the kernel does.

use super::super::{kernel, schedstat};
use rustix::param::clock_ticks_per_second;
use std::path::Path;
use std::time::Duration;

/// What HAProxy tells of its process.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Process {
    pub version: Option<String>,
    pub threads: Option<u64>,
    pid: Option<u32>,
}

impl Process {
    /// From `show info`.
    pub fn of_socket(info: &str) -> Process {
        let field = |name: &str| {
            info.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                .map(|value| value.trim().to_owned())
        };
        let number = |name: &str| field(name)?.parse().ok();
        Process {
            version: field("Version"),
            threads: number("Nbthread"),
            pid: number("Pid").and_then(|pid| pid.try_into().ok()),
        }
    }

    /// From the page for people: `HAProxy version 2.6.12, released …`, `<b>pid = </b> 8 (process #1, nbproc = 1, nbthread = 4)`.
    pub fn of_page(page: String) -> Process {
        let behind = |mark: &str| {
            let value = page.split_once(mark)?.1.trim_start();
            Some(value[..value.find([',', ' ', ')', '<'])?].to_owned())
        };
        let number = |mark: &str| behind(mark)?.parse().ok();
        Process {
            version: behind("HAProxy version "),
            threads: number("nbthread = "),
            pid: number("pid = </b>").and_then(|pid| pid.try_into().ok()),
        }
    }

    /// Where it is on this machine: its processor time, and how long its threads could have run and others had the
    /// processor, added up.
    pub fn times(&self) -> (Option<Duration>, Option<Duration>) {
        let known = self.pid.and_then(|pid| Some((pid, cpu_of(pid)?)));
        let waited = known.and_then(|(pid, _)| waited_in(Path::new(&format!("/proc/{pid}/task"))));
        (known.map(|(_, cpu)| cpu), waited)
    }
}

/// The processor time of an HAProxy on this machine, from the kernel: fields 14 and 15 of its `stat`. Where HAProxy is
/// elsewhere, or has numbers of its own, somebody else has that number here.
fn cpu_of(pid: u32) -> Option<Duration> {
    ticks_of("haproxy", &kernel::text(format!("/proc/{pid}/stat"))?)
}

fn ticks_of(name: &str, stat: &str) -> Option<Duration> {
    // The name, in parentheses, may have anything in it.
    let (front, rest) = stat.rsplit_once(')')?;
    if front.split_once('(')?.1 != name {
        return None;
    }
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(Duration::from_secs_f64(ticks as f64 / clock_ticks_per_second() as f64))
}

/// Of all threads of the process whose directory this is. None when not one tells: a thread that ends meanwhile is let go.
fn waited_in(tasks: &Path) -> Option<Duration> {
    let threads = std::fs::read_dir(tasks).ok()?.filter_map(Result::ok);
    threads.filter_map(|thread| Some(schedstat::of(thread.path())?.waited)).reduce(|sum, more| sum + more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_is_told_on_the_socket_and_on_the_page() {
        let told = Process { version: Some("2.6.12-1".to_owned()), threads: Some(4), pid: Some(8) };
        assert_eq!(Process::of_socket("Name: HAProxy\nVersion: 2.6.12-1\nNbthread: 4\nPid: 8\n"), told);
        let page = "<h1><a>HAProxy version 2.6.12-1, released 2026/10/17</a></h1>\n\
                    <p><b>pid = </b> 8 (process #1, nbproc = 1, nbthread = 4)<br>";
        assert_eq!(Process::of_page(page.to_owned()), told);
        assert_eq!(Process::of_page("<h1>hidden</h1>".to_owned()), Process::default());
    }

    #[test]
    fn somebody_else_s_number_is_not_ours() {
        let stat = "8 (haproxy) S 1 8 8 0 -1 0 0 0 0 0 70 30 0 0 20 0 1 0 5\n";
        let whole = Duration::from_secs_f64(100.0 / clock_ticks_per_second() as f64);
        assert_eq!(ticks_of("haproxy", stat), Some(whole));
        assert_eq!(ticks_of("haproxy", &stat.replace("haproxy", "kworker/0:1")), None);
        assert_eq!(cpu_of(std::process::id()), None, "this is no HAProxy");
        let process = Process { pid: Some(std::process::id()), ..Process::default() };
        assert_eq!(process.times(), (None, None));
    }

    #[test]
    fn the_waits_of_all_threads_are_added_up() {
        let tasks = std::env::temp_dir().join(format!("rbench-tasks-{}", std::process::id()));
        for (thread, line) in [("8", "100 2000000 7"), ("9", "100 3000000 7"), ("10", "?")] {
            std::fs::create_dir_all(tasks.join(thread)).unwrap();
            std::fs::write(tasks.join(thread).join("schedstat"), line).unwrap();
        }
        let waited = waited_in(&tasks);
        std::fs::remove_dir_all(&tasks).unwrap();
        assert_eq!(waited, Some(Duration::from_millis(5)));
        assert_eq!(waited_in(&tasks), None);
        assert!(waited_in(Path::new("/proc/self/task")).is_some());
    }
}
