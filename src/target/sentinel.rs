//! Servers that sentinels watch over: who is the master now, and who are its replicas.

use super::access::Access;
use super::control::{self, Control, ControlError};
use super::directory::{Directory, Node, Roster};
use super::error::TargetError;
use super::look_up::look_up;
use super::reply::{elements, refusal, text};
use super::server::{Role, Sentinels, host_port};
use futures_util::StreamExt;
use redis::Value;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

/// What one sentinel says.
#[derive(Debug)]
struct Answer {
    master: (String, u16),
    /// Grows with every failover: of two answers that differ, the one with the greater epoch is the newer.
    epoch: u64,
    replicas: Vec<(String, u16)>,
}

/// Why one sentinel did not help.
#[derive(Debug)]
enum NoAnswer {
    Unknown {
        known: String,
    },
    /// What is to be said when it is the only one, and of it as one of several.
    Error {
        whole: TargetError,
        cause: String,
    },
}

/// How long to wait for the other sentinels once one has answered: they may know better, or be dead.
const OTHERS: Duration = Duration::from_millis(300);

/// Each gives up at the deadline, and says why: a moment to hear it.
pub const GRACE: Duration = Duration::from_millis(100);

/// Asks all sentinels, and believes the one with the newest news.
///
/// # Errors
/// [`TargetError`] when none of them helps before `deadline`.
pub async fn find(access: &Access, sentinels: &Sentinels, deadline: Instant) -> Result<Roster, TargetError> {
    let mut asking = JoinSet::new();
    for (index, (host, port)) in sentinels.sentinels.clone().into_iter().enumerate() {
        let (access, sentinels) = (access.clone(), sentinels.clone());
        asking.spawn(async move { (index, ask(&access, &sentinels, &host, port, deadline).await) });
    }
    let (mut best, mut unknown, mut last) = (None::<Answer>, None, None);
    // Whoever is cut short, in a look-up that hangs, has not answered either.
    let mut causes = vec![ControlError::Mute.to_string(); sentinels.sentinels.len()];
    let mut until = deadline + GRACE;
    while let Ok(Some(asked)) = timeout_at(until, asking.join_next()).await {
        match asked.expect("asking does not panic") {
            (_, Ok(answer)) => {
                until = deadline.min(Instant::now() + OTHERS);
                if best.as_ref().is_none_or(|best| answer.epoch > best.epoch) {
                    best = Some(answer);
                }
            }
            (_, Err(NoAnswer::Unknown { known })) => unknown = Some(known),
            (index, Err(NoAnswer::Error { whole, cause })) => {
                causes[index] = cause;
                last = Some(whole);
            }
        }
    }
    let Some(answer) = best else {
        return Err(match (unknown, last) {
            (Some(known), _) => TargetError::UnknownMaster { name: sentinels.master_name.clone(), known },
            (None, Some(error)) if causes.len() == 1 => error,
            _ => {
                let names = sentinels.sentinels.iter().map(|(host, port)| host_port(host, *port));
                let tried: Vec<String> = names.zip(causes).map(|(name, cause)| format!("{name}: {cause}")).collect();
                TargetError::NoSentinel { tried: tried.join(", ") }
            }
        });
    };
    roster(access, sentinels, answer, deadline).await
}

async fn roster(
    access: &Access,
    sentinels: &Sentinels,
    answer: Answer,
    deadline: Instant,
) -> Result<Roster, TargetError> {
    let mut servers = Vec::new();
    if sentinels.role != Role::Replica {
        servers.push((format!("master '{}'", sentinels.master_name), answer.master, false));
    }
    if sentinels.role != Role::Master {
        servers.extend(answer.replicas.into_iter().map(|server| (host_port(&server.0, server.1), server, true)));
    }
    let mut nodes = Vec::new();
    for (name, (host, port), is_replica) in servers {
        let endpoints = look_up(&host, port, &access.server.look_up, deadline).await?;
        nodes.push(Node { name, host: Some(host), endpoints, slots: Vec::new(), is_replica });
    }
    match nodes.is_empty() {
        true => Err(TargetError::NoReplica { name: sentinels.master_name.clone() }),
        false => Ok(Roster { nodes, epoch: answer.epoch }),
    }
}

