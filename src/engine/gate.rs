//! Where load threads wait for each other before the first request.

use std::sync::{Condvar, Mutex, PoisonError};

/// Opens when all threads that are expected have come.
#[derive(Debug)]
pub struct Gate {
    missing: Mutex<usize>,
    opened: Condvar,
}

impl Gate {
    pub fn for_threads(threads: usize) -> Gate {
        Gate { missing: Mutex::new(threads), opened: Condvar::new() }
    }

    /// Comes to the gate and waits for the others.
    pub fn wait(&self) {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        *missing = missing.saturating_sub(1);
        self.opened.notify_all();
        while *missing > 0 {
            missing = self.opened.wait(missing).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits no longer for `threads` of them: they will never come.
    pub fn expect_fewer(&self, threads: usize) {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        *missing = missing.saturating_sub(threads);
        self.opened.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_for_a_thread_that_never_started() {
        let gate = Gate::for_threads(4);
        std::thread::scope(|scope| {
            scope.spawn(|| gate.wait());
            scope.spawn(|| gate.wait());
            gate.expect_fewer(2);
        });
    }
}
