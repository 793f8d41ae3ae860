//! From flags to whoever looks at servers and proxies beside the load.

use super::error::Error;
use super::flags::PlanFlags;
use super::server::server;
use super::session::Session;
use crate::observe::{Observers, StatsAddress, Subject};
use crate::target::resolve::look_for;
use crate::target::{Directory, PathKind, Server, Target};
use std::sync::Arc;
use std::time::Duration;

/// How long it may take to find a server that is only observed.
const PATIENCE: Duration = Duration::from_secs(1);

/// Who is to be observed.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// The load itself alone.
    Ourselves,
    /// The servers that are measured, those `beside` them, and proxies.
    Everybody { beside: Vec<Server>, proxies: Vec<StatsAddress> },
}

impl Wanted {
    /// What the flags of a run against `measured` ask for.
    ///
    /// # Errors
    /// [`Error`] when an address is none.
    pub fn of(flags: &PlanFlags, measured: &Server) -> Result<Wanted, Error> {
        if flags.observe.no_observe {
            return Ok(Wanted::Ourselves);
        }
        let beside = |address: &String| {
            let mut way = flags.server.beside(address).map_err(|error| Error::usage(format!("--observe: {error}")))?;
            // Nobody is asked twice.
            if std::mem::take(&mut way.askpass) {
                way.password = measured.credentials.as_ref().map(|it| it.password.expose().to_owned());
            }
            server(&way, &flags.connections)
        };
        Ok(Wanted::Everybody {
            beside: flags.observe.observe.iter().map(beside).collect::<Result<_, _>>()?,
            proxies: flags.server.haproxy_stats.clone(),
        })
    }

    /// The same without proxies, for whoever looks at them otherwise.
    pub fn servers_alone(self) -> Wanted {
        match self {
            Wanted::Everybody { beside, .. } => Wanted::Everybody { beside, proxies: Vec::new() },
            Wanted::Ourselves => Wanted::Ourselves,
        }
    }

    /// Servers that are not measured.
    pub fn beside(&self) -> &[Server] {
        match self {
            Wanted::Ourselves => &[],
            Wanted::Everybody { beside, .. } => beside,
        }
    }

    /// Whoever observes a load on the servers of `directory`, which are among `targets`.
    ///
    /// # Errors
    /// [`Error`] when the search for the others is interrupted. One that is not found is noted.
    pub fn observers(
        &self,
        session: &Session,
        directory: &Arc<Directory>,
        targets: &[Target],
    ) -> Result<Observers, Error> {
        // Of ourselves there is always something to say.
        let Wanted::Everybody { beside, proxies } = self else { return Ok(Observers::default()) };
        let (mut subjects, mut notes) = (Vec::new(), Vec::new());
        // In front: of two ways to one server the direct one counts.
        for server in beside {
            let name = server.address.to_string();
            match session.wait_for(look_for(server, PATIENCE))? {
                Ok(directory) => {
                    let directory = Arc::new(directory);
                    subjects.push(Subject { name, directory, place: 0, is_behind_proxy: false });
                }
                Err(error) => notes.push(format!("--observe {name}: {error}")),
            }
        }
        for (place, node) in directory.roster().nodes.iter().enumerate() {
            let kind = targets.iter().find(|target| target.name == node.name).map(|target| target.path.kind);
            let is_behind_proxy = matches!(kind, None | Some(PathKind::Proxy | PathKind::Unknown));
            let (name, directory) = (node.name.clone(), Arc::clone(directory));
            subjects.push(Subject { name, directory, place, is_behind_proxy });
        }
        Ok(Observers::new(subjects, proxies.clone(), notes))
    }
}
