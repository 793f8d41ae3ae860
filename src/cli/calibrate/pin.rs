//! A processor for the server, and the others for the load.
//!
//! Threads inherit where they may run from the thread that starts them: the server is started from the processor that it
//! is to have, and whoever starts load threads then goes to the others.

/// Calls `start`, and keeps what it starts apart from what this thread starts afterwards. Beside what it returned: which
/// processor it has to itself, and how many are left; None where there is one alone, or the system does not let us.
#[cfg(target_os = "linux")]
pub fn apart<T>(start: impl FnOnce() -> T) -> (T, Option<(usize, usize)>) {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let Ok(all) = sched_getaffinity(None) else { return (start(), None) };
    let Some(last) = (0..CpuSet::MAX_CPU).rev().find(|cpu| all.is_set(*cpu)).filter(|_| all.count() > 1) else {
        return (start(), None);
    };
    let (mut of_server, mut of_load) = (CpuSet::new(), all);
    of_server.set(last);
    of_load.unset(last);
    if sched_setaffinity(None, &of_server).is_err() {
        return (start(), None);
    }
    let started = start();
    let is_apart = sched_setaffinity(None, &of_load).is_ok();
    (started, is_apart.then_some((last, of_load.count() as usize)))
}

#[cfg(not(target_os = "linux"))]
pub fn apart<T>(start: impl FnOnce() -> T) -> (T, Option<(usize, usize)>) {
    (start(), None)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use rustix::thread::sched_getaffinity;

    /// In a thread of its own: where it may run afterwards is no matter of other tests.
    #[test]
    fn what_is_started_has_a_processor_to_itself() {
        std::thread::spawn(|| {
            let all = sched_getaffinity(None).unwrap().count();
            let (inside, apart) = apart(|| std::thread::spawn(|| sched_getaffinity(None).unwrap()).join().unwrap());
            match apart {
                Some((server, load)) => {
                    assert!(inside.count() == 1 && inside.is_set(server));
                    let outside = sched_getaffinity(None).unwrap();
                    assert!(outside.count() as usize == load && !outside.is_set(server));
                }
                None => assert_eq!(all, 1),
            }
        })
        .join()
        .unwrap();
    }
}
