//! Certificates made on the spot, and a redis-server that shows them.

use super::{RedisServer, Scratch};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use std::fs;

/// The name in the server's certificate that is no address.
pub const NAME: &str = "redis.test";

/// One authority that the server and its clients trust, and one that nobody trusts.
///
/// `ca.pem`, `server.pem` for localhost, 127.0.0.1 and [`NAME`], `client.pem`, `stranger-ca.pem`, `stranger.pem`, and
/// keys with `.key`.
pub struct Certificates(Scratch);

impl Certificates {
    pub fn new() -> Certificates {
        let certificates = Certificates(Scratch::new());
        let trusted = certificates.authority("ca");
        certificates.issue("server", &["localhost", "127.0.0.1", NAME], &trusted);
        certificates.issue("client", &["client.test"], &trusted);
        let unknown = certificates.authority("stranger-ca");
        certificates.issue("stranger", &["client.test"], &unknown);
        certificates
    }

    /// The path of a file.
    pub fn path(&self, name: &str) -> String {
        self.0.path(name).to_str().expect("our paths are text").to_owned()
    }

    /// The directory in which all files are.
    pub fn directory(&self) -> String {
        self.path("")
    }

    fn authority(&self, name: &str) -> Issuer<'static, KeyPair> {
        let key = KeyPair::generate().expect("a key");
        let mut wanted = CertificateParams::new([]).expect("no names");
        wanted.distinguished_name.push(DnType::CommonName, name);
        wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = wanted.self_signed(&key).expect("a certificate");
        self.write(&format!("{name}.pem"), &certificate.pem());
        Issuer::new(wanted, key)
    }

    fn issue(&self, name: &str, names: &[&str], issuer: &Issuer<'static, KeyPair>) {
        let key = KeyPair::generate().expect("a key");
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut wanted = CertificateParams::new(names).expect("good names");
        wanted.distinguished_name.push(DnType::CommonName, name);
        wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = wanted.signed_by(&key, issuer).expect("a certificate");
        self.write(&format!("{name}.pem"), &certificate.pem());
        self.write(&format!("{name}.key"), &key.serialize_pem());
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path(name), text).expect("a directory of our own");
    }
}

/// A redis-server that speaks TLS on its port, and plainly on the socket through which it is asked.
pub struct TlsServer {
    pub redis: RedisServer,
    pub certificates: Certificates,
}

impl TlsServer {
    /// A server that wants no certificates of clients.
    pub fn start() -> TlsServer {
        TlsServer::with(&["--tls-auth-clients", "no"])
    }

    pub fn with(arguments: &[&str]) -> TlsServer {
        let certificates = Certificates::new();
        let [server, key, ca] = ["server.pem", "server.key", "ca.pem"].map(|name| certificates.path(name));
        let tls = ["--tls-cert-file", &server, "--tls-key-file", &key, "--tls-ca-cert-file", &ca];
        TlsServer { redis: RedisServer::with_tls(&[&tls, arguments].concat()), certificates }
    }

    /// `-p PORT --tls --cacert FILE`, and `line` behind it.
    pub fn arguments(&self, line: &str) -> Vec<String> {
        self.redis.arguments(&format!("--tls --cacert {} {line}", self.certificates.path("ca.pem")))
    }
}
