//! `--path`: a way to a server, with a name to tell it from others.

use super::error::Error;
use super::flags::server::{AddressChoice, ReplicaReads, RoleName, Sentinels, ServerFlags};
use super::values::host_ports;
use crate::embedded::Behaviours;
use clap::ValueEnum;
use std::borrow::Cow;
use std::path::PathBuf;

/// What `--path` is given.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedPath {
    pub name: String,
    way: Way,
}

#[derive(Debug, Clone, PartialEq)]
enum Way {
    Tcp { host: String, port: u16 },
    Uri(String),
    Socket(PathBuf),
    Sentinel { sentinels: Sentinels, master_name: String, role: RoleName },
    Embedded(Option<Behaviours>),
}

const REDIS_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// Reads `NAME=WAY`.
///
/// # Errors
/// What is wrong, and what is expected.
pub fn named_path(text: &str) -> Result<NamedPath, String> {
    let known = "expected NAME=WAY, and WAY one of HOST:PORT, a URI, /path/of/a/socket, \
                 sentinel://HOST:PORT,.../MASTER[?role=replica], embedded[:SPEC]";
    let Some((name, way)) = text.split_once('=').filter(|(name, way)| is_name(name) && !way.is_empty()) else {
        return Err(known.to_owned());
    };
    Ok(NamedPath { name: name.to_owned(), way: way_of(way)? })
}

/// Names stand in columns, files and rules.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || "-_.".contains(letter))
}

fn way_of(text: &str) -> Result<Way, String> {
    if let Some(group) = text.strip_prefix("sentinel://") {
        return sentinel(group);
    }
    if text == "embedded" {
        return Ok(Way::Embedded(None));
    }
    if let Some(spec) = text.strip_prefix("embedded:") {
        return spec.parse().map(|behaviours| Way::Embedded(Some(behaviours))).map_err(|error| format!("{error}"));
    }
    if text.starts_with('/') {
        return Ok(Way::Socket(text.into()));
    }
    if text.contains("://") {
        crate::target::uri::parse(text).map_err(|error| error.to_string())?;
        return Ok(Way::Uri(text.to_owned()));
    }
    match &host_ports(text, REDIS_PORT)?[..] {
        [(host, port)] => Ok(Way::Tcp { host: host.clone(), port: *port }),
        _ => Err("a path leads to one address; give each a path of its own".to_owned()),
    }
}

fn sentinel(group: &str) -> Result<Way, String> {
    let (group, role) = match group.split_once('?') {
        Some((group, parameter)) => {
            let role = parameter.strip_prefix("role=").ok_or("known behind the '?': role=master, replica or any")?;
            (group, RoleName::from_str(role, true).map_err(|_| "role is one of master, replica, any".to_owned())?)
        }
        None => (group, RoleName::Master),
    };
    let (sentinels, master_name) =
        group.split_once('/').filter(|(_, name)| !name.is_empty()).ok_or("expected sentinel://HOST:PORT,.../MASTER")?;
    let sentinels = Sentinels(host_ports(sentinels, SENTINEL_PORT)?);
    Ok(Way::Sentinel { sentinels, master_name: master_name.to_owned(), role })
}

/// Makes sure that paths can be told apart.
///
/// # Errors
/// [`Error`] when two have the same name.
pub fn different_names(paths: &[NamedPath]) -> Result<(), Error> {
    let is_known = |(place, path): &(usize, &NamedPath)| paths[..*place].iter().any(|it| it.name == path.name);
    match paths.iter().enumerate().find(is_known) {
        Some((_, path)) => Err(Error::usage(format!("two paths are called '{}'", path.name))),
        None => Ok(()),
    }
}

impl NamedPath {
    /// The same way by another name.
    pub fn called(&self, name: String) -> NamedPath {
        NamedPath { name, way: self.way.clone() }
    }
}

