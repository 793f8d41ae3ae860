//! `-u`: a server in one word, by RFC 3986.
//!
//! ```text
//! redis://  rediss://  valkey://  valkeys://   [[user:]password@]host[:port][/database][?db=database]
//! redis-socket://  redis+unix://  unix://      [[user:]password@]/path[?db=database]
//! ```
//!
//! The `url` crate will not do: it knows no credentials without a host.

use super::secret::Secret;
use super::server::Credentials;
use std::net::Ipv6Addr;
use std::path::PathBuf;
use thiserror::Error;

/// What a URI says of a server. What it leaves out is for other flags, or the defaults, to say.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Uri {
    /// A name or an address, IPv6 without brackets. `None` with a socket.
    pub host: Option<String>,
    pub port: Option<u16>,
    /// The absolute path of a unix socket, in place of host and port.
    pub socket: Option<PathBuf>,
    pub credentials: Option<Credentials>,
    pub database: Option<u32>,
    /// Whether the scheme asks for TLS.
    pub tls: bool,
}

/// What can be wrong with a URI. No part of it is repeated: which of them holds a password is just what is unclear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UriError {
    #[error("not a URI; expected redis://[[user:]password@]host[:port][/database] or unix:///path")]
    Syntax,
    #[error("unknown scheme{}; known: redis, rediss, valkey, valkeys, redis-socket, redis+unix, unix", quoted(*.0))]
    Scheme(Option<&'static str>),
    #[error("in a user or a password, write '/' as %2F, '?' as %3F and '#' as %23")]
    Reserved,
    #[error("the host must be a name, or an address, that of IPv6 in brackets")]
    Host,
    #[error("the port must be a number from 1 to 65535; an IPv6 address goes in brackets")]
    Port,
    #[error(
        "the URI of a unix socket has no host; expected three slashes before the path, as in unix:///run/redis.sock"
    )]
    SocketHost,
    #[error("the URI of a unix socket needs its path, as in unix:///run/redis.sock")]
    SocketPath,
    #[error("the part after the host must be the number of a database, such as /0")]
    Database,
    #[error("the database must be a number, and given but once")]
    DatabaseParameter,
    #[error("unknown parameter after the '?'; known: db=NUMBER")]
    Parameter,
    #[error("a server has no fragment; write '#' as %23")]
    Fragment,
    #[error("a percent sign must be followed by two hexadecimal digits, and the result must be UTF-8")]
    Encoding,
}

/// Schemes that people try. Others are not repeated: of `user:password@host` the scheme would be the user.
const FOREIGN: [&str; 6] = ["http", "https", "tcp", "tls", "redis-sentinel", "redis-cluster"];

fn quoted(scheme: Option<&str>) -> String {
    scheme.map(|scheme| format!(" '{scheme}'")).unwrap_or_default()
}

/// The parts of a URI, nothing decoded.
struct Parts<'a> {
    scheme: &'a str,
    /// What is before the last `@` of the authority.
    login: Option<&'a str>,
    /// Host and port.
    place: &'a str,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

/// Takes a URI apart.
///
/// A single word before the `@` is a password, as in redis-benchmark; `:password@`, which it mistakes for a user with an
/// empty name, is a password too.
///
/// # Errors
/// [`UriError`], which never holds a part of the URI.
pub fn parse(text: &str) -> Result<Uri, UriError> {
    let parts = split(text)?;
    read(&parts).map_err(|error| {
        // A password with a raw `/` in it looks like a host that is followed by a path, and so on.
        let tail = [Some(parts.path), parts.query, parts.fragment];
        if tail.into_iter().flatten().any(|part| part.contains('@')) { UriError::Reserved } else { error }
    })
}

/// The URI with its password, if it has one, replaced by `***`: fit to be kept. Of what is no URI but has an `@`,
/// nothing before that is kept.
pub fn redacted(text: &str) -> String {
    if parse(text).is_ok() {
        return match split(text) {
            // A path may hold an `@` of its own.
            Ok(Parts { scheme, login: Some(login), .. }) => {
                let rest = &text[scheme.len() + "://".len() + login.len() + "@".len()..];
                match login.split_once(':') {
                    Some((user, _)) => format!("{scheme}://{user}:***@{rest}"),
                    None => format!("{scheme}://***@{rest}"),
                }
            }
            _ => text.to_owned(),
        };
    }
    match text.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?))) {
        Some((scheme, (_, rest))) => format!("{scheme}://***@{rest}"),
        None => text.to_owned(),
    }
}

