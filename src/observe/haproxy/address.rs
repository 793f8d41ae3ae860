//! Where HAProxy tells of itself.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where its statistics are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatsAddress {
    Socket(PathBuf),
    /// `http://`, the login as it goes into a header, and the path of the page as a table.
    Page {
        host: String,
        port: u16,
        path: String,
        authorization: Option<String>,
    },
}

const PORT: u16 = 80;

impl FromStr for StatsAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<StatsAddress, String> {
        let expected = || "expected unix:/path/of/the/socket or http://host:port/stats".to_owned();
        if let Some(path) = text.strip_prefix("unix:").or_else(|| text.starts_with('/').then_some(text)) {
            return if path.is_empty() { Err(expected()) } else { Ok(StatsAddress::Socket(path.into())) };
        }
        let rest = text.strip_prefix("http://").ok_or_else(expected)?;
        let (authority, path) = rest.split_once('/').map_or((rest, "stats"), |(authority, path)| (authority, path));
        let (login, place) =
            authority.rsplit_once('@').map_or((None, authority), |(login, place)| (Some(login), place));
        let (host, port) = match place.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')) {
            Some((host, port)) => (host, port.parse().map_err(|_| expected())?),
            None => (place, PORT),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(expected());
        }
        let path = path.trim_end_matches(";csv");
        Ok(StatsAddress::Page {
            host: host.to_owned(),
            port,
            path: format!("/{path};csv"),
            authorization: login.map(basic),
        })
    }
}

/// By RFC 7617.
fn basic(login: &str) -> String {
    use base64::Engine;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(login))
}

impl fmt::Display for StatsAddress {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            StatsAddress::Socket(path) => write!(f, "unix:{}", path.display()),
            StatsAddress::Page { host, port, path, .. } => {
                write!(f, "http://{host}:{port}{}", path.trim_end_matches(";csv"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_socket_or_a_page() {
        let read = |text: &str| text.parse::<StatsAddress>();
        assert_eq!(read("unix:/run/haproxy.sock"), Ok(StatsAddress::Socket("/run/haproxy.sock".into())));
        assert_eq!(read("/run/haproxy.sock"), Ok(StatsAddress::Socket("/run/haproxy.sock".into())));
        for (text, shown) in [
            ("http://h:9101/stats", "http://h:9101/stats"),
            ("http://h", "http://h:80/stats"),
            ("http://h:1/a;csv", "http://h:1/a"),
            ("http://me:secret@h:1/a", "http://h:1/a"),
        ] {
            assert_eq!(read(text).unwrap().to_string(), shown);
        }
        let StatsAddress::Page { authorization, .. } = read("http://me:secret@h/").unwrap() else { panic!("a page") };
        assert_eq!(authorization.as_deref(), Some("Basic bWU6c2VjcmV0"));
        for text in ["", "h:9101", "https://h/stats", "http://:1/", "unix:", "http://h:x/"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
