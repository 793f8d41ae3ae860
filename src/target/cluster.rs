//! A cluster: which node serves which slots.

use super::access::Access;
use super::control::{Control, ControlError};
use super::directory::{Node, Roster};
use super::error::TargetError;
use super::look_up::look_up;
use super::reply::{elements, number, refusal, text};
use super::resolve::Endpoint;
use super::sentinel::GRACE;
use super::server::{Cluster, ReadFrom, host_port};
use redis::Value;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// One server that knows about the cluster: the name it goes by, and where it is.
#[derive(Debug, Clone)]
pub struct Contact {
    pub host: Option<String>,
    pub endpoint: Endpoint,
}

/// Asks `contacts` which nodes there are, and believes the first that answers.
///
/// # Errors
/// [`TargetError`] when none does before `deadline`; `name` is what the cluster goes by.
pub async fn find(
    access: &Access,
    cluster: Cluster,
    name: &str,
    contacts: Vec<Contact>,
    deadline: Instant,
) -> Result<Roster, TargetError> {
    let patience = deadline.saturating_duration_since(Instant::now());
    let mut asking = JoinSet::new();
    for contact in contacts {
        let access = access.clone();
        asking.spawn(async move { (ask(&access, &contact, deadline).await, contact) });
    }
    let mut failure = None;
    while let Ok(Some(asked)) = timeout_at(deadline + GRACE, asking.join_next()).await {
        match asked.expect("asking does not panic") {
            (Ok(entries), contact) => return roster(access, cluster, name, &entries, &contact, deadline).await,
            (Err(error), _) => failure = Some(error),
        }
    }
    Err(match failure {
        Some(ControlError::Refused(reply)) if reply.contains("cluster support disabled") => {
            TargetError::NotACluster { name: name.to_owned(), reply }
        }
        Some(error) => TargetError::of_control(error, name, patience),
        None => TargetError::of_control(ControlError::ConnectTimeout, name, patience),
    })
}

async fn ask(access: &Access, contact: &Contact, deadline: Instant) -> Result<Vec<Value>, ControlError> {
    let mut control = Control::open(access, contact.host.as_deref(), &contact.endpoint, deadline).await?;
    control.log_in(access.server.credentials.as_ref()).await?;
    let replies = control.ask(redis::pipe().cmd("CLUSTER").arg("SLOTS")).await?;
    let reply = replies.into_iter().next().unwrap_or(Value::Nil);
    match (refusal(&reply), reply) {
        (Some(words), _) if words.starts_with("NOAUTH") => Err(ControlError::PasswordNeeded(words)),
        (Some(words), _) => Err(ControlError::Refused(words)),
        (None, Value::Array(entries)) => Ok(entries),
        _ => Err(ControlError::NotRedis("it does not list its slots".to_owned())),
    }
}

/// A node as `CLUSTER SLOTS` has it: host, port, and the ranges in which it stands.
#[derive(Debug, PartialEq, Eq)]
struct Listed {
    host: Option<String>,
    port: u16,
    is_replica: bool,
    slots: Vec<(u16, u16)>,
}

/// Reads the entries of `CLUSTER SLOTS`: first slot, last slot, the primary, and its replicas.
fn read(entries: &[Value], read_from: ReadFrom) -> Vec<Listed> {
    let mut nodes: Vec<Listed> = Vec::new();
    for entry in entries {
        let [first, last, servers @ ..] = elements(entry).unwrap_or_default() else { continue };
        let slot = |value| number(value).and_then(|slot| u16::try_from(slot).ok());
        let (Some(first), Some(last)) = (slot(first), slot(last)) else { continue };
        for (index, server) in servers.iter().enumerate() {
            let is_replica = index > 0;
            let wanted = match read_from {
                ReadFrom::Primaries => !is_replica,
                ReadFrom::Replicas => is_replica,
                ReadFrom::All => true,
            };
            let [host, port, ..] = elements(server).unwrap_or_default() else { continue };
            let Some(port) = number(port).and_then(|port| u16::try_from(port).ok()).filter(|_| wanted) else {
                continue;
            };
            // A node that does not know its own name says nothing, or `?`, and means the one that it was asked by.
            let host = text(host).filter(|host| !host.is_empty() && host != "?");
            match nodes.iter_mut().find(|node| node.host == host && node.port == port) {
                Some(node) => node.slots.push((first, last)),
                None => nodes.push(Listed { host, port, is_replica, slots: vec![(first, last)] }),
            }
        }
    }
    nodes
}

async fn roster(
    access: &Access,
    cluster: Cluster,
    name: &str,
    entries: &[Value],
    contact: &Contact,
    deadline: Instant,
) -> Result<Roster, TargetError> {
    let mut nodes = Vec::new();
    for Listed { host, port, is_replica, slots } in read(entries, cluster.read_from) {
        let (host, endpoints) = match host {
            Some(host) => {
                let found = look_up(&host, port, &access.server.look_up, deadline).await?;
                (Some(host), found)
            }
            None => (contact.host.clone(), vec![at_port(&contact.endpoint, port)]),
        };
        let shown = host.clone().unwrap_or_else(|| endpoints[0].to_string());
        let name = if host.is_some() { host_port(&shown, port) } else { shown };
        nodes.push(Node { name, host, endpoints, slots, is_replica });
    }
    match nodes.is_empty() {
        true => Err(TargetError::NoSlots { name: name.to_owned() }),
        false => Ok(Roster::of(nodes)),
    }
}

/// The same machine at another port.
fn at_port(endpoint: &Endpoint, port: u16) -> Endpoint {
    match endpoint {
        Endpoint::Tcp(address) => Endpoint::Tcp((address.ip(), port).into()),
        Endpoint::Unix(_) => Endpoint::Tcp((std::net::Ipv4Addr::LOCALHOST, port).into()),
    }
}

/// How long a server of the cluster may take to say what it knows, when others can be asked.
pub const REFRESH: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    fn server(host: Value, port: i64) -> Value {
        Value::Array(vec![host, Value::Int(port), bulk("0123abcd")])
    }

    fn entry(first: i64, last: i64, servers: Vec<Value>) -> Value {
        Value::Array([vec![Value::Int(first), Value::Int(last)], servers].concat())
    }

    #[test]
    fn slots_are_gathered_by_node() {
        let a = || server(bulk("10.0.0.1"), 7001);
        let b = || server(bulk("10.0.0.2"), 7001);
        let entries = [
            entry(0, 99, vec![a(), b()]),
            entry(100, 199, vec![b()]),
            entry(200, 16_383, vec![a(), server(Value::Nil, 7002)]),
        ];
        let listed = |host: Option<&str>, port, is_replica, slots: &[(u16, u16)]| Listed {
            host: host.map(str::to_owned),
            port,
            is_replica,
            slots: slots.to_vec(),
        };
        assert_eq!(
            read(&entries, ReadFrom::Primaries),
            [
                listed(Some("10.0.0.1"), 7001, false, &[(0, 99), (200, 16_383)]),
                listed(Some("10.0.0.2"), 7001, false, &[(100, 199)])
            ]
        );
        assert_eq!(
            read(&entries, ReadFrom::Replicas),
            [listed(Some("10.0.0.2"), 7001, true, &[(0, 99)]), listed(None, 7002, true, &[(200, 16_383)])]
        );
    }

    #[test]
    fn what_is_no_list_of_slots_is_passed_over() {
        assert_eq!(read(&[Value::Nil, entry(-1, 99_999, vec![]), Value::Array(vec![])], ReadFrom::All), []);
    }
}
