//! Cipher suites by the names that OpenSSL and IANA give them.

use super::error::TlsError;
use rustls::{CipherSuite, SupportedCipherSuite};

/// The names in a list with `:` or `,` between them, as `--tls-ciphersuites` and `--tls-ciphers` take it.
///
/// # Errors
/// [`TlsError`] when `rustls` has no suite of one of these names. OpenSSL's words for many suites at once, such as
/// `HIGH:!aNULL`, are none.
pub fn cipher_names(list: &str) -> Result<Vec<String>, TlsError> {
    let names: Vec<String> = list.split([':', ',']).map(|name| name.trim().to_owned()).collect();
    choose(&names, rustls::crypto::ring::ALL_CIPHER_SUITES).map(|_| names)
}

/// The suites of `all` that `names` call for, in the order of `names`. A version of TLS of which no suite is named keeps
/// all that it has, because OpenSSL has a list for each and leaves the other alone.
pub fn choose(names: &[String], all: &[SupportedCipherSuite]) -> Result<Vec<SupportedCipherSuite>, TlsError> {
    let (tls13, tls12): (Vec<_>, Vec<_>) = all.iter().copied().partition(|suite| suite.tls13().is_some());
    let mut chosen: Vec<SupportedCipherSuite> = Vec::new();
    for name in names {
        let known = all.iter().find(|suite| {
            let (iana, openssl) = (iana_name(suite.suite()), openssl_name(suite.suite()));
            name.eq_ignore_ascii_case(&iana) || name.eq_ignore_ascii_case(&openssl)
        });
        let suite = known.ok_or_else(|| TlsError::UnknownCipherSuite {
            name: name.clone(),
            tls13: list(&tls13, iana_name),
            tls12: list(&tls12, openssl_name),
        })?;
        if !chosen.contains(suite) {
            chosen.push(*suite);
        }
    }
    for version in [tls13, tls12] {
        if !version.iter().any(|suite| chosen.contains(suite)) {
            chosen.extend(version);
        }
    }
    Ok(chosen)
}

fn list(suites: &[SupportedCipherSuite], name: fn(CipherSuite) -> String) -> String {
    suites.iter().map(|suite| name(suite.suite())).collect::<Vec<_>>().join(", ")
}

/// `TLS_AES_128_GCM_SHA256`: `rustls` writes the version into the names of TLS 1.3.
fn iana_name(suite: CipherSuite) -> String {
    suite.as_str().unwrap_or_default().replace("TLS13_", "TLS_")
}

/// `ECDHE-RSA-AES128-GCM-SHA256`: OpenSSL's spelling for TLS 1.2. Those of TLS 1.3 it spells as IANA does.
fn openssl_name(suite: CipherSuite) -> String {
    let iana = iana_name(suite);
    if !iana.contains("_WITH_") {
        return iana;
    }
    let name = iana.replace("TLS_", "").replace("_WITH_", "_").replace("AES_", "AES").replace('_', "-");
    // The hash goes without saying where there is but one.
    name.replace("POLY1305-SHA256", "POLY1305")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::crypto::ring::ALL_CIPHER_SUITES;

    fn chosen(list: &str) -> Vec<String> {
        let names = cipher_names(list).unwrap();
        choose(&names, ALL_CIPHER_SUITES).unwrap().iter().map(|suite| openssl_name(suite.suite())).collect()
    }

    #[test]
    fn a_suite_goes_by_the_names_of_openssl_and_iana() {
        for (name, suite) in [
            ("TLS_AES_128_GCM_SHA256", CipherSuite::TLS13_AES_128_GCM_SHA256),
            ("TLS_CHACHA20_POLY1305_SHA256", CipherSuite::TLS13_CHACHA20_POLY1305_SHA256),
            ("ECDHE-RSA-AES128-GCM-SHA256", CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
            ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
            ("ECDHE-ECDSA-AES256-GCM-SHA384", CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
            ("ECDHE-ECDSA-CHACHA20-POLY1305", CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
        ] {
            assert_eq!(choose(&[name.to_owned()], ALL_CIPHER_SUITES).unwrap()[0].suite(), suite, "{name}");
        }
    }

    #[test]
    fn the_order_is_the_users_and_the_other_version_keeps_its_suites() {
        let suites = chosen("ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256");
        assert_eq!(suites[..2], ["ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-RSA-AES128-GCM-SHA256"]);
        assert_eq!(suites.len(), 2 + 3, "{suites:?}");
        let suites = chosen("TLS_CHACHA20_POLY1305_SHA256, TLS_AES_128_GCM_SHA256");
        assert_eq!(suites[..2], ["TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"]);
        assert_eq!(suites.len(), 2 + 6, "{suites:?}");
    }

    #[test]
    fn a_suite_that_rustls_has_not_is_refused_with_those_that_it_has() {
        for list in ["TLS_AES_128_CCM_SHA256", "HIGH:!aNULL", "AES128-SHA", "", "TLS_AES_128_GCM_SHA256::"] {
            let error = cipher_names(list).unwrap_err().to_string();
            for known in ["TLS_AES_256_GCM_SHA384", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"] {
                assert!(error.contains(known), "{error}");
            }
        }
    }
}
