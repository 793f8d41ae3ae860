//! Handshakes in memory between a client as the flags configure it and servers of all sorts.

use super::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConnection, ServerConfig, ServerConnection, SupportedProtocolVersion};
use std::io::{self, Cursor, Read, Write};
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory of its own, gone when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("rbench-tls-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A certificate with its key.
struct Pair {
    certificate: CertificateDer<'static>,
    pem: String,
    key: KeyPair,
}

impl Pair {
    fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    Authority::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn named(names: &[&str]) -> CertificateParams {
    CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap()
}

fn signed(params: CertificateParams, authority: &Authority) -> Pair {
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    Pair { pem: certificate.pem(), certificate: certificate.into(), key }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// A server that shows the certificate of `shown` and signs with the key of `signer`.
fn impostor(shown: &Pair, signer: &Pair, versions: &[&'static SupportedProtocolVersion]) -> Arc<ServerConfig> {
    let key = provider().key_provider.load_private_key(signer.key_der()).unwrap();
    let identity = CertifiedKey::new(vec![shown.certificate.clone()], key);
    let builder = ServerConfig::builder_with_provider(provider()).with_protocol_versions(versions).unwrap();
    Arc::new(builder.with_no_client_auth().with_cert_resolver(Arc::new(SingleCertAndKey::from(identity))))
}

fn server(pair: &Pair) -> Arc<ServerConfig> {
    impostor(pair, pair, &[&TLS12, &TLS13])
}

/// A server that lets in only clients with a certificate of `authority`.
fn strict_server(pair: &Pair, authority: &Authority, version: &'static SupportedProtocolVersion) -> Arc<ServerConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build().unwrap();
    let builder = ServerConfig::builder_with_provider(provider()).with_protocol_versions(&[version]).unwrap();
    let builder = builder.with_client_cert_verifier(verifier);
    Arc::new(builder.with_single_cert(vec![pair.certificate.clone()], pair.key_der()).unwrap())
}

fn client(tls: &Tls, host: &str) -> ClientConnection {
    ClientConnection::new(configure(tls).unwrap(), server_name(tls, host).unwrap()).unwrap()
}

/// Lets both sides talk until neither has more to say.
fn shake(tls: &Tls, host: &str, server: &Arc<ServerConfig>) -> Result<(ClientConnection, ServerConnection), String> {
    let (mut client, mut server) = (client(tls, host), ServerConnection::new(Arc::clone(server)).unwrap());
    let mut wire = Vec::new();
    while client.wants_write() || server.wants_write() {
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        let mut sent = wire.as_slice();
        // What the server thinks of it, it says in an alert.
        while !sent.is_empty() && server.read_tls(&mut sent).is_ok() {
            let _ = server.process_new_packets();
        }
        wire.clear();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let mut sent = wire.as_slice();
        while !sent.is_empty() {
            client.read_tls(&mut sent).unwrap();
            client.process_new_packets().map_err(|error| in_words(&error))?;
        }
        wire.clear();
    }
    assert!(!client.is_handshaking() && !server.is_handshaking(), "both are done");
    Ok((client, server))
}

/// Why the handshake failed.
fn refused(tls: &Tls, host: &str, server: &Arc<ServerConfig>) -> String {
    shake(tls, host, server).map(drop).expect_err("the handshake fails")
}

fn trusting(folder: &Folder, authority: &Authority) -> Tls {
    Tls { ca_file: Some(folder.file("ca.crt", &authority.pem())), ..Tls::default() }
}

#[test]
fn a_server_of_a_trusted_authority_is_believed_by_name_and_by_address() {
    let (folder, ca) = (Folder::new(), authority("ca"));
    let (tls, server) = (trusting(&folder, &ca), server(&signed(named(&["redis.test", "127.0.0.1", "::1"]), &ca)));
    for host in ["redis.test", "REDIS.test", "redis.test.", "127.0.0.1", "::1", "::1%lo"] {
        assert_eq!(shake(&tls, host, &server).err(), None, "{host}");
    }
    assert!(refused(&tls, "127.0.0.2", &server).contains("'127.0.0.2'"));
}

#[test]
fn a_server_of_another_authority_is_not_believed() {
    let (folder, ca, other) = (Folder::new(), authority("ca"), authority("other"));
    let server = server(&signed(named(&["redis.test"]), &other));
    let words = refused(&trusting(&folder, &ca), "redis.test", &server);
    assert_eq!(
        words,
        "the certificate is signed by nobody we trust; give its authority with --cacert, or --insecure to trust anybody"
    );
}

/// A machine may have no roots at all, and then that is said; but none has ours.
#[test]
fn by_default_an_authority_of_ours_is_not_trusted() {
    assert!(Tls::default().verify);
    let server = server(&signed(named(&["redis.test"]), &authority("ca")));
    match configure(&Tls::default()) {
        Ok(_) => assert!(refused(&Tls::default(), "redis.test", &server).contains("nobody we trust")),
        Err(error) => assert!(error.to_string().contains("--cacert"), "{error}"),
    }
}

#[test]
fn a_server_with_another_name_is_not_believed_and_both_names_are_told() {
    let (folder, ca) = (Folder::new(), authority("ca"));
    let tls = trusting(&folder, &ca);
    let words = refused(&tls, "other.test", &server(&signed(named(&["redis.test", "10.0.0.1"]), &ca)));
    assert!(words.contains("not for 'other.test' but for 'redis.test', '10.0.0.1'; "), "{words}");
    assert!(words.contains("--sni NAME"), "{words}");
    let words = refused(&tls, "other.test", &server(&signed(named(&[]), &ca)));
    assert!(words.contains("has no name") && words.contains("'other.test'"), "{words}");
}

#[test]
fn sni_is_the_name_that_is_sent_and_verified() {
    let (folder, ca) = (Folder::new(), authority("ca"));
    let server = server(&signed(named(&["redis.test"]), &ca));
    let tls = Tls { server_name: Some("redis.test".into()), ..trusting(&folder, &ca) };
    let (_, server_side) = shake(&tls, "127.0.0.1", &server).unwrap();
    assert_eq!(server_side.server_name(), Some("redis.test"));
    let tls = Tls { server_name: Some("other.test".into()), ..tls };
    assert!(refused(&tls, "redis.test", &server).contains("'other.test'"));
}

#[test]
fn insecure_believes_anybody_who_holds_the_key_of_the_certificate() {
    let (mine, theirs) = (authority("ca"), authority("ca"));
    let mut params = named(&["redis.test"]);
    params.not_after = rcgen::date_time_ymd(2000, 1, 1);
    let (expired, other) = (signed(params, &mine), signed(named(&["redis.test"]), &theirs));
    let tls = Tls { verify: false, ..Tls::default() };
    for version in [&TLS12, &TLS13] {
        assert_eq!(shake(&tls, "other.test", &impostor(&expired, &expired, &[version])).err(), None);
        let words = refused(&tls, "redis.test", &impostor(&expired, &other, &[version]));
        assert!(words.contains("signature"), "{words}");
    }
}

#[test]
fn dates_count() {
    let (folder, ca) = (Folder::new(), authority("ca"));
    let tls = trusting(&folder, &ca);
    let mut params = named(&["redis.test"]);
    params.not_after = rcgen::date_time_ymd(2000, 1, 1);
    let words = refused(&tls, "redis.test", &server(&signed(params, &ca)));
    assert!(words.starts_with("the certificate expired ") && words.contains(" days ago"), "{words}");
    let mut params = named(&["redis.test"]);
    params.not_before = rcgen::date_time_ymd(4000, 1, 1);
    let words = refused(&tls, "redis.test", &server(&signed(params, &ca)));
    assert!(words.contains("is the clock right?"), "{words}");
}

#[test]
fn a_client_certificate_is_shown_to_who_asks() {
    let (folder, ca, other) = (Folder::new(), authority("ca"), authority("other"));
    let without = trusting(&folder, &ca);
    let identified = |pair: &Pair, name: &str| Tls {
        client_certificate: Some(folder.file(&format!("{name}.crt"), &pair.pem)),
        client_key: Some(folder.file(&format!("{name}.key"), &pair.key.serialize_pem())),
        ..without.clone()
    };
    let ours = identified(&signed(named(&[]), &ca), "ours");
    let foreign = identified(&signed(named(&[]), &other), "foreign");
    for version in [&TLS12, &TLS13] {
        let server = strict_server(&signed(named(&["redis.test"]), &ca), &ca, version);
        let (_, server_side) = shake(&ours, "redis.test", &server).unwrap();
        assert_eq!(server_side.peer_certificates().map(<[_]>::len), Some(1));
        let words = refused(&without, "redis.test", &server);
        assert!(words.contains("--cert and --key"), "{words}");
        let words = refused(&foreign, "redis.test", &server);
        assert!(words.contains("authority of our certificate"), "{words}");
    }
}

#[test]
fn the_cipher_suites_that_are_named_are_the_only_ones_of_their_version() {
    let (folder, ca) = (Folder::new(), authority("ca"));
    let pair = signed(named(&["redis.test"]), &ca);
    let of = |list: &str| Tls { cipher_suites: cipher_names(list).unwrap(), ..trusting(&folder, &ca) };
    for (version, name, suite) in [
        (&TLS13, "TLS_CHACHA20_POLY1305_SHA256", rustls::CipherSuite::TLS13_CHACHA20_POLY1305_SHA256),
        (&TLS12, "ECDHE-ECDSA-CHACHA20-POLY1305", rustls::CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    ] {
        let (client, _) = shake(&of(name), "redis.test", &impostor(&pair, &pair, &[version])).unwrap();
        assert_eq!(client.negotiated_cipher_suite().unwrap().suite(), suite);
    }
    // The certificate is of ECDSA.
    let words = refused(&of("ECDHE-RSA-AES128-GCM-SHA256"), "redis.test", &impostor(&pair, &pair, &[&TLS12]));
    assert!(words.contains("--tls-ciphers"), "{words}");
}

#[test]
fn every_authority_in_a_directory_is_trusted_beside_that_of_the_file() {
    let (folder, authorities) = (Folder::new(), [authority("a"), authority("b"), authority("c")]);
    let directory = Folder::new();
    directory.file("one.pem", &authorities[0].pem());
    directory.file("two.crt", &authorities[1].pem());
    directory.file("two.hash.0", &authorities[1].pem());
    directory.file("README", "certificates of ours");
    directory.file("two.key", &KeyPair::generate().unwrap().serialize_pem());
    std::fs::create_dir(directory.0.join("old")).unwrap();
    std::os::unix::fs::symlink("/nowhere", directory.0.join("gone.pem")).unwrap();
    let tls = Tls { ca_directory: Some(directory.0.clone()), ..Tls::default() };
    let servers = authorities.each_ref().map(|authority| server(&signed(named(&["redis.test"]), authority)));
    for (server, trusted) in servers.iter().zip([true, true, false]) {
        assert_eq!(shake(&tls, "redis.test", server).is_ok(), trusted);
    }
    let both = Tls { ca_directory: tls.ca_directory, ..trusting(&folder, &authorities[2]) };
    for server in &servers {
        assert_eq!(shake(&both, "redis.test", server).err(), None);
    }
}

/// As `openssl req -x509` makes them.
#[test]
fn a_certificate_that_is_its_own_authority_is_believed_when_it_is_given() {
    let folder = Folder::new();
    let itself = |year| {
        let mut params = named(&["redis.test"]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Pair { pem: certificate.pem(), certificate: certificate.into(), key }
    };
    let (sound, expired, other) = (itself(4000), itself(2000), itself(4000));
    let given = |pair: &Pair| Tls { ca_file: Some(folder.file("self.crt", &pair.pem)), ..Tls::default() };
    assert_eq!(shake(&given(&sound), "redis.test", &server(&sound)).err(), None);
    assert!(refused(&given(&sound), "other.test", &server(&sound)).contains("'other.test'"));
    assert!(refused(&given(&sound), "redis.test", &impostor(&sound, &other, &[&TLS13])).contains("signature"));
    assert!(refused(&given(&expired), "redis.test", &server(&expired)).contains("expired"));
    let words = refused(&given(&other), "redis.test", &server(&sound));
    assert!(words.contains("its own authority") && words.contains("--cacert"), "{words}");
}

/// As `openssl x509 -req` made it without extensions, which is how Redis makes the certificates of its tests.
const VERSION_1: &str = "-----BEGIN CERTIFICATE-----
MIIBHzCBxwIUTLfMM1vQjdTU8IzgX84kk9o4iJYwCgYIKoZIzj0EAwIwDTELMAkG
A1UEAwwCY2EwIBcNMjYxMTIzMTcyNDAwWhgPMjEyNjEwMzAxNzI0MDBaMBcxFTAT
BgNVBAMMDEdlbmVyaWMtY2VydDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABAiC
kY1BcRUDEB6OF/Ieokw5+vO9zx6/nXcy0Qu78Czlt61eVX3qsdv/zdJThoYRzbxK
PGQIji7aPyEGRk9X/9IwCgYIKoZIzj0EAwIDRwAwRAIgNBigi0re8s+U/XUdL4bf
i5WSpnYEXvBBMbDkhE1USrwCIGbe4yrS40GFr7TwGxv08GGKfIQvrWZEgd8RFjyh
cj2O
-----END CERTIFICATE-----
";
const VERSION_1_KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgpduTW0xqvaCbIgci
mrw9HmZ8PYluxmiHxncfD+rQIq+hRANCAAQIgpGNQXEVAxAejhfyHqJMOfrzvc8e
v513MtELu/As5betXlV96rHb/83SU4aGEc28SjxkCI4u2j8hBkZPV//S
-----END PRIVATE KEY-----
";

#[test]
fn a_certificate_of_version_1_is_for_the_insecure_and_may_be_ours() {
    let (folder, ca) = (Folder::new(), authority("ca"));
    let (file, key) = (folder.file("v1.crt", VERSION_1), folder.file("v1.key", VERSION_1_KEY));
    let certificate = pem::certificates("--cert", &file).unwrap().remove(0);
    let pair = Pair { certificate, pem: VERSION_1.into(), key: KeyPair::from_pem(VERSION_1_KEY).unwrap() };
    let tls = Tls { client_certificate: Some(file), client_key: Some(key), ..trusting(&folder, &ca) };
    for version in [&TLS12, &TLS13] {
        let server = impostor(&pair, &pair, &[version]);
        assert!(refused(&tls, "redis.test", &server).contains("version 1"));
        assert_eq!(shake(&Tls { verify: false, ..tls.clone() }, "redis.test", &server).err(), None);
    }
}

#[test]
fn what_is_wrong_is_said_with_its_flag_and_its_file() {
    let (folder, ca) = (Folder::new(), authority("ca"));
    let (pair, other) = (signed(named(&[]), &ca), signed(named(&[]), &ca));
    let certificate = folder.file("a.crt", &pair.pem);
    let key = folder.file("a.key", &pair.key.serialize_pem());
    let other_key = folder.file("other.key", &other.key.serialize_pem());
    let nowhere = folder.0.join("nowhere");
    let prose = folder.file("prose", "hunter2");
    let cut = folder.file("cut", &pair.pem[..100]);
    let cut_key = folder.file("cut.key", "-----BEGIN PRIVATE KEY-----\nhunter2!\n-----END PRIVATE KEY-----\n");
    let no_der = folder.file("no_der", "-----BEGIN CERTIFICATE-----\nMTIz\n-----END CERTIFICATE-----\n");
    let no_key = folder.file("no.key", "-----BEGIN PRIVATE KEY-----\nMTIz\n-----END PRIVATE KEY-----\n");
    let pkcs8 = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMTIz\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let pkcs8 = folder.file("pkcs8.key", pkcs8);
    let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMTIz\n-----END RSA PRIVATE KEY-----\n";
    let old = folder.file("old.key", old);
    let empty = folder.0.join("empty");
    std::fs::create_dir(&empty).unwrap();

    let file = |path: &PathBuf| Tls { ca_file: Some(path.clone()), ..Tls::default() };
    let directory = |path: &PathBuf| Tls { ca_directory: Some(path.clone()), ..Tls::default() };
    let identity = |certificate: Option<&PathBuf>, key: Option<&PathBuf>| Tls {
        client_certificate: certificate.cloned(),
        client_key: key.cloned(),
        verify: false,
        ..Tls::default()
    };
    let (with, nobody) = (|key| identity(Some(&certificate), Some(key)), None);
    for (tls, flag, path, what) in [
        (file(&nowhere), "--cacert: ", Some(&nowhere), "cannot read"),
        (Tls { verify: false, ..file(&nowhere) }, "--cacert: ", Some(&nowhere), "no such file or directory"),
        (file(&prose), "--cacert: ", Some(&prose), "no certificate"),
        (file(&key), "--cacert: ", Some(&key), "no certificate"),
        (file(&cut), "--cacert: ", Some(&cut), "-----END"),
        (file(&no_der), "--cacert: ", Some(&no_der), "cannot be an authority"),
        (directory(&nowhere), "--cacertdir: ", Some(&nowhere), "cannot read"),
        (directory(&empty), "--cacertdir: ", Some(&empty), "no certificate"),
        (identity(Some(&certificate), nobody), "--cert ", nobody, "give it with --key"),
        (identity(nobody, Some(&key)), "--key ", nobody, "give it with --cert"),
        (identity(Some(&nowhere), Some(&key)), "--cert: ", Some(&nowhere), "cannot read"),
        (identity(Some(&prose), Some(&key)), "--cert: ", Some(&prose), "no certificate"),
        (with(&nowhere), "--key: ", Some(&nowhere), "cannot read"),
        (with(&certificate), "--key: ", Some(&certificate), "no private key"),
        (with(&cut_key), "--key: ", Some(&cut_key), "base64"),
        (with(&no_key), "--key: ", Some(&no_key), "of no kind"),
        (with(&pkcs8), "--key: ", Some(&pkcs8), "is encrypted; decrypt it first: openssl pkey"),
        (with(&old), "--key: ", Some(&old), "is encrypted"),
        (with(&other_key), "--key: ", Some(&other_key), "not that of the first certificate in"),
        (Tls { cipher_suites: vec!["RC4".into()], ..file(&certificate) }, "", nobody, "'RC4'"),
    ] {
        let error = configure(&tls).unwrap_err().to_string();
        assert!(error.starts_with(flag) && error.contains(what) && error.lines().count() == 1, "{error}");
        assert!(path.is_none_or(|path| error.contains(&path.display().to_string())), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    assert!(configure(&with(&key)).is_ok());
}

#[test]
fn a_name_that_no_certificate_can_bear_is_refused() {
    let named = |name: &str| Tls { server_name: Some(name.to_owned()), ..Tls::default() };
    for (tls, host, what) in [
        (named("two words"), "h", "--sni: 'two words'"),
        (named(""), "h", "--sni: ''"),
        (Tls::default(), "two words", "'two words'"),
        (Tls::default(), "", "--sni"),
        (Tls::default(), "/run/redis.sock", "unix socket"),
        (named("h"), "/run/redis.sock", "unix socket"),
    ] {
        let error = server_name(&tls, host).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
}

/// A peer that has said all that it will ever say.
struct Said(Cursor<&'static [u8]>);

impl Read for Said {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_server_without_tls_is_called_that() {
    for (said, words) in [
        ("-ERR unknown command\r\n", "it does not speak TLS on this port"),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", "it does not speak TLS on this port"),
        ("+PONG", "it does not speak TLS on this port"),
        ("", "it hung up during the TLS handshake; does it speak TLS on this port?"),
    ] {
        let mut client = client(&Tls { verify: false, ..Tls::default() }, "redis.test");
        let error = client.complete_io(&mut Said(Cursor::new(said.as_bytes()))).unwrap_err();
        assert_eq!(inside(&error).is_some(), !said.is_empty(), "{said:?}");
        assert_eq!(handshake_in_words(&error), words, "{said:?}");
        // Other libraries put errors of theirs around it.
        let wrapped = io::Error::other(error);
        assert_eq!(inside(&wrapped).is_some(), !said.is_empty(), "{said:?}");
    }
    for (kind, words) in [(io::ErrorKind::TimedOut, MUTE), (io::ErrorKind::ConnectionRefused, "connection refused")] {
        assert_eq!(handshake_in_words(&io::Error::from(kind)), words);
    }
}
