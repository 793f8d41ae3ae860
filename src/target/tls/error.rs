//! What can be wrong with the flags of TLS and the files that they name.

use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why there is no configuration. Each says its flag and file; none holds what is in a file.
#[derive(Debug, Error)]
pub enum TlsError {
    #[error("{flag}: cannot read {}: {}", path.display(), crate::target::control::in_words(source))]
    Read { flag: &'static str, path: PathBuf, source: io::Error },
    #[error("{flag}: no certificate in {}; expected PEM, with a line -----BEGIN CERTIFICATE-----", path.display())]
    NoCertificate { flag: &'static str, path: PathBuf },
    #[error("{flag}: {} is not sound PEM: {cause}", path.display())]
    Malformed { flag: &'static str, path: PathBuf, cause: &'static str },
    #[error("--cacertdir: no certificate in any file of {}; expected files in PEM", path.display())]
    NoCertificateInDirectory { path: PathBuf },
    #[error("{flag}: a certificate in {} cannot be an authority: {cause}", path.display())]
    BadAuthority { flag: &'static str, path: PathBuf, cause: String },
    #[error("--key: no private key in {}; expected PEM, with a line such as -----BEGIN PRIVATE KEY-----", path.display())]
    NoKey { path: PathBuf },
    #[error("--key: the key in {path} is encrypted; decrypt it first: openssl pkey -in {path} -out FILE", path = path.display())]
    EncryptedKey { path: PathBuf },
    #[error("--key: the key in {} is of no kind that rustls has: RSA of 2048 to 8192 bits, P-256, P-384 or Ed25519", path.display())]
    BadKey { path: PathBuf },
    #[error("--key: the key in {} is not that of the first certificate in {} (--cert)", key.display(), certificate.display())]
    KeyMismatch { key: PathBuf, certificate: PathBuf },
    #[error("--cert needs the certificate's private key; give it with --key")]
    CertificateWithoutKey,
    #[error("--key needs the key's certificate; give it with --cert")]
    KeyWithoutCertificate,
    #[error(
        "the platform has no certificates to trust{cause}; give an authority with --cacert, or --insecure to trust anybody"
    )]
    NoPlatformRoots { cause: String },
    #[error("unknown cipher suite '{name}'; --tls-ciphersuites knows {tls13}; --tls-ciphers knows {tls12}")]
    UnknownCipherSuite { name: String, tls13: String, tls12: String },
    #[error("--sni: '{name}' is neither a host name nor an address")]
    Sni { name: String },
    #[error("'{name}' is no name that a certificate can bear; give the one that it bears with --sni")]
    HostName { name: String },
    #[error("there is no TLS on a unix socket; leave out --tls, or give -h and -p")]
    Socket,
}
