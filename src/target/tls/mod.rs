//! TLS: what the flags say of it, and the `rustls` configuration that follows from that.
//!
//! One configuration serves the load and the control connections alike, so that both trust the same servers. Who drives
//! a handshake, and how long it may take, is for the holders of sockets to say.

mod ciphers;
mod error;
mod pem;
mod verify;
mod words;

pub use ciphers::cipher_names;
pub use error::TlsError;
pub use words::{MUTE, handshake_in_words, in_words, inside};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, InconsistentKeys, RootCertStore};
use serde::{Deserialize, Serialize};
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How a server is to prove who it is, and how we do. Files are named here; what they hold is not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tls {
    /// `--sni`: the name that the certificate must bear, instead of the host's.
    pub server_name: Option<String>,
    /// `--cacert`.
    pub ca_file: Option<PathBuf>,
    /// `--cacertdir`.
    pub ca_directory: Option<PathBuf>,
    /// False with `--insecure`: whoever answers is believed.
    pub verify: bool,
    /// `--cert`.
    pub client_certificate: Option<PathBuf>,
    /// `--key`.
    pub client_key: Option<PathBuf>,
    /// `--tls-ciphersuites` and `--tls-ciphers`, best first, in the user's spelling. A version of TLS of which no suite is
    /// named keeps all that it has, as in OpenSSL.
    pub cipher_suites: Vec<String>,
}

/// As `--tls` alone says it: the platform's roots, and a server that proves to be who it is.
impl Default for Tls {
    fn default() -> Tls {
        Tls {
            server_name: None,
            ca_file: None,
            ca_directory: None,
            verify: true,
            client_certificate: None,
            client_key: None,
            cipher_suites: Vec::new(),
        }
    }
}

/// Reads every file that `tls` names and makes the configuration that all connections of a run share.
///
/// Sessions are resumed as `rustls` does by default. Without `--cacert` and `--cacertdir` this reads the platform's
/// roots, some hundred kilobytes: once for a run, not for a connection.
///
/// # Errors
/// [`TlsError`] when a file, a pair of flags or a cipher suite is not what it should be.
pub fn configure(tls: &Tls) -> Result<Arc<ClientConfig>, TlsError> {
    let mut provider = rustls::crypto::ring::default_provider();
    if !tls.cipher_suites.is_empty() {
        provider.cipher_suites = ciphers::choose(&tls.cipher_suites, &provider.cipher_suites)?;
    }
    let provider = Arc::new(provider);
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("each version of TLS has a cipher suite")
        .dangerous()
        .with_custom_certificate_verifier(verifier(tls, &provider)?);
    Ok(Arc::new(match (&tls.client_certificate, &tls.client_key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(_), None) => return Err(TlsError::CertificateWithoutKey),
        (None, Some(_)) => return Err(TlsError::KeyWithoutCertificate),
        (Some(certificate), Some(key)) => {
            let identity = identity(certificate, key, &provider)?;
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity)))
        }
    }))
}

/// The name that the certificate of the server at `host` must bear, and that is sent to it unless it is an address:
/// `--sni`, or else the host as the user named it.
///
/// # Errors
/// [`TlsError`] when that is neither a name nor an address, or when `host` is the path of a unix socket.
pub fn server_name(tls: &Tls, host: &str) -> Result<ServerName<'static>, TlsError> {
    if host.starts_with('/') {
        return Err(TlsError::Socket);
    }
    if let Some(name) = &tls.server_name {
        return ServerName::try_from(name.clone()).map_err(|_| TlsError::Sni { name: name.clone() });
    }
    // The zone of `fe80::1%eth0` is this machine's affair: no certificate bears it.
    let address = host.split_once('%').map(|(address, _)| address).filter(|text| text.parse::<Ipv6Addr>().is_ok());
    ServerName::try_from(address.unwrap_or(host).to_owned()).map_err(|_| TlsError::HostName { name: host.to_owned() })
}

fn verifier(tls: &Tls, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    // Files are read even when nothing is verified: a flag that names a file which is not there is a mistake.
    let named = authorities(tls)?;
    if !tls.verify {
        return Ok(Arc::new(verify::Anybody::new(provider)));
    }
    let mut roots = RootCertStore::empty();
    match &named {
        Some(certificates) => {
            for (path, certificate) in certificates {
                roots.add(certificate.clone()).map_err(|error| TlsError::BadAuthority {
                    flag: if tls.ca_file.as_ref() == Some(path) { "--cacert" } else { "--cacertdir" },
                    path: path.clone(),
                    cause: verify::cause(&error),
                })?;
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            let (added, _) = roots.add_parsable_certificates(found.certs);
            if added == 0 {
                let cause = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
                return Err(TlsError::NoPlatformRoots { cause });
            }
        }
    }
    let authorities = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .expect("there are roots and no revocation lists");
    let named = named.unwrap_or_default().into_iter().map(|(_, certificate)| certificate).collect();
    Ok(Arc::new(verify::Trusted::new(authorities, named)))
}

/// The certificates that stand in for the platform's roots, each with its file; `None` when no flag names any.
fn authorities(tls: &Tls) -> Result<Option<Vec<(PathBuf, CertificateDer<'static>)>>, TlsError> {
    let mut found = Vec::new();
    if let Some(path) = &tls.ca_file {
        found.extend(pem::certificates("--cacert", path)?.into_iter().map(|certificate| (path.clone(), certificate)));
    }
    if let Some(path) = &tls.ca_directory {
        found.extend(pem::certificates_in_directory(path)?);
    }
    Ok((tls.ca_file.is_some() || tls.ca_directory.is_some()).then_some(found))
}

fn identity(certificate: &Path, key: &Path, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let chain = pem::certificates("--cert", certificate)?;
    let signer = provider.key_provider.load_private_key(pem::key(key)?);
    let signer = signer.map_err(|_| TlsError::BadKey { path: key.to_owned() })?;
    let identity = CertifiedKey::new(chain, signer);
    match identity.keys_match() {
        Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            Err(TlsError::KeyMismatch { key: key.to_owned(), certificate: certificate.to_owned() })
        }
        // Other failures are those of a certificate that `rustls` cannot read, such as one of version 1, which the test
        // certificates of Redis are. Whether it will do is for the server to say.
        _ => Ok(identity),
    }
}

#[cfg(test)]
mod tests;
