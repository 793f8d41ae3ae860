//! What every verb that measures needs: a runtime for what waits, and an ear for Ctrl-C.

use super::error::{Error, Exit};
use super::interrupt::Interrupt;
use crate::target::{Server, Target, resolve};
use crate::units::Nanos;
use std::sync::Arc;
use tokio::runtime::Runtime;

pub struct Session {
    /// There until the session ends.
    runtime: Option<Runtime>,
    pub interrupt: Arc<Interrupt>,
}

impl Session {
    pub fn start() -> Result<Session, Error> {
        let wrong = |error| Error::failed(format!("cannot start: {error}"));
        // One thread: it sleeps while load is made.
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(wrong)?;
        let interrupt = Interrupt::watch(&runtime).map_err(wrong)?;
        Ok(Session { runtime: Some(runtime), interrupt })
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("a session that has not ended has its runtime")
    }

    /// Finds the server, or is interrupted.
    pub fn resolve(&self, server: &Server, patience: Nanos) -> Result<Target, Error> {
        self.runtime().block_on(async {
            tokio::select! {
                target = resolve(server, patience.into()) => {
                    target.map_err(|error| Error::new(Exit::Unreachable, error))
                }
                () = self.interrupt.wait() => Err(self.interrupted("interrupted before the first request")),
            }
        })
    }

    /// Waits until we are asked to stop.
    pub fn wait_for_interrupt(&self) {
        self.runtime().block_on(self.interrupt.wait());
    }

    pub fn interrupted(&self, message: impl std::fmt::Display) -> Error {
        Error::new(Exit::Interrupted(self.interrupt.signal()), message)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // A look-up that hangs in the system's resolver must not keep us from ending.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
