//! From what the user names to servers that answer.

use super::access::Access;
use super::cluster::{self, Contact};
use super::control::{Control, ControlError, auth};
use super::directory::{Directory, Node, Roster};
use super::error::TargetError;
use super::facts::ServerFacts;
use super::look_up::look_up;
use super::network_path::NetworkPath;
use super::reply::{one_line, refusal, text};
use super::sentinel;
use super::server::{Address, Addresses, Server};
use redis::Value;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// An address after look-up: what a client connects to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Tcp(address) => address.fmt(f),
            Endpoint::Unix(path) => path.display().fmt(f),
        }
    }
}

/// A server that was reached: where it is, what it says of itself, and what lies between.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The server in the user's words, or in those of its group.
    pub name: String,
    pub endpoint: Endpoint,
    pub server: ServerFacts,
    #[serde(default)]
    pub path: NetworkPath,
}

/// All servers of a run, reached once.
pub struct Resolved {
    /// One for each node of the directory's roster, in the same order.
    pub targets: Vec<Target>,
    pub directory: Arc<Directory>,
    /// A control connection to each target, in its database; none where it broke.
    pub controls: Vec<Option<Control>>,
    /// What the user should know before requests are sent to the wrong place.
    pub warnings: Vec<String>,
}

/// Finds `server`, gets in, and asks who it is: all within `patience`.
///
/// # Errors
/// [`TargetError`] when there is no such server, or none that lets us in. A server that would not tell its facts is no
/// error: the facts say why they are missing.
pub async fn resolve(server: &Server, patience: Duration) -> Result<Resolved, TargetError> {
    let deadline = Instant::now() + patience;
    let access = Access::of(server)?;
    let roster = find(&access, &[], deadline).await?;
    let epoch = roster.epoch;
    let mut warnings = Vec::new();
    let (mut nodes, mut targets, mut controls) = (Vec::new(), Vec::new(), Vec::new());
    let mut second_ways = Vec::new();
    for (node, met) in meet(&access, roster, patience, deadline).await? {
        let Met { target, control, others } = met;
        if let Some(warning) = different_roles(&target, &others) {
            warnings.push(warning);
        }
        // Two addresses may be two ways to one server, and it would be counted twice.
        let is_new = target.server.run_id.is_none()
            || !targets.iter().any(|known: &Target| known.server.run_id == target.server.run_id);
        if is_new || server.addresses == Addresses::First {
            nodes.push(node);
            targets.push(target);
            controls.push(control);
        } else {
            second_ways.extend(node.endpoints);
        }
    }
    let directory = Arc::new(Directory::new(access, Roster { nodes, epoch }).without(second_ways));
    Ok(Resolved { targets, directory, controls, warnings })
}

/// Finds out which servers there are, without asking them who they are. `known` are servers that may be asked, besides
/// what the user has named.
///
/// # Errors
/// [`TargetError`] when nobody could be asked, or nobody knows.
pub async fn find(access: &Access, known: &[Node], deadline: Instant) -> Result<Roster, TargetError> {
    let server = &access.server;
    if let Some(sentinels) = server.sentinels() {
        return sentinel::find(access, sentinels, deadline).await;
    }
    let name = server.address.to_string();
    let (host, endpoints) = match &server.address {
        Address::Unix { path } => (None, vec![Endpoint::Unix(path.clone())]),
        Address::Tcp { host, port } => {
            let found = look_up(host, *port, &server.look_up, deadline).await;
            // A cluster is found through any node of it, whatever has become of the first one's name.
            match found {
                Err(_) if server.cluster.is_some() && !known.is_empty() => (Some(host.clone()), Vec::new()),
                found => (Some(host.clone()), found?),
            }
        }
        Address::Sentinel(_) => unreachable!("a group is found through its sentinels"),
    };
    let node = |name: String, endpoints: Vec<Endpoint>| Node {
        name,
        host: host.clone(),
        endpoints,
        slots: Vec::new(),
        is_replica: false,
    };
    if let Some(cluster) = server.cluster {
        let named = endpoints.into_iter().map(|endpoint| Contact { host: host.clone(), endpoint });
        let met = known.iter().flat_map(|node| {
            node.endpoints.iter().map(|endpoint| Contact { host: node.host.clone(), endpoint: endpoint.clone() })
        });
        return cluster::find(access, cluster, &name, named.chain(met).collect(), deadline).await;
    }
    Ok(Roster::of(match server.addresses {
        Addresses::First => vec![node(name, endpoints)],
        Addresses::All | Addresses::Each => {
            endpoints.into_iter().map(|endpoint| node(endpoint.to_string(), vec![endpoint])).collect()
        }
    }))
}