async fn ask(
    access: &Access,
    sentinels: &Sentinels,
    host: &str,
    port: u16,
    deadline: Instant,
) -> Result<Answer, NoAnswer> {
    let name = format!("sentinel {}", host_port(host, port));
    let patience = deadline.saturating_duration_since(Instant::now());
    let explain = |error: ControlError| explain(error, &name, patience);
    let mut control = connect(access, sentinels, host, port, deadline).await?;
    let mut questions = redis::pipe();
    let about = |what: &str| redis::cmd("SENTINEL").arg(what).arg(&sentinels.master_name).to_owned();
    // In the middle of a failover the sentinel that leads it already has the new epoch, and in its list the old address:
    // only when it is asked for the address does it say the new one.
    let address = about("GET-MASTER-ADDR-BY-NAME");
    questions.add_command(about("MASTER")).add_command(address).add_command(about("REPLICAS"));
    questions.cmd("SENTINEL").arg("MASTERS");
    let replies = control.ask(&mut questions).await.map_err(explain)?;
    let [master, address, replicas, masters] = replies.as_slice() else {
        return Err(explain(ControlError::NotRedis("replies are missing".to_owned())));
    };
    if let Some(reply) = refusal(master) {
        if reply.contains("No such master") {
            let names: Vec<String> = elements(masters)
                .unwrap_or_default()
                .iter()
                .filter_map(|master| fields(master).remove("name"))
                .collect();
            return Err(NoAnswer::Unknown { known: names.join(", ") });
        }
        return Err(explain(match reply.starts_with("NOAUTH") {
            true => ControlError::PasswordNeeded(reply),
            false => ControlError::NotRedis(format!("{reply} (is it a sentinel?)")),
        }));
    }
    let epoch = fields(master).get("config-epoch").and_then(|epoch| epoch.parse().ok()).unwrap_or(0);
    let is_up = |replica: &HashMap<String, String>| {
        let flags = replica.get("flags").map_or("", String::as_str);
        !flags.split(',').any(|flag| matches!(flag, "s_down" | "o_down" | "disconnected"))
    };
    Ok(Answer {
        master: place_of(address)
            .ok_or_else(|| explain(ControlError::NotRedis("a master without address".to_owned())))?,
        epoch,
        replicas: elements(replicas)
            .unwrap_or_default()
            .iter()
            .map(fields)
            .filter(is_up)
            .filter_map(|replica| place(&replica))
            .collect(),
    })
}

/// Connects to a sentinel and logs in.
async fn connect(
    access: &Access,
    sentinels: &Sentinels,
    host: &str,
    port: u16,
    deadline: Instant,
) -> Result<Control, NoAnswer> {
    let name = format!("sentinel {}", host_port(host, port));
    let patience = deadline.saturating_duration_since(Instant::now());
    let endpoints = look_up(host, port, &access.server.look_up, deadline).await;
    let endpoints = endpoints.map_err(|whole| NoAnswer::Error { cause: "its name is not found".to_owned(), whole })?;
    let explain = |error: ControlError| explain(error, &name, patience);
    let mut control = Control::open(access, Some(host), &endpoints[0], deadline).await.map_err(explain)?;
    control.log_in(sentinels.credentials.as_ref()).await.map_err(explain)?;
    Ok(control)
}

fn explain(error: ControlError, name: &str, patience: Duration) -> NoAnswer {
    let cause = error.to_string();
    let whole = match error {
        ControlError::PasswordNeeded(reply) => TargetError::SentinelPassword { name: name.to_owned(), reply },
        error => TargetError::of_control(error, name, patience),
    };
    NoAnswer::Error { whole, cause }
}

/// Fields and values of one server.
fn fields(reply: &Value) -> HashMap<String, String> {
    match reply {
        Value::Map(pairs) => pairs.iter().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect(),
        other => elements(other)
            .unwrap_or_default()
            .chunks_exact(2)
            .filter_map(|pair| Some((text(&pair[0])?, text(&pair[1])?)))
            .collect(),
    }
}

/// The address in a reply of host and port.
fn place_of(reply: &Value) -> Option<(String, u16)> {
    match elements(reply)? {
        [host, port] => Some((text(host)?, text(port)?.parse().ok()?)),
        _ => None,
    }
}

fn place(fields: &HashMap<String, String>) -> Option<(String, u16)> {
    Some((fields.get("ip")?.clone(), fields.get("port")?.parse().ok()?))
}

/// How long to leave a sentinel alone that hung up.
const PAUSE: Duration = Duration::from_secs(1);

/// Listens to every sentinel for `+switch-master`, and has `directory` brought up to date whenever one says it. Ends
/// when it is dropped.
pub async fn listen(directory: Arc<Directory>, sentinels: Sentinels, patience: Duration) {
    let mut listening = JoinSet::new();
    for (host, port) in sentinels.sentinels.clone() {
        let (directory, sentinels) = (Arc::clone(&directory), sentinels.clone());
        listening.spawn(async move {
            loop {
                // A sentinel that cannot be listened to is one of several, and is asked again all the same.
                let _ = listen_to(&directory, &sentinels, &host, port, Instant::now() + patience).await;
                sleep(PAUSE).await;
            }
        });
    }
    listening.join_all().await;
}

async fn listen_to(
    directory: &Directory,
    sentinels: &Sentinels,
    host: &str,
    port: u16,
    deadline: Instant,
) -> Option<()> {
    let access = &directory.access;
    let endpoints = look_up(host, port, &access.server.look_up, deadline).await.ok()?;
    let login = sentinels.credentials.as_ref();
    let mut channel = control::listen(access, Some(host), &endpoints[0], login, deadline).await.ok()?;
    timeout_at(deadline, channel.subscribe("+switch-master")).await.ok()?.ok()?;
    // A switch between the last look and this moment was told to nobody.
    directory.ask_again();
    let mut news = channel.into_on_message();
    while let Some(message) = news.next().await {
        let payload: String = message.get_payload().unwrap_or_default();
        if payload.split(' ').next() == Some(&sentinels.master_name) {
            directory.ask_again();
        }
    }
    Some(())
}
