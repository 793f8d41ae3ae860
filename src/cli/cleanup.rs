//! `--cleanup`: removes the keys that a run could have written, and no others.

use super::error::Error;
use super::prepare::RequestFacts;
use super::run::Dealt;
use super::session::Session;
use crate::plan::Plan;
use crate::target::cleanup::{unlink, unlink_matching};
use crate::target::control::Control;
use crate::target::{Directory, Node};
use crate::workload::written;
use std::sync::Arc;
use std::time::Duration;

/// Removes what the requests of `plan` that were `dealt` could have written, from every server that takes writes.
///
/// # Errors
/// [`Error`] when keys may be left.
pub fn clean_up(
    session: &Session,
    plan: &Plan,
    dealt: &Dealt,
    directories: &[Arc<Directory>],
    requests: &RequestFacts,
) -> Result<(), Error> {
    for directory in directories {
        for node in directory.roster().nodes.iter().filter(|node| !node.is_replica) {
            let cleaned = session.wait_for_another(clean(plan, dealt, directory, node, requests))?;
            cleaned.map_err(|reason| Error::failed(format!("--cleanup: {}: {reason}; keys may be left", node.name)))?;
        }
    }
    Ok(())
}

async fn clean(
    plan: &Plan,
    dealt: &Dealt,
    directory: &Directory,
    node: &Node,
    requests: &RequestFacts,
) -> Result<(), String> {
    let patience = Duration::from(plan.connect_timeout);
    let entered = Control::enter(&directory.access, node, patience).await;
    let mut control = entered.map_err(|error| error.to_string())?;
    let data = plan.data();
    for (index, test) in plan.tests.iter().enumerate() {
        let facts: Vec<_> = requests.of_test(index).iter().filter_map(|facts| facts.as_ref().ok()).collect();
        let places: Vec<Vec<usize>> =
            facts.iter().map(|facts| if facts.writes { facts.places.clone() } else { Vec::new() }).collect();
        if plan.server.cluster.is_some() {
            for key in written::key_templates(test, &places, &data) {
                let is_ours = |candidate: &[u8]| written::could_be(&key, plan.key_count, candidate);
                let pattern = written::glob(&key, plan.key_count);
                let done = unlink_matching(&mut control.connection, &pattern, is_ours, patience).await;
                done.map_err(|error| error.to_string())?;
            }
            continue;
        }
        for (&(round, _), &requests) in dealt.iter().filter(|((_, test), _)| *test == index) {
            let seed = plan.seed_of(round, index);
            let keys = written::keys(test, &places, &data, plan.key_count, requests, seed);
            unlink(&mut control.connection, keys, patience).await.map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}
