//! TLS: who is trusted, who is not, and that nothing else about a run changes.

mod support;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use support::fake::{fake_server, relay, stay_mute};
use support::tls::{NAME, TlsServer};
use support::{Ran, RedisServer, measure, program, rbench};

#[track_caller]
fn run(server: &TlsServer, line: &str) -> Ran {
    rbench(&server.arguments(line)).succeeded()
}

/// The arguments with `cacert` in place of the authority that is to be trusted.
fn trusting(server: &TlsServer, flags: &str, line: &str) -> Vec<String> {
    server.redis.arguments(&format!("--tls {flags} {line}"))
}

#[test]
fn a_trusted_server_takes_every_request() {
    let server = TlsServer::start();
    for shape in ["-c 5", "-c 5 -P 16", "-c 6 --threads 2", "-c 5 -k 0", "-c 5 -3", "-c 3 --dbnum 2"] {
        server.redis.reset();
        run(&server, &format!("{shape} -n 500 -t set,get"));
        assert_eq!((server.redis.calls_of("set"), server.redis.calls_of("get")), (500, 500), "{shape}");
    }
}

#[test]
fn large_values_go_both_ways() {
    let server = TlsServer::start();
    run(&server, "-d 1000000 -P 16 -n 64 -c 2 -t set,get");
    assert_eq!(server.redis.ask(&["STRLEN", "key:__rand_int__"]).number(), 1_000_000);
    assert_eq!(server.redis.calls_of("get"), 64);
}

#[test]
fn a_server_that_nobody_vouches_for_is_refused_at_once() {
    let server = TlsServer::start();
    let stranger = format!("--cacert {}", server.certificates.path("stranger-ca.pem"));
    for flags in ["", &stranger] {
        let ran =
            rbench(&trusting(&server, flags, "-n 10")).failed(3, &[&server.redis.port.to_string(), "certificate"]);
        // The connect timeout is five seconds.
        assert!(ran.elapsed < Duration::from_secs(5), "{ran:?}");
    }
    assert_eq!(server.redis.calls_of("set"), 0);
}

#[test]
fn the_roots_of_the_platform_are_the_default() {
    let server = TlsServer::start();
    let mut command = program::command(&trusting(&server, "", "-n 10 -t set"));
    command.env("SSL_CERT_FILE", server.certificates.path("ca.pem"));
    program::spawn(command, b"").end().succeeded();
}

#[test]
fn a_directory_of_certificates_is_trusted() {
    let server = TlsServer::start();
    let directory = format!("--cacertdir {}", server.certificates.directory());
    rbench(&trusting(&server, &directory, "-n 10 -t set")).succeeded();
}

/// The certificate is for 127.0.0.1, localhost and one more name, and the server listens at 127.0.0.2, too.
#[test]
fn the_name_is_verified() {
    let server = TlsServer::with(&["--tls-auth-clients", "no", "--bind", "127.0.0.1", "127.0.0.2"]);
    run(&server, "-n 10 -t set -h localhost");
    for line in ["-h 127.0.0.2", "--sni other.test", "-h other.test --resolve other.test=127.0.0.1"] {
        rbench(&server.arguments(&format!("-n 10 -t set {line}"))).failed(3, &["certificate"]);
    }
    run(&server, &format!("-n 10 -t set -h 127.0.0.2 --sni {NAME}"));
    run(&server, &format!("-n 10 -t set -h {NAME} --resolve {NAME}=127.0.0.2"));
}

#[test]
fn whoever_asks_for_it_is_not_protected() {
    let server = TlsServer::start();
    for line in ["", "--sni other.test"] {
        rbench(&trusting(&server, "--insecure", &format!("{line} -n 10 -t set"))).succeeded();
    }
}

#[test]
fn a_server_that_wants_a_certificate_gets_it() {
    let server = TlsServer::with(&["--tls-auth-clients", "yes"]);
    let with = |name: &str| {
        let [certificate, key] = ["pem", "key"].map(|end| server.certificates.path(&format!("{name}.{end}")));
        server.arguments(&format!("--cert {certificate} --key {key} -n 10 -t set"))
    };
    rbench(&with("client")).succeeded();
    assert_eq!(server.redis.calls_of("set"), 10);
    rbench(&with("stranger")).failed(3, &[&server.redis.port.to_string()]);
    rbench(&server.arguments("-n 10 -t set")).failed(3, &["certificate"]);
    assert_eq!(server.redis.calls_of("set"), 10);
}

#[test]
fn a_certificate_without_its_key_is_a_mistake() {
    let server = TlsServer::start();
    let [certificate, key] = ["client.pem", "client.key"].map(|name| server.certificates.path(name));
    rbench(&server.arguments(&format!("--cert {certificate}"))).failed(2, &["--key"]);
    rbench(&server.arguments(&format!("--key {key}"))).failed(2, &["--cert"]);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let server = TlsServer::start();
    let good = server.certificates.path("client.pem");
    for flags in ["--cacert /no/such/file", "--cacertdir /no/such/file", &format!("--cert {good} --key /no/such/file")]
    {
        let ran = rbench(&trusting(&server, flags, "-n 10"));
        assert!(matches!(ran.code, Some(1..=3)), "{ran:?}");
        let code = ran.code.unwrap();
        ran.failed(code, &["/no/such/file"]);
    }
}

