//! Ways to servers that are measured beside each other: where each ends, and whether they may be compared.

use super::error::Error;
use super::observe::Wanted;
use super::prepare::{self, RequestFacts};
use super::run::{Dealt, start_embedded};
use super::session::Session;
use super::{prefill, say};
use crate::embedded::{self, Behaviours};
use crate::engine::Standing;
use crate::observe::Observers;
use crate::plan::Plan;
use crate::result::compare::Afterwards;
use crate::result::document::Filled;
use crate::target::guard::GuardReport;
use crate::target::{Directory, Resolved, Target, resolve};
use crate::units::Nanos;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Round trips of which the median is told.
const PINGS: usize = 21;

/// A way to a server, and what stands on it.
pub struct Way {
    pub plan: Plan,
    pub directory: Arc<Directory>,
    pub targets: Vec<Target>,
    pub requests: RequestFacts,
    /// Connections between turns.
    pub standing: Standing,
    pub round_trip: Option<Nanos>,
    pub dealt: Dealt,
    pub observers: Observers,
    resolved: Option<Resolved>,
    /// There as long as the way is.
    _server: Option<embedded::Server>,
}

impl Way {
    /// Starts the server at its end, if it has one of its own, and sees where it ends.
    pub fn open(
        session: &Session,
        mut plan: Plan,
        embedded: Option<Option<Behaviours>>,
        observe: &Wanted,
    ) -> Result<Way, Error> {
        let name = plan.path.clone();
        let server = embedded.map(|behaviours| start_embedded(&mut plan, behaviours)).transpose()?;
        let named = |error: Error| match &name {
            Some(name) => Error { message: error.message.map(|it| format!("--path {name}: {it}")), ..error },
            None => error,
        };
        let mut resolved = session.resolve(&plan.server, plan.connect_timeout).map_err(named)?;
        resolved.warnings.iter().for_each(say::warning);
        // Writes at a replica are refused also where nobody stands guard.
        let is_wanted = has_replica(&resolved.targets);
        let requests = prepare::ask_about_requests(session, &mut plan, &mut resolved, is_wanted)?;
        prepare::warn_of_left_out(&plan, &resolved);
        let mut round_trip = None;
        if let Some(control) = resolved.controls.iter_mut().flatten().next() {
            round_trip =
                session.wait_for(control.round_trip(PINGS, plan.connect_timeout.into()))?.ok().map(Nanos::from);
        }
        let directory = Arc::clone(&resolved.directory);
        session.follow(&directory, &plan);
        // What a server of our own does, we do.
        let observe = if server.is_some() { &Wanted::Ourselves } else { observe };
        let observers = observe.observers(session, &directory, &resolved.targets)?;
        Ok(Way {
            targets: resolved.targets.clone(),
            directory,
            plan,
            requests,
            standing: Standing::default(),
            round_trip,
            dealt: Dealt::new(),
            observers,
            resolved: Some(resolved),
            _server: server,
        })
    }

    pub fn name(&self) -> &str {
        self.plan.path.as_deref().unwrap_or_default()
    }

    /// What the load would do to whoever is at the end.
    fn guard(&mut self, session: &Session) -> Result<GuardReport, Error> {
        match self.resolved.take() {
            Some(mut resolved) => prepare::guard(session, &self.plan, &mut resolved, &self.requests),
            None => Ok(GuardReport::default()),
        }
    }

    /// Where it ends now that its turns are over. None where nobody had said before the first.
    ///
    /// # Errors
    /// [`Error`] when we are asked to stop once more.
    pub fn look_again(&self, session: &Session) -> Result<Option<Afterwards>, Error> {
        let before = self.servers();
        if before.is_empty() {
            return Ok(None);
        }
        let looked = resolve(&self.plan.server, self.plan.connect_timeout.into());
        let targets = match session.wait_for_another(looked, "interrupted; where the paths end now was not seen")? {
            Ok(resolved) => resolved.targets,
            Err(error) => return Ok(Some(Afterwards::Unknown(error.to_string()))),
        };
        let now = servers(&targets);
        // A name or a proxy that spreads connections over several servers does not show all of them at every look.
        let is_same = match before.len() {
            1 => now == before && roles(&targets) == roles(&self.targets),
            _ => !now.is_disjoint(&before),
        };
        Ok(Some(match (now.is_empty(), is_same) {
            (true, _) => Afterwards::Unknown("the server does not say who it is any more".to_owned()),
            (false, true) => Afterwards::Same,
            (false, false) => Afterwards::Moved { from: ends(&self.targets), to: ends(&targets) },
        }))
    }

    /// Who answers, on any of its connections.
    fn servers(&self) -> BTreeSet<&str> {
        servers(&self.targets)
    }

    fn has_replica(&self) -> bool {
        has_replica(&self.targets)
    }

