//! From flags to the server that they name.

use super::error::{Error, Exit};
use super::flags::connections::{ConnectionFlags, TcpKeepAlive};
use super::flags::server::{GroupFlags, ServerFlags, TlsFlags};
use crate::target::tls::cipher_names;
use crate::target::{
    Address, Addresses, Cluster, Credentials, KeepAlive, Secret, Sentinels, Server, SocketOptions, Tls,
};
use crate::target::{Role, uri};
use std::io;

/// The server that the flags name: what a URI says counts more than the other flags. Asks for a password on the
/// terminal, when that is wanted.
///
/// # Errors
/// [`Error`] when flags do not fit together.
pub fn server(flags: &ServerFlags, connections: &ConnectionFlags) -> Result<Server, Error> {
    let uri = flags.uri.as_deref().map(uri::parse).transpose();
    let uri = uri.map_err(|error| Error::usage(format!("-u: {error}")))?.unwrap_or_default();
    let wants_tls = flags.tls.tls || uri.tls;
    let socket = flags.socket.clone().or(uri.socket);
    if socket.is_some() && wants_tls {
        return Err(Error::usage("a socket in the file system is not encrypted: leave --tls or the socket out"));
    }
    let address = match (sentinels(&flags.group)?, socket) {
        (Some(sentinels), _) => Address::Sentinel(sentinels),
        (None, Some(path)) => Address::Unix { path },
        (None, None) => {
            Address::Tcp { host: uri.host.unwrap_or(flags.host.clone()), port: uri.port.unwrap_or(flags.port) }
        }
    };
    Ok(Server {
        address,
        addresses: flags.group.addresses.into(),
        cluster: cluster(&flags.group)?,
        credentials: credentials(flags, uri.credentials)?,
        database: uri.database.unwrap_or(flags.dbnum),
        tls: tls(&flags.tls, wants_tls)?,
        sockets: sockets(connections),
        look_up: flags.group.resolve.clone(),
    })
}

fn credentials(flags: &ServerFlags, from_uri: Option<Credentials>) -> Result<Option<Credentials>, Error> {
    let environment = || environment("REDISCLI_AUTH").filter(|_| flags.embedded.is_none());
    let password = match (&flags.password, flags.askpass) {
        (Some(password), _) => Some(password.clone()),
        (None, true) => Some(ask_password()?),
        (None, false) => environment(),
    };
    match (from_uri, password) {
        (Some(credentials), _) => Ok(Some(credentials)),
        (None, Some(password)) => Ok(Some(Credentials { user: flags.user.clone(), password: Secret::new(password) })),
        (None, None) if flags.user.is_some() => {
            Err(Error::usage("--user needs a password: give it with -a, --askpass or REDISCLI_AUTH"))
        }
        (None, None) => Ok(None),
    }
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|password| !password.is_empty())
}

fn ask_password() -> Result<String, Error> {
    let wrong = |error: io::Error| Error::new(Exit::Usage, format!("--askpass: cannot ask on a terminal: {error}"));
    rpassword::prompt_password("Password: ").map_err(wrong)
}

fn sentinels(flags: &GroupFlags) -> Result<Option<Sentinels>, Error> {
    let (Some(sentinels), Some(master_name)) = (&flags.sentinel, &flags.master_name) else {
        return match Role::from(flags.role) {
            Role::Master => Ok(None),
            _ => Err(Error::usage("--role is for servers that sentinels watch over: name them with --sentinel")),
        };
    };
    let password = flags.sentinel_pass.clone().or_else(|| environment("RBENCH_SENTINEL_AUTH"));
    if flags.sentinel_user.is_some() && password.is_none() {
        return Err(Error::usage(
            "--sentinel-user needs a password: give it with --sentinel-pass or RBENCH_SENTINEL_AUTH",
        ));
    }
    Ok(Some(Sentinels {
        sentinels: sentinels.0.clone(),
        master_name: master_name.clone(),
        role: flags.role.into(),
        credentials: password
            .map(|password| Credentials { user: flags.sentinel_user.clone(), password: Secret::new(password) }),
    }))
}

fn cluster(flags: &GroupFlags) -> Result<Option<Cluster>, Error> {
    let read_from = flags.rfr.into();
    match flags.cluster {
        true => Ok(Some(Cluster { read_from })),
        false if read_from == Default::default() => Ok(None),
        false => Err(Error::usage("--rfr is for the replicas of a cluster: it needs --cluster")),
    }
}

fn tls(flags: &TlsFlags, wanted: bool) -> Result<Option<Tls>, Error> {
    let mut suites = Vec::new();
    for (flag, list) in [("--tls-ciphersuites", &flags.tls_ciphersuites), ("--tls-ciphers", &flags.tls_ciphers)] {
        if let Some(list) = list {
            suites.extend(cipher_names(list).map_err(|error| Error::usage(format!("{flag}: {error}")))?);
        }
    }
    let tls = Tls {
        server_name: flags.sni.clone(),
        ca_file: flags.cacert.clone(),
        ca_directory: flags.cacertdir.clone(),
        verify: !flags.insecure,
        client_certificate: flags.cert.clone(),
        client_key: flags.key.clone(),
        cipher_suites: suites,
    };
    match wanted {
        true => Ok(Some(tls)),
        false if tls == Tls::default() => Ok(None),
        false => Err(Error::usage("--sni, --cacert, --cert and the like are for TLS: add --tls or use rediss://")),
    }
}

fn sockets(flags: &ConnectionFlags) -> SocketOptions {
    let whole_secs = |time: std::time::Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
    let keepalive = |(idle, interval, count): TcpKeepAlive| KeepAlive {
        idle_secs: whole_secs(idle),
        interval_secs: interval.map(whole_secs),
        count,
    };
    SocketOptions { nodelay: !flags.no_nodelay, keepalive: flags.tcp_keepalive.map(keepalive), bind: flags.bind }
}

/// Secrets that the flags and the environment gave, to be kept out of what is kept.
pub fn secrets(server: &Server) -> Vec<String> {
    let of_sentinels = server.sentinels().and_then(|sentinels| sentinels.credentials.as_ref());
    let all = server.credentials.iter().chain(of_sentinels);
    all.map(|credentials| credentials.password.expose().to_owned()).collect()
}

/// Whether each address is measured by itself.
pub fn is_each(server: &Server) -> bool {
    server.addresses == Addresses::Each
}
