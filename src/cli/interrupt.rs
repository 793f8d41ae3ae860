//! Signals that ask us to stop: what was measured is printed before we do.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

/// Whether, and by which signal, we were asked to stop.
#[derive(Debug, Default)]
pub struct Interrupt {
    pub flag: AtomicBool,
    signal: AtomicU8,
    notify: Notify,
}

impl Interrupt {
    /// Listens for the signals of Ctrl-C, `kill`, and a closed terminal.
    ///
    /// # Errors
    /// When the system does not let us listen.
    pub fn watch(runtime: &Runtime) -> io::Result<Arc<Interrupt>> {
        let interrupt = Arc::new(Interrupt::default());
        let _inside = runtime.enter();
        for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
            let mut signals = signal(kind)?;
            let interrupt = Arc::clone(&interrupt);
            runtime.spawn(async move {
                while signals.recv().await.is_some() {
                    interrupt.signal.store(kind.as_raw_value() as u8, Ordering::Relaxed);
                    interrupt.flag.store(true, Ordering::Release);
                    interrupt.notify.notify_waiters();
                }
            });
        }
        Ok(interrupt)
    }

    pub fn is_set(&self) -> bool {
        self.flag.load(Ordering::Acquire)
    }

    /// The signal's number.
    pub fn signal(&self) -> u8 {
        self.signal.load(Ordering::Relaxed)
    }

    /// Waits until we are asked to stop, whether or not we have been before.
    pub async fn wait_for_another(&self) {
        self.notify.notified().await;
    }

    /// Waits until we are asked to stop.
    pub async fn wait(&self) {
        let notified = self.notify.notified();
        if !self.is_set() {
            notified.await;
        }
    }
}