fn split(text: &str) -> Result<Parts<'_>, UriError> {
    let (scheme, rest) = text.split_once(':').ok_or(UriError::Syntax)?;
    let (rest, fragment) = cut(rest, '#');
    let (rest, query) = cut(rest, '?');
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        // `unix:/path`, which has no authority at all.
        None => ("", rest),
    };
    let (login, place) = match authority.rsplit_once('@') {
        Some((login, place)) => (Some(login), place),
        None => (None, authority),
    };
    Ok(Parts { scheme, login, place, path, query, fragment })
}

fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((text, rest)) => (text, Some(rest)),
        None => (text, None),
    }
}

fn read(parts: &Parts) -> Result<Uri, UriError> {
    let mut uri = Uri { credentials: credentials(parts.login)?, ..Uri::default() };
    match parts.scheme.to_ascii_lowercase().as_str() {
        scheme @ ("redis" | "rediss" | "valkey" | "valkeys") => {
            uri.tls = scheme.ends_with("ss") || scheme == "valkeys";
            (uri.host, uri.port) = place(parts.place)?;
            uri.database = match parts.path.strip_prefix('/') {
                None if parts.path.is_empty() => None,
                // `redis:h`: RFC 3986 calls `h` a path.
                None => return Err(UriError::Syntax),
                Some("") => None,
                Some(number) => Some(database(number).ok_or(UriError::Database)?),
            };
        }
        "redis-socket" | "redis+unix" | "unix" => {
            if !parts.place.is_empty() {
                return Err(UriError::SocketHost);
            }
            let path = decode(parts.path)?;
            // No system takes a path with a zero in it.
            if !path.starts_with('/') || path == "/" || path.contains('\0') {
                return Err(UriError::SocketPath);
            }
            uri.socket = Some(PathBuf::from(path));
        }
        scheme => return Err(UriError::Scheme(FOREIGN.into_iter().find(|foreign| *foreign == scheme))),
    }
    for parameter in parts.query.unwrap_or_default().split('&').filter(|parameter| !parameter.is_empty()) {
        let number = parameter.strip_prefix("db=").ok_or(UriError::Parameter)?;
        let number = database(number).ok_or(UriError::DatabaseParameter)?;
        if uri.database.replace(number).is_some() {
            return Err(UriError::DatabaseParameter);
        }
    }
    if parts.fragment.is_some() {
        return Err(UriError::Fragment);
    }
    Ok(uri)
}

fn credentials(login: Option<&str>) -> Result<Option<Credentials>, UriError> {
    let Some(login) = login else { return Ok(None) };
    let (user, password) = login.split_once(':').unwrap_or(("", login));
    let (user, password) = (decode(user)?, decode(password)?);
    if user.is_empty() && password.is_empty() {
        return Ok(None);
    }
    Ok(Some(Credentials { user: Some(user).filter(|user| !user.is_empty()), password: Secret::new(password) }))
}

/// A host and a port from `host:port`, each of which may be missing.
fn place(text: &str) -> Result<(Option<String>, Option<u16>), UriError> {
    let (host, port) = match text.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((address, rest))) => {
            // RFC 6874 writes the zone of an address behind %25.
            let address = decode(address)?;
            let (number, zone) = cut(&address, '%');
            if number.parse::<Ipv6Addr>().is_err() || zone.is_some_and(|zone| !fit(zone) || zone.is_empty()) {
                return Err(UriError::Host);
            }
            let port = if rest.is_empty() { Some("") } else { rest.strip_prefix(':') };
            (address, port.ok_or(UriError::Port)?)
        }
        Some(None) => return Err(UriError::Host),
        None => {
            let (host, port) = cut(text, ':');
            (decode(host)?, port.unwrap_or_default())
        }
    };
    if !fit(&host) {
        return Err(UriError::Host);
    }
    // RFC 3986 lets a colon stand without a port.
    let port = match port {
        "" => None,
        digits => Some(number::<u16>(digits).filter(|port| *port > 0).ok_or(UriError::Port)?),
    };
    Ok((Some(host).filter(|host| !host.is_empty()), port))
}

/// Whether text may be (part of) the name of a host, or nothing.
fn fit(host: &str) -> bool {
    !host.contains(|letter: char| letter.is_whitespace() || letter.is_control() || "/?#[]@\\".contains(letter))
}

fn database(text: &str) -> Option<u32> {
    number(&decode(text).ok()?)
}

/// A number of digits alone: `parse` would take a sign.
fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn decode(text: &str) -> Result<String, UriError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        match (digit(), digit()) {
            (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
            _ => return Err(UriError::Encoding),
        }
    }
    String::from_utf8(bytes).map_err(|_| UriError::Encoding)
}

#[cfg(test)]
mod tests;
