//! `--cleanup`: removes the keys that a run could have written, and no others.

use super::error::Error;
use super::prepare::RequestFacts;
use super::run::Dealt;
use super::session::Session;
use crate::plan::Plan;
use crate::target::cleanup::{CleanupError, unlink, unlink_matching};
use crate::target::control::Control;
use crate::target::{Directory, Node, Target};
use crate::workload::written;
use std::sync::Arc;
use std::time::Duration;

/// Removes what the requests of `plan` that were `dealt` out could have written, from every server that takes writes.
/// `targets` is what the servers said of themselves before the run.
///
/// # Errors
/// [`Error`] when keys may be left.
pub fn clean_up(
    session: &Session,
    plan: &Plan,
    dealt: &Dealt,
    directories: &[Arc<Directory>],
    targets: &[Target],
    requests: &RequestFacts,
) -> Result<(), Error> {
    for (index, directory) in directories.iter().enumerate() {
        let run = Run { plan, dealt, directory: index, requests };
        for node in directory.roster().nodes.iter().filter(|node| !node.is_replica) {
            let was_replica =
                targets.iter().any(|target| target.name == node.name && target.server.role.as_deref() == Some("slave"));
            let otherwise = "interrupted while the keys were removed; some may be left";
            match session.wait_for_another(run.clean(directory, node), otherwise)? {
                // What it has is its master's, and goes when the master's keys do.
                Err(reason) if was_replica && reason.contains("READONLY") => {}
                Err(reason) => {
                    let message = format!("--cleanup: {}: {reason}; keys may be left", node.name);
                    return Err(Error::failed(message));
                }
                Ok(()) => {}
            }
        }
    }
    Ok(())
}

/// A run that is over, as seen from one of its directories.
struct Run<'a> {
    plan: &'a Plan,
    dealt: &'a Dealt,
    directory: usize,
    requests: &'a RequestFacts,
}

impl Run<'_> {
    async fn clean(&self, directory: &Directory, node: &Node) -> Result<(), String> {
        let patience = Duration::from(self.plan.connect_timeout);
        let entered = Control::enter(&directory.access, node, patience).await;
        let mut control = entered.map_err(|error| error.to_string())?;
        for index in 0..self.plan.all_tests().count() {
            self.clean_test(index, &mut control, patience).await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// The rounds in which test number `index` sent anything here, and below which number its requests were.
    fn sent(&self, index: usize) -> impl Iterator<Item = (u64, u64)> {
        let here = move |(round, test, directory): &(u64, usize, usize)| {
            (*test == index && *directory == self.directory).then_some(*round)
        };
        self.dealt.iter().filter_map(move |(part, requests)| Some((here(part)?, *requests)))
    }

    async fn clean_test(&self, index: usize, control: &mut Control, patience: Duration) -> Result<(), CleanupError> {
        let plan = self.plan;
        let Some(test) = plan.all_tests().nth(index) else { return Ok(()) };
        // What was filled was filled in turn.
        let filled = plan.prefill.as_ref().filter(|_| index >= plan.tests.len());
        let fillings = filled.map_or_else(|| plan.fillings(), |prefill| plan.of_prefill(prefill, test).fillings());
        let facts = self.requests.of_test(index).iter().filter_map(|facts| facts.as_ref().ok());
        let places: Vec<Vec<usize>> = facts.map(|facts| facts.written.clone().unwrap_or_default()).collect();
        if plan.server.cluster.is_none() {
            for (round, requests) in self.sent(index) {
                let seed = plan.seed_of(round, index);
                let keys = written::keys(test, &places, &fillings, requests, seed);
                unlink(&mut control.connection, keys, patience).await?;
            }
        } else if self.sent(index).next().is_some() {
            // What is drawn depends on the slots that a node had at the time, which nobody knows any more.
            for key in written::key_templates(test, &places, &fillings) {
                let is_ours = |candidate: &[u8]| written::could_be(&key, plan.key_count, true, candidate);
                let pattern = written::glob(&key, plan.key_count, true);
                unlink_matching(&mut control.connection, &pattern, is_ours, patience).await?;
            }
        }
        Ok(())
    }
}
