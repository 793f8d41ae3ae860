//! Keeping a directory up to date while a run goes on.

use super::cluster;
use super::directory::Directory;
use super::error::TargetError;
use super::resolve::find;
use super::sentinel;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Between two look-ups: as soon as is of use, and no storm on a name server or a sentinel.
const PAUSE: Duration = Duration::from_millis(100);

/// Looks again where the servers are whenever somebody asks, and when a sentinel tells of a new master. Each look-up
/// may take `patience`. Never ends; to be dropped with the run.
pub async fn follow(directory: Arc<Directory>, patience: Duration) {
    let news = async {
        match directory.access.server.sentinels() {
            Some(sentinels) => sentinel::listen(Arc::clone(&directory), sentinels.clone(), patience).await,
            None => pending().await,
        }
    };
    let looking = async {
        loop {
            directory.asked().await;
            look(&directory, patience).await;
            sleep(PAUSE).await;
        }
    };
    tokio::join!(news, looking);
}

async fn look(directory: &Directory, patience: Duration) {
    let deadline = Instant::now() + patience.min(cluster::REFRESH);
    match find(&directory.access, &directory.roster().nodes, deadline).await {
        Ok(roster) => directory.update(roster),
        Err(TargetError::Lookup { .. } | TargetError::LookupTimeout { .. }) => directory.count_failed_look_up(),
        // Whoever cannot connect says so for itself, and asks again.
        Err(_) => {}
    }
}
