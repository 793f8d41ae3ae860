//! Whether a server has come to rest after much was written: what it still has to save, or to hand on, would be measured
//! as if it were load.

use super::control::Control;
use super::guard::info::Info;
use super::{Directory, Node, reply};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often a server is asked.
const LOOK: Duration = Duration::from_millis(100);

/// How far a replica may lag behind: a few commands of the machinery are always on their way.
const LAG_BYTES_MAX: u64 = 4096;

/// Waits until nothing of what was written to `node` is still being saved or handed on to replicas: until `limit`, with
/// `patience` for each connection.
///
/// # Errors
/// What the server is still busy with, or why it cannot be asked.
pub async fn settle(
    directory: &Directory,
    node: &Node,
    patience: Duration,
    limit: Duration,
) -> Result<Duration, String> {
    let began = Instant::now();
    loop {
        let mut control = Control::enter(&directory.access, node, patience).await.map_err(|error| error.to_string())?;
        let mut questions = redis::pipe();
        questions.cmd("INFO").arg("persistence").cmd("INFO").arg("replication");
        let replies = control.ask(&mut questions).await.map_err(|error| error.to_string())?;
        // A server that does not tell is taken to be at rest.
        let text: String = replies.iter().filter_map(reply::text).collect::<Vec<_>>().join("\n");
        match busy_with(&text) {
            None => return Ok(began.elapsed()),
            Some(busy) if began.elapsed() > limit => return Err(format!("{busy} after {} s", limit.as_secs())),
            Some(_) => sleep(LOOK).await,
        }
    }
}

/// What a server is still busy with, by what it says of itself.
fn busy_with(text: &str) -> Option<String> {
    let info = Info::parse(text);
    for (field, what) in [
        ("rdb_bgsave_in_progress", "a snapshot is still being written"),
        ("aof_rewrite_in_progress", "the append-only file is still being rewritten"),
        ("loading", "the server is still loading"),
    ] {
        if info.is_set(field) {
            return Some(what.to_owned());
        }
    }
    let written = info.number("master_repl_offset")?;
    let lags = |index: u64| {
        let replica = info.text(&format!("slave{index}"))?;
        let field = |name| replica.split(',').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
        let has = field("offset")?.parse().ok()?;
        (field("state") == Some("online") && written.saturating_sub(has) > LAG_BYTES_MAX)
            .then(|| format!("a replica is still {} bytes behind", written - has))
    };
    (0..info.number("connected_slaves").unwrap_or(0)).find_map(lags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_busy_as_long_as_it_saves_or_hands_on() {
        let replica = |offset| {
            format!(
                "role:master\r\nconnected_slaves:1\r\nmaster_repl_offset:10000\r\n\
                 slave0:ip=127.0.0.1,port=7002,state=online,offset={offset},lag=0\r\n"
            )
        };
        for (text, expected) in [
            (String::new(), None),
            ("loading:0\r\nrdb_bgsave_in_progress:0\r\n".to_owned(), None),
            ("rdb_bgsave_in_progress:1\r\n".to_owned(), Some("a snapshot is still being written")),
            ("aof_rewrite_in_progress:1\r\n".to_owned(), Some("the append-only file is still being rewritten")),
            (replica(9000), None),
            (replica(5000), Some("a replica is still 5000 bytes behind")),
        ] {
            assert_eq!(busy_with(&text).as_deref(), expected, "{text}");
        }
    }
}