/// Finds `server` within `patience`, without asking it who it is.
///
/// # Errors
/// [`TargetError`] when its certificates cannot be read, or nobody knows where it is.
pub async fn look_for(server: &Server, patience: Duration) -> Result<Directory, TargetError> {
    let access = Access::of(server)?;
    let roster = find(&access, &[], Instant::now() + patience).await?;
    Ok(Directory::new(access, roster))
}

/// What came of meeting a node.
struct Met {
    target: Target,
    control: Option<Control>,
    /// The servers at the other addresses of the node, those that answered.
    others: Vec<Target>,
}

/// Asks each node who it is, all at once.
async fn meet(
    access: &Access,
    roster: Roster,
    patience: Duration,
    deadline: Instant,
) -> Result<Vec<(Node, Met)>, TargetError> {
    let mut meeting = JoinSet::new();
    for (index, node) in roster.nodes.into_iter().enumerate() {
        let access = access.clone();
        meeting.spawn(async move { (index, meet_one(&access, node, patience, deadline).await) });
    }
    let mut met = meeting.join_all().await;
    met.sort_by_key(|(index, _)| *index);
    met.into_iter().map(|(_, met)| met).collect()
}

/// Meets the first address of `node` that takes a connection, and moves it to the front.
async fn meet_one(
    access: &Access,
    mut node: Node,
    patience: Duration,
    deadline: Instant,
) -> Result<(Node, Met), TargetError> {
    let mut failure = None;
    for index in 0..node.endpoints.len() {
        match introduce(access, &node, &node.endpoints[index], deadline).await {
            Ok((target, control)) => {
                let mut others = Vec::new();
                for other in node.endpoints.iter().skip(index + 1) {
                    // Whoever does not answer is no reason not to measure the one that does.
                    let soon = deadline.min(Instant::now() + Duration::from_secs(1));
                    others.extend(introduce(access, &node, other, soon).await.ok().map(|(target, _)| target));
                }
                node.endpoints.swap(0, index);
                return Ok((node, Met { target, control, others }));
            }
            // Another address of the same name may well answer: `localhost` has two.
            Err(ControlError::Unreachable(cause)) => failure = Some(ControlError::Unreachable(cause)),
            Err(error) => return Err(TargetError::of_control(error, &node.name, patience)),
        }
    }
    let failure = failure.unwrap_or(ControlError::Unreachable("it has no address".to_owned()));
    Err(TargetError::of_control(failure, &node.name, patience))
}

/// A name that leads to servers of different roles: clients that take the first address write to a replica by chance.
fn different_roles(target: &Target, others: &[Target]) -> Option<String> {
    let role = |target: &Target| target.server.role.clone().unwrap_or_else(|| "unknown".to_owned());
    if others.iter().all(|other| other.server.role == target.server.role) {
        return None;
    }
    let all: Vec<String> =
        [target].into_iter().chain(others).map(|target| format!("{} ({})", target.endpoint, role(target))).collect();
    Some(format!(
        "{} has {} addresses of different roles: {}; the first that answers is measured; \
         use --addresses all or each, or a name that leads to the master alone",
        target.name,
        all.len(),
        all.join(", ")
    ))
}

/// Connections that are made to see whether they end at the same server.
const PROBES: usize = 3;

