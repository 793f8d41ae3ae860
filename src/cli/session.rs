//! What every verb that measures needs: a runtime for what waits, and an ear for Ctrl-C.

use super::error::{Error, Exit};
use super::interrupt::Interrupt;
use super::say;
use super::server::is_each;
use crate::observe::{Observers, Observing, ProxyLook, ProxyUse, StatsAddress};
use crate::plan::{OnError, Plan};
use crate::recording::Observed;
use crate::target::{Directory, Resolved, Server, TargetError, follow, resolve};
use crate::units::Nanos;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

/// How long a proxy may take to say how it fares.
const STATS_PATIENCE: Duration = Duration::from_secs(2);

/// How long servers may take to say how they fared, and how long when somebody wants to go.
const LAST_LOOK: Duration = Duration::from_secs(1);
const PARTING: Duration = Duration::from_millis(200);

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

    /// What was observed of a run that is over, and the observers for the next. Whoever stopped it does not wait for it.
    pub fn observed(&self, observing: Observing) -> (Observers, Observed) {
        let patience = if self.interrupt.is_set() { PARTING } else { LAST_LOOK };
        self.runtime().block_on(observing.end(patience))
    }

    /// Looks at each proxy whose statistics are at one of `addresses`. One that does not answer is an error before the
    /// first load, where an address may be wrong, and later on None: nothing that was measured ends for it.
    pub fn look_at(&self, addresses: &[StatsAddress], is_first: bool) -> Result<Vec<Option<ProxyLook>>, Error> {
        let look = |address| match self.unless_interrupted(ProxyLook::at(address, STATS_PATIENCE)) {
            Some(Ok(look)) => Ok(Some(look)),
            Some(Err(reason)) if is_first => Err(Error::failed(reason)),
            Some(Err(reason)) => {
                say::warning(reason);
                Ok(None)
            }
            None => Err(self.interrupted("interrupted")),
        };
        addresses.iter().map(look).collect()
    }

    /// What the proxies did since they were looked at `before`, as far as they still say so.
    pub fn since(&self, before: &[Option<ProxyLook>], addresses: &[StatsAddress]) -> Vec<ProxyUse> {
        let mut uses = Vec::new();
        for (address, before) in addresses.iter().zip(before) {
            let Some(before) = before else { continue };
            match self.unless_interrupted(ProxyLook::at(address, STATS_PATIENCE)) {
                Some(Ok(now)) => uses.push(now.since(before, address)),
                Some(Err(reason)) => say::warning(reason),
                None => {}
            }
        }
        uses
    }

    /// Waits for `what`, or is interrupted before the first request.
    pub fn wait_for<T>(&self, what: impl Future<Output = T>) -> Result<T, Error> {
        self.unless_interrupted(what).ok_or_else(|| self.interrupted("interrupted before the first request"))
    }

    /// Waits for `what`. None when we are asked to stop before it is done.
    pub fn unless_interrupted<T>(&self, what: impl Future<Output = T>) -> Option<T> {
        self.runtime().block_on(async {
            tokio::select! {
                done = what => Some(done),
                () = self.interrupt.wait() => None,
            }
        })
    }

    /// Waits for `what`, which is done after a run also when that was interrupted: only who asks once more is heard, and
    /// told `otherwise`.
    pub fn wait_for_another<T>(&self, what: impl Future<Output = T>, otherwise: &str) -> Result<T, Error> {
        self.runtime().block_on(async {
            tokio::select! {
                done = what => Ok(done),
                () = self.interrupt.wait_for_another() => Err(self.interrupted(otherwise)),
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