#[test]
fn who_forgets_tls_is_reminded_of_it() {
    let server = TlsServer::start();
    rbench(&server.redis.arguments("-n 10 -t set")).failed(1, &[&server.redis.name(), "--tls"]);
}

#[test]
fn a_plain_server_is_told_within_the_connect_timeout() {
    let server = RedisServer::start();
    let ran = rbench(&server.arguments("--tls --insecure --connect-timeout 500ms")).failed(3, &["TLS"]);
    assert!(ran.elapsed < Duration::from_secs(4), "{ran:?}");
}

#[test]
fn a_mute_server_is_told_within_the_connect_timeout() {
    let port = fake_server(stay_mute).to_string();
    let ran = rbench(&["-p", &port, "--tls", "--insecure", "--connect-timeout", "500ms"]).failed(3, &[&port]);
    assert!(ran.elapsed < Duration::from_secs(4), "{ran:?}");
}

#[test]
fn a_server_that_wants_tls_is_not_measured_without() {
    let server = TlsServer::start();
    let ran = rbench(&server.redis.arguments("-n 10 -t set"));
    assert!(matches!(ran.code, Some(1 | 3)), "{ran:?}");
    let code = ran.code.unwrap();
    ran.failed(code, &["connection"]);
}

#[test]
fn a_uri_says_tls_by_its_scheme() {
    let server = TlsServer::with(&["--tls-auth-clients", "no", "--requirepass", "open:sesame"]);
    let (port, ca) = (server.redis.port.to_string(), server.certificates.path("ca.pem"));
    for scheme in ["rediss", "valkeys"] {
        server.redis.reset();
        let uri = format!("{scheme}://:open%3Asesame@127.0.0.1:{port}/2");
        rbench(&["-u", &uri, "--cacert", &ca, "-n", "10", "-t", "set"]).succeeded();
        assert_eq!(server.redis.calls_of("set"), 10, "{scheme}");
    }
}

#[test]
fn handshakes_are_timed_apart() {
    let server = TlsServer::start();
    let measured = measure(&server.arguments("-k 0 -n 50 -c 1 -t set")).ended(0);
    assert_eq!(measured.count("tls_handshake_time"), 50);
    assert_eq!(measured.count("connect_time"), 50);
    assert_eq!(measured.count("service_time"), 50);
    // A handshake costs some hundred times what a request does: in the latency of requests it would be seen.
    let [handshake, request] = ["tls_handshake_time", "service_time"].map(|name| &measured.result()[name]["min"]);
    assert!(handshake.as_u64() > request.as_u64(), "{handshake} {request}");
}

#[test]
fn without_tls_there_are_no_handshakes() {
    let server = RedisServer::start();
    let measured = measure(&server.arguments("-k 0 -n 50 -c 1 -t set")).ended(0);
    assert_eq!(measured.count("tls_handshake_time"), 0);
}

#[test]
fn a_cipher_suite_that_there_is_not_is_a_mistake() {
    let server = TlsServer::start();
    // The second is a suite of TLS 1.3, but none of ours.
    for suite in ["TLS_NO_SUCH_SUITE", "TLS_AES_128_CCM_SHA256"] {
        rbench(&server.arguments(&format!("--tls-ciphersuites {suite}"))).failed(2, &["--tls-ciphersuites", suite]);
    }
    rbench(&server.arguments("--tls-ciphers RC4-MD5")).failed(2, &["--tls-ciphers", "RC4-MD5"]);
}

#[test]
fn only_cipher_suites_that_were_asked_for_are_offered() {
    let server = TlsServer::with(&["--tls-auth-clients", "no", "--tls-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"]);
    run(&server, "-n 10 -t set --tls-ciphersuites TLS_CHACHA20_POLY1305_SHA256");
    run(&server, "-n 10 -t set --tls-ciphersuites TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
    let refused = server.arguments("-n 10 -t set --tls-ciphersuites TLS_AES_256_GCM_SHA384");
    rbench(&refused).failed(3, &[&server.redis.port.to_string()]);
}

/// Each tenth connection is taken and never answered. One after the other, ten of them would take twenty seconds.
#[test]
fn a_handshake_that_hangs_holds_nobody_else_up() {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let server = TlsServer::start();
    let address = SocketAddr::from(([127, 0, 0, 1], server.redis.port));
    let port = fake_server(move |stream| match TAKEN.fetch_add(1, Ordering::Relaxed) % 10 {
        9 => stay_mute(stream),
        _ => relay(stream, address),
    });
    let ca = server.certificates.path("ca.pem");
    let line = "-n 100 -c 10 -k 0 -t set --on-error reconnect --connect-timeout 2s";
    let ran = rbench(&support::words(&format!("-p {port} --tls --cacert {ca} {line}"))).ended(4);
    assert_eq!(server.redis.calls_of("set"), 100);
    assert!(ran.elapsed < Duration::from_secs(15), "{ran:?}");
}
