//! Real-time priority: a thread that has it runs before all that have none, on its core, whenever it is ready to.
//!
//! It is for load beside a server of our own of which it is known what it does: there, the time for which either waits for
//! a core is nobody's finding. On two cores that is a hundredth of the time, and p99.

use std::thread;

#[cfg(target_os = "linux")]
mod system {
    use rustix::system::uname;
    use thread_priority::{
        RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
        thread_native_id,
    };

    /// Whether the kernel leaves such threads their cores. Before this version it took them away for 50 ms of each second
    /// from whoever used more than the rest, whether anybody waited or not.
    pub fn is_left_alone() -> bool {
        uname().release().to_str().ok().and_then(version).is_some_and(|version| version >= (6, 12))
    }

    fn version(release: &str) -> Option<(u32, u32)> {
        let mut numbers = release.split(|letter: char| !letter.is_ascii_digit()).map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    }

    /// Of the lowest kind, and in turns with others of it.
    pub fn ask() -> bool {
        let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::RoundRobin);
        set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy).is_ok()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn releases_are_in_order() {
            assert_eq!(version("6.12.1-amd64"), Some((6, 12)));
            assert_eq!(version("5.4-rc1"), Some((5, 4)));
            assert!(version("10.0.0") > version("9.99.1"));
            assert_eq!((version("six"), version("")), (None, None));
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub fn is_left_alone() -> bool {
        false
    }

    pub fn ask() -> bool {
        false
    }
}

pub use system::is_left_alone;

/// Asks for it, for this thread and those that it starts. Whether it was granted.
pub(super) fn ask() -> bool {
    system::ask()
}

/// Whether it would be granted. This thread stays as it is.
pub fn is_granted() -> bool {
    on_another(ask)
}

/// Calls `start` where threads that it starts get the priority, if that is granted.
pub fn give<T: Send>(start: impl FnOnce() -> T + Send) -> T {
    on_another(|| {
        ask();
        start()
    })
}

fn on_another<T: Send>(act: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(act).join()).unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use thread_priority::{thread_native_id, thread_schedule_policy_param};

    fn policy() -> String {
        let (policy, _) = thread_schedule_policy_param(thread_native_id()).unwrap();
        format!("{policy:?}")
    }

    #[test]
    fn whoever_is_started_has_it_and_the_starter_has_not() {
        let before = policy();
        let started = give(|| thread::spawn(policy)).join().unwrap();
        assert_eq!(policy(), before);
        let expected = if is_granted() { "Realtime(RoundRobin)" } else { &before };
        assert_eq!(started, expected);
    }
}
