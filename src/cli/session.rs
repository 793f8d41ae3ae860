//! What every verb that measures needs: a runtime for what waits, and an ear for Ctrl-C.

use super::error::{Error, Exit};
use super::interrupt::Interrupt;
use super::server::is_each;
use crate::plan::{OnError, Plan};
use crate::target::{Directory, Resolved, Server, TargetError, follow, resolve};
use crate::units::Nanos;
use std::future::Future;
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

    /// Finds the servers, or is interrupted.
    pub fn resolve(&self, server: &Server, patience: Nanos) -> Result<Resolved, Error> {
        self.wait_for(resolve(server, patience.into()))?.map_err(|error| match error {
            TargetError::Certificates(_) => Error::usage(error),
            _ => Error::new(Exit::Unreachable, error),
        })
    }

    /// Keeps `directory` up to date until the session ends, where servers can move and anybody would go after them. One
    /// address of several that are measured side by side stays the one that it is: the name leads to all of them.
    pub fn follow(&self, directory: &Arc<Directory>, plan: &Plan) {
        let moves = plan.server.sentinels().is_some() || plan.server.cluster.is_some();
        if (moves || plan.on_error == OnError::Reconnect) && !is_each(&plan.server) {
            self.runtime().spawn(follow(Arc::clone(directory), plan.connect_timeout.into()));
        }
    }

    /// Waits for `what`, or is interrupted before the first request.
    pub fn wait_for<T>(&self, what: impl Future<Output = T>) -> Result<T, Error> {
        self.runtime().block_on(async {
            tokio::select! {
                done = what => Ok(done),
                () = self.interrupt.wait() => Err(self.interrupted("interrupted before the first request")),
            }
        })
    }

    /// Waits for `what`, which is done after a run also when that was interrupted: only who asks once more is heard.
    pub fn wait_for_another<T>(&self, what: impl Future<Output = T>) -> Result<T, Error> {
        self.runtime().block_on(async {
            tokio::select! {
                done = what => Ok(done),
                () = self.interrupt.wait_for_another() => {
                    Err(self.interrupted("interrupted while the keys were removed; some may be left"))
                }
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
