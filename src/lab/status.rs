//! Who is what at the moment, in the words of the members themselves.

use super::process::Condition;
use super::{Doors, Kind, Lab, Member, proxy};
use crate::target::ask;
use futures_util::future::join_all;
use serde::Serialize;
use std::fmt;
use std::net::SocketAddrV4;
use std::time::Duration;

/// What a member is at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Master,
    Replica,
    /// A redis that reads its data from disk: it says that it is a master until it knows better.
    Loading,
    Sentinel,
    Proxy,
    Paused,
    Dead,
    /// It lives, and does not answer.
    Silent,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Role::Master => "master",
            Role::Replica => "replica",
            Role::Loading => "loading",
            Role::Sentinel => "sentinel",
            Role::Proxy => "proxy",
            Role::Paused => "paused",
            Role::Dead => "dead",
            Role::Silent => "silent",
        })
    }
}

/// A member and what it is at the moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    pub name: String,
    pub role: Role,
    pub address: SocketAddrV4,
    /// None when it is dead.
    pub pid: Option<u32>,
    #[serde(flatten)]
    pub doors: Option<Doors>,
}

/// Loopback answers within a fraction of this, a busy machine included.
const PATIENCE: Duration = Duration::from_secs(1);

impl Lab {
    /// Asks everybody at once. Takes a second when somebody does not answer.
    pub async fn status(&self) -> Vec<Status> {
        join_all(self.members().into_iter().map(|member| async move {
            let role = self.role(&member).await;
            let Member { name, address, pid, doors, .. } = member;
            Status { name, role, address, pid, doors }
        }))
        .await
    }

    async fn role(&self, member: &Member) -> Role {
        // A process that is paused says nothing: there is no need to wait for that.
        match self.news().processes.get(&member.name).map(|process| process.condition()) {
            Some(Condition::Running) => {}
            Some(Condition::Paused) => return Role::Paused,
            Some(Condition::Dead | Condition::Foreign) | None => return Role::Dead,
        }
        let server = self.server(member);
        match member.kind {
            Kind::Redis => {
                let answers = ask(&server, &[&["INFO"]], PATIENCE).await;
                let info = answers.ok().and_then(|answers| answers.into_iter().next());
                let fact = |field| info.as_ref().and_then(|info| info.info(field));
                match (fact("loading"), fact("role")) {
                    (Some("1"), _) => Role::Loading,
                    (_, Some("master")) => Role::Master,
                    (_, Some("slave")) => Role::Replica,
                    _ => Role::Silent,
                }
            }
            Kind::Sentinel => match ask(&server, &[&["PING"]], PATIENCE).await {
                Ok(_) => Role::Sentinel,
                Err(_) => Role::Silent,
            },
            Kind::Haproxy => match proxy::servers(&self.directory.join(&member.name), PATIENCE).await {
                Ok(_) => Role::Proxy,
                Err(_) => Role::Silent,
            },
        }
    }
}
