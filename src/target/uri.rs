//! `-u redis://[[user:]password@]host[:port][/database]`.

use super::secret::Secret;
use super::server::Credentials;
use thiserror::Error;
use url::Url;

/// What a URI says of a server. What it leaves out is for other flags, or the defaults, to say.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Uri {
    pub host: Option<String>,
    pub port: Option<u16>,
    pub credentials: Option<Credentials>,
    pub database: Option<u32>,
}

/// What can be wrong with a URI. The URI itself is not repeated: it may hold a password.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum UriError {
    #[error("not a URI ({0}); expected redis://[[user:]password@]host[:port][/database]")]
    Syntax(String),
    #[error("unknown scheme '{0}'; known: redis, valkey")]
    Scheme(String),
    #[error("the part after the host must be the number of a database, such as /0")]
    Database,
    #[error("a percent sign must be followed by two hexadecimal digits, and the result must be UTF-8")]
    Encoding,
}

/// Takes a URI apart.
///
/// A single word before the `@` is a password, as in redis-benchmark; `:password@`, which it mistakes for a user with an
/// empty name, is a password too.
///
/// # Errors
/// [`UriError`], which never holds a part of the URI that could be secret.
pub fn parse(text: &str) -> Result<Uri, UriError> {
    let url = Url::parse(text).map_err(|error| UriError::Syntax(error.to_string()))?;
    if !["redis", "valkey"].contains(&url.scheme()) {
        return Err(UriError::Scheme(url.scheme().to_owned()));
    }
    let host = match url.host_str() {
        None | Some("") => None,
        Some(host) => Some(decode(host.trim_start_matches('[').trim_end_matches(']'))?),
    };
    let credentials = match (decode(url.username())?, url.password().map(decode).transpose()?) {
        (user, Some(password)) => {
            Some(Credentials { user: Some(user).filter(|user| !user.is_empty()), password: Secret::new(password) })
        }
        (password, None) if !password.is_empty() => Some(Credentials { user: None, password: Secret::new(password) }),
        _ => None,
    };
    let database = match url.path().trim_start_matches('/') {
        "" => None,
        number => Some(number.parse().map_err(|_| UriError::Database)?),
    };
    Ok(Uri { host, port: url.port(), credentials, database })
}

/// The URI with its password, if it has one, replaced by `***`: fit to be kept.
pub fn redacted(text: &str) -> String {
    match text.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?))) {
        Some((scheme, (secrets, rest))) => match secrets.split_once(':') {
            Some((user, _)) => format!("{scheme}://{user}:***@{rest}"),
            None => format!("{scheme}://***@{rest}"),
        },
        None => text.to_owned(),
    }
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
mod tests {
    use super::*;

    fn login(user: Option<&str>, password: &str) -> Option<Credentials> {
        Some(Credentials { user: user.map(str::to_owned), password: Secret::new(password) })
    }

    #[test]
    fn a_uri_says_what_it_says_and_no_more() {
        for (text, host, port, credentials, database) in [
            ("redis://h", Some("h"), None, None, None),
            ("redis://h:7000/3", Some("h"), Some(7000), None, Some(3)),
            ("redis://pw@h", Some("h"), None, login(None, "pw"), None),
            ("redis://:pw@h", Some("h"), None, login(None, "pw"), None),
            ("redis://u:pw@h/", Some("h"), None, login(Some("u"), "pw"), None),
            ("redis://u:p%40%3A%2F@h", Some("h"), None, login(Some("u"), "p@:/"), None),
            ("redis://[::1]:7000", Some("::1"), Some(7000), None, None),
            ("valkey://h", Some("h"), None, None, None),
            ("redis://", None, None, None, None),
        ] {
            let expected = Uri { host: host.map(str::to_owned), port, credentials, database };
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_uri_is_refused_without_repeating_it() {
        for text in
            ["hunter2", "http://:hunter2@h", "redis://:hunter2%4@h", "redis://:hunter2@h/x", "redis://:hunter2@h:99999"]
        {
            let error = parse(text).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_kept_uri_has_no_password() {
        assert_eq!(redacted("redis://u:p@w@h:1/2"), "redis://u:***@h:1/2");
        assert_eq!(redacted("redis://pw@h"), "redis://***@h");
        assert_eq!(redacted("redis://h"), "redis://h");
    }
}