/// Gets in, and asks for facts.
async fn introduce(
    access: &Access,
    node: &Node,
    endpoint: &Endpoint,
    deadline: Instant,
) -> Result<(Target, Option<Control>), ControlError> {
    let mut control = Control::open(access, node.host.as_deref(), endpoint, deadline).await?;
    let (server, mut path, stands) = match control.ask(&mut questions(access)).await {
        Ok(replies) => {
            let Introduced { facts, client_info } = read(replies, access)?;
            (facts, NetworkPath::of(control.ends, client_info.as_deref()), true)
        }
        // Some proxies hang up on what they do not know, CONFIG among it. The load itself may still get through.
        Err(ControlError::Broken(reason)) => {
            let facts = ServerFacts { reason: Some(reason), ..Default::default() };
            (facts, NetworkPath::of(control.ends, None), false)
        }
        Err(error) => return Err(error),
    };
    path.servers_seen.extend(server.run_id.clone());
    if path.may_fan_out() {
        let mut probing = JoinSet::new();
        for _ in 0..PROBES {
            let (access, host, endpoint) = (access.clone(), node.host.clone(), endpoint.clone());
            probing.spawn(async move { run_id(&access, host.as_deref(), &endpoint, deadline).await });
        }
        let found: BTreeSet<String> = probing.join_all().await.into_iter().flatten().collect();
        path.servers_seen.extend(found.into_iter().filter(|found| Some(found) != server.run_id.as_ref()));
    }
    let target = Target { name: node.name.clone(), endpoint: endpoint.clone(), server, path };
    Ok((target, stands.then_some(control)))
}

/// Who answers on one more connection.
async fn run_id(access: &Access, host: Option<&str>, endpoint: &Endpoint, deadline: Instant) -> Option<String> {
    let mut control = Control::open(access, host, endpoint, deadline).await.ok()?;
    control.log_in(access.server.credentials.as_ref()).await.ok()?;
    let replies = control.ask(redis::pipe().cmd("INFO").arg("server")).await.ok()?;
    ServerFacts::from_info(&text(replies.first()?)?).run_id
}

/// AUTH (when there are credentials), SELECT (when it is not database 0), and the questions: one round trip.
fn questions(access: &Access) -> redis::Pipeline {
    let mut pipe = redis::pipe();
    if let Some(credentials) = &access.server.credentials {
        pipe.add_command(auth(credentials));
    }
    if access.server.database != 0 {
        pipe.cmd("SELECT").arg(access.server.database);
    }
    pipe.cmd("CONFIG").arg("GET").arg("save");
    pipe.cmd("CONFIG").arg("GET").arg("appendonly");
    pipe.cmd("CONFIG").arg("GET").arg("io-threads");
    pipe.cmd("INFO");
    pipe.cmd("CLIENT").arg("INFO");
    pipe
}

/// What the answers say.
struct Introduced {
    facts: ServerFacts,
    client_info: Option<String>,
}

fn read(replies: Vec<Value>, access: &Access) -> Result<Introduced, ControlError> {
    let mut replies = replies.into_iter();
    let mut next = || replies.next().unwrap_or(Value::Nil);
    if access.server.credentials.is_some()
        && let Some(reply) = refusal(&next())
    {
        return Err(ControlError::Refused(reply));
    }
    let number = access.server.database;
    let selected = if number != 0 { refusal(&next()) } else { None };
    let (save, appendonly, io_threads, info, client_info) = (next(), next(), next(), next(), next());
    if let Some(reply) = [&save, &appendonly, &info].into_iter().find_map(refusal)
        && reply.starts_with("NOAUTH")
    {
        return Err(ControlError::PasswordNeeded(reply));
    }
    if let Some(reply) = selected {
        return Err(ControlError::Database { number, reply });
    }
    let mut facts = text(&info).map(|text| ServerFacts::from_info(&text)).unwrap_or_default();
    facts.reason = [&save, &appendonly, &info].into_iter().find_map(refusal).map(|reply| one_line(&reply));
    facts.config_save = setting(&save);
    facts.config_appendonly = setting(&appendonly);
    facts.config_io_threads = setting(&io_threads).and_then(|threads| threads.parse().ok());
    Ok(Introduced { facts, client_info: text(&client_info) })
}

/// The value of a reply to CONFIG GET with one name: a pair, or a map in RESP3.
fn setting(reply: &Value) -> Option<String> {
    match reply {
        Value::Array(pair) => text(pair.get(1)?),
        Value::Map(pairs) => text(&pairs.first()?.1),
        _ => None,
    }
}
