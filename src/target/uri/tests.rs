//! URIs by table and by property.

use super::*;
use proptest::prelude::*;
use proptest::sample::select;

fn login(user: Option<&str>, password: &str) -> Option<Credentials> {
    Some(Credentials { user: user.map(str::to_owned), password: Secret::new(password) })
}

fn at(host: &str) -> Uri {
    Uri { host: Some(host.to_owned()), ..Uri::default() }
}

fn socket(path: &str) -> Uri {
    Uri { socket: Some(path.into()), ..Uri::default() }
}

#[test]
fn a_uri_says_what_it_says_and_no_more() {
    let nothing = Uri::default;
    for (text, expected) in [
        ("redis://h", at("h")),
        ("valkey://h", at("h")),
        ("rediss://h", Uri { tls: true, ..at("h") }),
        ("valkeys://h", Uri { tls: true, ..at("h") }),
        ("REDISS://H", Uri { tls: true, ..at("H") }),
        ("redis://h/", at("h")),
        ("redis://h:", at("h")),
        ("redis://h:7000/3", Uri { port: Some(7000), database: Some(3), ..at("h") }),
        ("redis://h?db=3", Uri { database: Some(3), ..at("h") }),
        ("redis://h/?db=3", Uri { database: Some(3), ..at("h") }),
        ("redis://h/?", at("h")),
        ("redis://pw@h", Uri { credentials: login(None, "pw"), ..at("h") }),
        ("redis://:pw@h", Uri { credentials: login(None, "pw"), ..at("h") }),
        ("redis://u:pw@h/", Uri { credentials: login(Some("u"), "pw"), ..at("h") }),
        ("redis://u:@h", Uri { credentials: login(Some("u"), ""), ..at("h") }),
        ("redis://@h", at("h")),
        ("redis://:@h", at("h")),
        ("redis://%75%3A:p%40%3A%2F%3f%23%25@h", Uri { credentials: login(Some("u:"), "p@:/?#%"), ..at("h") }),
        ("redis://u:p@w:d@h", Uri { credentials: login(Some("u"), "p@w:d"), ..at("h") }),
        ("redis://:p+w@h", Uri { credentials: login(None, "p+w"), ..at("h") }),
        ("redis://%C3%BC", at("ü")),
        ("redis://[::1]", at("::1")),
        ("redis://[::1]:7000/1", Uri { port: Some(7000), database: Some(1), ..at("::1") }),
        ("redis://pw@[2001:db8::1]:", Uri { credentials: login(None, "pw"), ..at("2001:db8::1") }),
        ("redis://[fe80::1%25eth0]", at("fe80::1%eth0")),
        ("redis://", nothing()),
        ("redis://:7000", Uri { port: Some(7000), ..nothing() }),
        ("redis:///3", Uri { database: Some(3), ..nothing() }),
        ("redis://:pw@", Uri { credentials: login(None, "pw"), ..nothing() }),
        ("redis-socket:///run/r.sock", socket("/run/r.sock")),
        ("redis+unix:///run/r.sock?db=2", Uri { database: Some(2), ..socket("/run/r.sock") }),
        ("unix:///a%20b/c@d:e", socket("/a b/c@d:e")),
        ("unix:/run/r.sock", socket("/run/r.sock")),
        ("UNIX://pw@/r.sock", Uri { credentials: login(None, "pw"), ..socket("/r.sock") }),
        ("redis-socket://u:p%2Fw@/r", Uri { credentials: login(Some("u"), "p/w"), ..socket("/r") }),
    ] {
        assert_eq!(parse(text), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_no_uri_is_refused_with_what_is_wrong() {
    for (text, error) in [
        ("", UriError::Syntax),
        ("hunter2", UriError::Syntax),
        ("redis:h", UriError::Syntax),
        ("http://:hunter2@h", UriError::Scheme(Some("http"))),
        ("hunter2://h", UriError::Scheme(None)),
        ("h:6379", UriError::Scheme(None)),
        ("redis://:hunter2%4@h", UriError::Encoding),
        ("redis://:hunter2%zz@h", UriError::Encoding),
        ("redis://:hunter2%FF@h", UriError::Encoding),
        ("redis://u:hunter2/x@h", UriError::Reserved),
        ("redis://u:hunter2?x@h", UriError::Reserved),
        ("redis://u:hunter2#x@h", UriError::Reserved),
        ("redis://hunter2/0@h", UriError::Reserved),
        ("redis://:hunter2@h/x", UriError::Database),
        ("redis://:hunter2@h/-1", UriError::Database),
        ("redis://:hunter2@h/+1", UriError::Database),
        ("redis://:hunter2@h/1/", UriError::Database),
        ("redis://:hunter2@h//1", UriError::Database),
        ("redis://:hunter2@h/4294967296", UriError::Database),
        ("redis://h?db=", UriError::DatabaseParameter),
        ("redis://h?db=hunter2", UriError::DatabaseParameter),
        ("redis://h/1?db=1", UriError::DatabaseParameter),
        ("redis://h?db=1&db=2", UriError::DatabaseParameter),
        ("redis://h?password=hunter2", UriError::Parameter),
        ("redis://h?db", UriError::Parameter),
        ("unix:///r?db=1&hunter2", UriError::Parameter),
        ("redis://h#hunter2", UriError::Fragment),
        ("redis://:hunter2@h:99999", UriError::Port),
        ("redis://:hunter2@h:0", UriError::Port),
        ("redis://h:+1", UriError::Port),
        ("redis://[::1]7000", UriError::Port),
        ("redis://::1", UriError::Port),
        ("redis://[::1", UriError::Host),
        ("redis://[h]", UriError::Host),
        ("redis://[fe80::1%25]", UriError::Host),
        ("redis://a b", UriError::Host),
        ("redis://a%2Fb", UriError::Host),
        ("redis://a%00b", UriError::Host),
        ("unix://h/r", UriError::SocketHost),
        ("unix://run/r.sock", UriError::SocketHost),
        ("unix://", UriError::SocketPath),
        ("unix:///", UriError::SocketPath),
        ("unix:r", UriError::SocketPath),
        ("unix:///a%00b", UriError::SocketPath),
    ] {
        assert_eq!(parse(text), Err(error), "{text}");
    }
}

#[test]
fn a_kept_uri_has_no_password() {
    for (text, kept) in [
        ("redis://h", "redis://h"),
        ("redis://u:p@w@h:1/2", "redis://u:***@h:1/2"),
        ("redis://pw@h", "redis://***@h"),
        ("redis://:pw@h", "redis://:***@h"),
        ("Rediss://u:p%40w@[::1]:1/2?db=", "Rediss://***@[::1]:1/2?db="),
        ("Rediss://u:p%40w@[::1]:1?db=2", "Rediss://u:***@[::1]:1?db=2"),
        ("unix://u:pw@/a@b", "unix://u:***@/a@b"),
        ("unix://pw@/a:b", "unix://***@/a:b"),
        ("unix:///a@b", "unix:///a@b"),
        ("unix:/a@b", "unix:/a@b"),
        // What is none of ours may hold a password anywhere before the last `@`.
        ("redis://u:p/w@x/y@h", "redis://***@h"),
        ("redis://p:w#1@h", "redis://***@h"),
        ("-uredis://u:pw@h", "-uredis://***@h"),
        ("http://u:pw@h", "http://***@h"),
        ("someone@h", "someone@h"),
    ] {
        assert_eq!(redacted(text), kept);
    }
}

/// RFC 3986, 2.1: everything but the unreserved letters by their bytes.
fn encoded(text: &str) -> String {
    let letter = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(letter).collect()
}

/// A word that stands nowhere but in a password.
const MARK: &str = "hunter2";

/// A scheme, and whether it is one of TLS.
fn scheme() -> impl Strategy<Value = (&'static str, bool)> {
    select(vec![("redis", false), ("rediss", true), ("valkey", false), ("valkeys", true), ("rEdIsS", true)])
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9-]{0,20}(\\.[a-z0-9-]{1,10}){0,3}",
        any::<std::net::Ipv4Addr>().prop_map(|address| address.to_string()),
        any::<Ipv6Addr>().prop_map(|address| address.to_string()),
    ]
}

/// Texts that come near to being a URI, all of which hold the mark.
fn nearly() -> impl Strategy<Value = String> {
    let pieces = [
        "redis", "rediss", "unix", ":", ":", "//", "://", "@", "@", "/", "?", "db=", "&", "#", "[", "]", "::1", "%",
        "%4", "%40", "%FF", "h", "0", "6379", "99999", "\0", "ü", " ",
    ];
    let piece = || proptest::collection::vec(select(pieces.to_vec()), 0..8).prop_map(|pieces| pieces.concat());
    let start = select(vec!["", "redis://", "rediss://", "unix://", "unix:///"]);
    (start, piece(), piece(), any::<String>()).prop_map(|(start, front, back, any)| {
        format!("{start}{front}{MARK}{back}{}", if front.len() % 2 == 0 { "" } else { &any })
    })
}

proptest! {
    #[test]
    fn what_is_written_by_the_rules_is_read_as_it_was_meant(
        (scheme, tls) in scheme(),
        user in any::<Option<String>>(),
        password in any::<Option<String>>(),
        host in host(),
        port in proptest::option::of(1u16..),
        database in any::<Option<u32>>(),
        as_query in any::<bool>(),
    ) {
        let mut text = format!("{scheme}://");
        if let Some(password) = &password {
            text += &format!("{}:{}@", encoded(user.as_deref().unwrap_or_default()), encoded(password));
        }
        text += &if host.contains(':') { format!("[{host}]") } else { host.clone() };
        text += &port.map(|port| format!(":{port}")).unwrap_or_default();
        let prefix = if as_query { "?db=" } else { "/" };
        text += &database.map(|database| format!("{prefix}{database}")).unwrap_or_default();

        let user = user.filter(|user| !user.is_empty());
        let credentials = password.filter(|password| user.is_some() || !password.is_empty());
        let credentials = credentials.map(|password| Credentials { user, password: Secret::new(password) });
        let expected = Uri { host: Some(host), port, socket: None, credentials, database, tls };
        prop_assert_eq!(parse(&text), Ok(expected), "{}", text);
    }

    #[test]
    fn the_path_of_a_socket_may_hold_any_letter(path in "/[^\0]{1,40}", password in any::<String>()) {
        let path = if path.chars().all(|letter| letter == '/') { "/r".to_owned() } else { path };
        let text = format!("unix://:{}@{}", encoded(&password), encoded(&path).replace("%2F", "/"));
        let uri = parse(&text).unwrap();
        prop_assert_eq!(uri.socket, Some(PathBuf::from(path)));
        prop_assert_eq!(uri.credentials.map(|login| login.password), Some(password).filter(|password| !password.is_empty()).map(Secret::new));
    }

    #[test]
    fn no_text_makes_it_panic_or_tell_a_secret(text in nearly()) {
        match parse(&text) {
            Ok(uri) => {
                let password = uri.credentials.map(|login| login.password.expose().to_owned());
                if password.is_some_and(|password| password.contains(MARK)) && text.matches(MARK).count() == 1 {
                    prop_assert!(!redacted(&text).contains(MARK), "{}", redacted(&text));
                }
            }
            Err(error) => {
                let said = format!("{error} {error:?}");
                prop_assert!(!said.contains(MARK), "{}", said);
            }
        }
    }

    #[test]
    fn what_is_before_an_at_sign_is_not_kept_of_what_is_no_uri(front in any::<String>(), back in "[a-z/?#:]{0,9}") {
        let text = format!("redis://{front}{MARK}@{back}");
        if parse(&text).is_err() {
            prop_assert!(!redacted(&text).contains(MARK), "{}", redacted(&text));
        }
    }

    #[test]
    fn a_password_is_never_kept(
        (scheme, _) in scheme(),
        user in any::<Option<String>>(),
        (before, after) in any::<(String, String)>(),
        rest in select(vec!["h", "h:1/2", "[::1]", "", "h?db=1", "h/@x"]),
    ) {
        let user = user.map(|user| format!("{}:", encoded(&user.replace(MARK, "")))).unwrap_or_default();
        let password = format!("{}{MARK}{}", encoded(&before), encoded(&after));
        let kept = redacted(&format!("{scheme}://{user}{password}@{rest}"));
        prop_assert!(!kept.contains(MARK), "{}", kept);
    }
}