    fn writes(&self) -> bool {
        let tests = 0..self.plan.all_tests().count();
        tests.flat_map(|index| self.requests.of_test(index)).any(|facts| facts.as_ref().is_ok_and(|it| it.writes))
    }
}

/// Who answers at `targets`, on any connection.
fn servers(targets: &[Target]) -> BTreeSet<&str> {
    let seen = targets.iter().flat_map(|target| &target.path.servers_seen);
    seen.chain(targets.iter().filter_map(|target| target.server.run_id.as_ref())).map(String::as_str).collect()
}

fn has_replica(targets: &[Target]) -> bool {
    targets.iter().any(|target| target.server.role.as_deref() == Some("slave"))
}

fn roles(targets: &[Target]) -> BTreeSet<&str> {
    targets.iter().filter_map(|target| target.server.role.as_deref()).collect()
}

/// Refuses to compare what differs in more than the way.
///
/// # Errors
/// [`Error`] that names both ends.
pub fn check(ways: &[Way], different_servers: bool) -> Result<(), Error> {
    if different_servers {
        return Ok(());
    }
    let told = "give --different-servers if that is what you want to compare";
    let first = &ways[0];
    for way in &ways[1..] {
        let (here, there) = (first.servers(), way.servers());
        if here.is_empty() || there.is_empty() {
            let silent = if here.is_empty() { first } else { way };
            return Err(Error::usage(format!(
                "nobody says which server the path '{}' ends at, so it may be another than that of the others; {told}",
                silent.name()
            )));
        }
        if here != there {
            return Err(Error::usage(format!(
                "the paths '{}' and '{}' end at different servers ({} and {}); {told}",
                first.name(),
                way.name(),
                ends(&first.targets),
                ends(&way.targets)
            )));
        }
    }
    match ways.iter().find(|way| way.has_replica() && way.writes()) {
        Some(way) => Err(Error::usage(format!(
            "the path '{}' ends at a replica, which takes no writes ({}); {told}",
            way.name(),
            ends(&way.targets)
        ))),
        None => Ok(()),
    }
}

/// Where a way ends, for people.
fn ends(targets: &[Target]) -> String {
    let end = |target: &Target| {
        let role = target.server.role.as_deref().unwrap_or("unknown role");
        let id = target.server.short_run_id().unwrap_or_else(|| "?".to_owned());
        let others = target.path.servers_seen.len().saturating_sub(1);
        let more = if others > 0 { format!(" and {others} more") } else { String::new() };
        let at = target.path.server.as_ref().filter(|_| target.path.may_fan_out());
        let at = at.map_or(String::new(), |address| format!(" at {address}"));
        format!("{} {role} {id}{at}{more}", target.endpoint)
    };
    targets.iter().map(end).collect::<Vec<_>>().join(", ")
}

/// Looks at each server before it is loaded, whichever way leads there.
///
/// # Errors
/// [`Error`] when the plan says that somebody who could be harmed is not to be.
pub fn guard(session: &Session, ways: &mut [Way]) -> Result<GuardReport, Error> {
    let mut whole = GuardReport { mode: ways[0].plan.guard, ..GuardReport::default() };
    let mut known = Known::default();
    for way in ways {
        if !known.meets(way) {
            whole.findings.extend(way.guard(session)?.findings);
        }
    }
    whole.findings.sort_by_key(|finding| Reverse(finding.level));
    Ok(whole)
}

/// Servers that something was done with.
#[derive(Default)]
struct Known(BTreeSet<String>);

impl Known {
    /// Whether all that a way leads to were met before; whoever does not say who it is was not.
    fn meets(&mut self, way: &Way) -> bool {
        let servers = way.servers();
        let is_known = !servers.is_empty() && servers.iter().all(|server| self.0.contains(*server));
        self.0.extend(servers.into_iter().map(str::to_owned));
        is_known
    }
}

/// Fills the keys that the tests read: once, or at each of different servers.
pub fn prefill(session: &Session, ways: &mut [Way], different_servers: bool) -> Result<Option<Filled>, Error> {
    let mut all: Option<Filled> = None;
    let mut known = Known::default();
    for way in ways {
        let Some(plan) = way.plan.prefill.clone() else { return Ok(None) };
        if (all.is_some() && !different_servers) || way.has_replica() || known.meets(way) {
            continue;
        }
        let directories = [Arc::clone(&way.directory)];
        let filled = prefill::fill(session, &way.plan, &plan, &directories, &way.targets, &mut way.dealt, &mut ())?;
        let sum = all.get_or_insert_default();
        sum.requests += filled.requests;
        sum.elapsed_ns = sum.elapsed_ns + filled.elapsed_ns;
        sum.settled_ns = sum.settled_ns + filled.settled_ns;
    }
    Ok(all)
}