impl ServerFlags {
    /// The flags as they would be typed for `path` alone: what is common to all paths stays.
    pub fn along(&self, path: &NamedPath) -> ServerFlags {
        let mut flags = ServerFlags { paths: Vec::new(), ..self.clone() };
        match &path.way {
            Way::Tcp { host, port } => (flags.host, flags.port) = (host.clone(), *port),
            Way::Uri(uri) => flags.uri = Some(uri.clone()),
            Way::Socket(path) => flags.socket = Some(path.clone()),
            Way::Sentinel { sentinels, master_name, role } => {
                flags.group.sentinel = Some(sentinels.clone());
                flags.group.master_name = Some(master_name.clone());
                flags.group.role = *role;
            }
            Way::Embedded(behaviours) => flags.embedded = Some(behaviours.clone()),
        }
        flags
    }

    /// The flags as they would be typed for the one server at `address`, which is no part of what these are for: it takes
    /// the same login, unless the address has another, and the same TLS.
    ///
    /// # Errors
    /// What is wrong with the address. No part of it is repeated: it may hold a password.
    pub fn beside(&self, address: &str) -> Result<ServerFlags, String> {
        let way = match way_of(address)? {
            Way::Sentinel { .. } | Way::Embedded(_) => {
                return Err("expected one server: HOST:PORT, a URI, or /path/of/a/socket".to_owned());
            }
            way => way,
        };
        let mut flags = self.along(&NamedPath { name: String::new(), way: way.clone() });
        // Those of the server that is measured do not count beside another.
        match way {
            Way::Tcp { .. } => (flags.uri, flags.socket) = (None, None),
            Way::Socket(_) => flags.uri = None,
            _ => flags.socket = None,
        }
        flags.group.sentinel = None;
        flags.group.master_name = None;
        flags.group.role = RoleName::Master;
        flags.group.cluster = false;
        flags.group.rfr = ReplicaReads::No;
        flags.group.addresses = AddressChoice::First;
        Ok(flags)
    }

    /// The one way of a run, with its name if it has one.
    ///
    /// # Errors
    /// [`Error`] when there are several.
    pub fn only_way(&self) -> Result<(Option<&str>, Cow<'_, ServerFlags>), Error> {
        match &self.paths[..] {
            [] => Ok((None, Cow::Borrowed(self))),
            [path] => Ok((Some(&path.name), Cow::Owned(self.along(path)))),
            _ => Err(Error::usage("a run takes one --path; 'rbench compare' takes several")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_known_by_its_looks() {
        let way = |text: &str| named_path(&format!("a={text}")).unwrap().way;
        assert_eq!(way("h:7000"), Way::Tcp { host: "h".to_owned(), port: 7000 });
        assert_eq!(way("127.0.0.1"), Way::Tcp { host: "127.0.0.1".to_owned(), port: 6379 });
        assert_eq!(way("[::1]:7"), Way::Tcp { host: "::1".to_owned(), port: 7 });
        assert_eq!(way("rediss://:pw@h/2"), Way::Uri("rediss://:pw@h/2".to_owned()));
        assert_eq!(way("/run/redis.sock"), Way::Socket("/run/redis.sock".into()));
        assert_eq!(way("embedded"), Way::Embedded(None));
        assert!(matches!(way("embedded:delay:1ms"), Way::Embedded(Some(_))));
        let sentinels = Sentinels(vec![("s1".to_owned(), 26379), ("s2".to_owned(), 5)]);
        let master_name = "mymaster".to_owned();
        assert_eq!(
            way("sentinel://s1,s2:5/mymaster?role=replica"),
            Way::Sentinel { sentinels, master_name, role: RoleName::Replica }
        );
    }

    #[test]
    fn what_is_no_path_is_told() {
        for text in [
            "h:7000",
            "=h",
            "a=",
            "a b=h",
            "a=h:0",
            "a=h1,h2",
            "a=sentinel://s1",
            "a=sentinel://s1/m?role=x",
            "a=embedded:what",
            "a=redis://h/x/y",
        ] {
            assert!(named_path(text).is_err(), "{text}");
        }
    }
}
