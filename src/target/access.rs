//! What it takes to open connections, of the load and beside it: made once, before the first.

use super::resolve::Endpoint;
use super::server::Server;
use super::tls::{self, TlsError};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::sync::Arc;

/// A server as the user names it, with certificates read and checked.
#[derive(Debug, Clone)]
pub struct Access {
    pub server: Server,
    tls: Option<Arc<ClientConfig>>,
}

/// What a TLS connection to one server needs.
#[derive(Debug, Clone)]
pub struct TlsAccess {
    pub config: Arc<ClientConfig>,
    /// The name that the server's certificate must be for.
    pub name: ServerName<'static>,
}

impl Access {
    /// # Errors
    /// [`TlsError`] when certificates cannot be read or do not fit together.
    pub fn of(server: &Server) -> Result<Access, TlsError> {
        let tls = server.tls.as_ref().map(tls::configure).transpose()?;
        Ok(Access { server: server.clone(), tls })
    }

    /// What TLS needs for a connection to `endpoint`, which the user, or the group it belongs to, calls `host`. None
    /// when connections are plain.
    ///
    /// # Errors
    /// [`TlsError`] when a certificate can be for no such name.
    pub fn tls_to(&self, host: Option<&str>, endpoint: &Endpoint) -> Result<Option<TlsAccess>, TlsError> {
        let (Some(settings), Some(config)) = (&self.server.tls, &self.tls) else { return Ok(None) };
        let name = match (host, endpoint) {
            (Some(host), _) => tls::server_name(settings, host)?,
            (None, Endpoint::Tcp(address)) => tls::server_name(settings, &address.ip().to_string())?,
            // A socket in the file system leaves the machine in no way: nobody encrypts it.
            (None, Endpoint::Unix(_)) => return Ok(None),
        };
        Ok(Some(TlsAccess { config: Arc::clone(config), name }))
    }
}
