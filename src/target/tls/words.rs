//! Why a handshake failed, in words for people. Each is to follow the name of a server and a colon.

use super::verify::{OWN_AUTHORITY, VERSION_1, cause, is};
use crate::target::control;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};
use std::io;
use std::time::Duration;

/// What to say when the time for a handshake is over. A Redis without TLS takes the first message for the start of a
/// command and waits for the rest.
pub const MUTE: &str = "it does not answer the TLS handshake; does it speak TLS on this port?";

const NOT_TLS: &str = "it does not speak TLS on this port";
const UNTRUSTED: &str =
    "the certificate is signed by nobody we trust; give its authority with --cacert, or --insecure to trust anybody";

/// The failure of a handshake, or of a connection after it.
pub fn in_words(error: &Error) -> String {
    match error {
        Error::InvalidMessage(_) | Error::PeerSentOversizedRecord => NOT_TLS.to_owned(),
        Error::InvalidCertificate(fault) => certificate(error, fault),
        Error::AlertReceived(alert) => received(*alert),
        Error::NoCertificatesPresented => "it shows no certificate".to_owned(),
        Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13 | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => "it speaks neither TLS 1.2 nor 1.3, and rustls has no other".to_owned(),
        Error::DecryptError => "what it sent cannot be decrypted: it was damaged on the way".to_owned(),
        error => format!("TLS failed: {}", one_line(&error.to_string())),
    }
}

/// The failure of a read, write or `complete_io` during a handshake: TLS's when there is one inside, else the system's.
pub fn handshake_in_words(error: &io::Error) -> String {
    match inside(error) {
        Some(error) => in_words(error),
        None => match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionAborted => {
                "it hung up during the TLS handshake; does it speak TLS on this port?".to_owned()
            }
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => MUTE.to_owned(),
            _ => control::in_words(error),
        },
    }
}

/// The TLS error within an error of a stream, if that is what it is.
pub fn inside(error: &io::Error) -> Option<&Error> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error.get_ref()?);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<Error>() {
            return Some(found);
        }
        next = match error.downcast_ref::<io::Error>() {
            // An io::Error passes over what it holds when it is asked for its source.
            Some(error) => error.get_ref().map(|inner| inner as _),
            None => error.source(),
        };
    }
    None
}

fn certificate(error: &Error, fault: &CertificateError) -> String {
    match fault {
        CertificateError::UnknownIssuer => UNTRUSTED.to_owned(),
        CertificateError::NotValidForName => {
            "the certificate is for another name; give the name that it bears with --sni".to_owned()
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let expected = expected.to_str();
            if presented.is_empty() {
                return format!(
                    "the certificate has no name (a common name does not count), and '{expected}' was expected; make one with the name in subjectAltName, or give --insecure to trust anybody"
                );
            }
            let presented: Vec<String> = presented.iter().map(|name| bare(name)).collect();
            format!(
                "the certificate is not for '{expected}' but for {}; give the name that it bears with --sni NAME",
                presented.join(", ")
            )
        }
        CertificateError::Expired => "the certificate has expired; renew it, or give --insecure to trust anybody".to_owned(),
        CertificateError::ExpiredContext { time, not_after } => format!(
            "the certificate expired {} ago; renew it, or give --insecure to trust anybody",
            apart(*not_after, *time)
        ),
        CertificateError::NotValidYet => "the certificate is not valid yet; is the clock right?".to_owned(),
        CertificateError::NotValidYetContext { time, not_before } => {
            format!("the certificate is not valid for another {}; is the clock right?", apart(*time, *not_before))
        }
        CertificateError::Revoked => "the certificate was revoked".to_owned(),
        CertificateError::BadSignature => {
            "a signature is not by the key of the certificate that should have made it".to_owned()
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the certificate is not meant for a server: its extended key usage lacks serverAuth".to_owned()
        }
        // Not one of the user's, or it would have been believed.
        _ if is(error, OWN_AUTHORITY) => {
            "the certificate is its own authority, which we do not trust; give it with --cacert, or --insecure to trust anybody"
                .to_owned()
        }
        _ if is(error, VERSION_1) => {
            "the certificate is of version 1, which has no names to verify; make one of version 3 with subjectAltName, or give --insecure to trust anybody"
                .to_owned()
        }
        _ => format!("the certificate is not sound: {}", one_line(&cause(error))),
    }
}

/// What the server said before it hung up.
fn received(alert: AlertDescription) -> String {
    let text = match alert {
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
            "it asks for a certificate of ours; give --cert and --key"
        }
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            "it found nothing in common with us: does it ask for a certificate (--cert and --key), or for other cipher suites (--tls-ciphersuites, --tls-ciphers)?"
        }
        AlertDescription::ProtocolVersion => "it speaks neither TLS 1.2 nor 1.3, and rustls has no other",
        AlertDescription::UnknownCA => "it does not trust the authority of our certificate; is --cert the right one?",
        AlertDescription::CertificateExpired => "it says that our certificate has expired; is --cert the right one?",
        AlertDescription::CertificateRevoked => "it says that our certificate was revoked; is --cert the right one?",
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::DecryptError
        | AlertDescription::AccessDenied => "it refuses our certificate; are --cert and --key the right ones?",
        AlertDescription::UnrecognisedName => {
            "it does not know the name that it was asked for; give another with --sni"
        }
        _ => return format!("it ended TLS with the alert {alert:?}"),
    };
    text.to_owned()
}

/// webpki shows the names of a certificate as `DnsName("h")` and `IpAddress(127.0.0.1)`.
fn bare(name: &str) -> String {
    let inner = name.split_once('(').map_or(name, |(_, inner)| inner.trim_end_matches(')'));
    format!("'{}'", inner.trim_matches('"'))
}

/// The time between two instants in the unit that suits it.
fn apart(from: UnixTime, to: UnixTime) -> String {
    let between = Duration::from_secs(to.as_secs().saturating_sub(from.as_secs()));
    let (count, unit) = match between.as_secs() {
        seconds @ ..120 => (seconds, "second"),
        seconds @ ..7_200 => (seconds / 60, "minute"),
        seconds @ ..172_800 => (seconds / 3_600, "hour"),
        seconds => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

fn one_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim_end_matches([' ', '.']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_leads_to_the_flags_that_it_is_about() {
        for (alert, word) in [
            (AlertDescription::CertificateRequired, "--cert and --key"),
            (AlertDescription::HandshakeFailure, "--tls-ciphers"),
            (AlertDescription::ProtocolVersion, "neither TLS 1.2 nor 1.3"),
            (AlertDescription::UnknownCA, "does not trust the authority of our certificate"),
            (AlertDescription::BadCertificate, "refuses our certificate"),
            (AlertDescription::UnrecognisedName, "--sni"),
            (AlertDescription::InternalError, "InternalError"),
        ] {
            let words = in_words(&Error::AlertReceived(alert));
            assert!(words.contains(word), "{words}");
        }
    }

    #[test]
    fn the_time_since_a_certificate_expired_has_a_unit_that_suits_it() {
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        for (seconds, text) in
            [(1, "1 second"), (119, "119 seconds"), (120, "2 minutes"), (7_200, "2 hours"), (172_800, "2 days")]
        {
            assert_eq!(apart(at(5), at(5 + seconds)), text);
        }
    }
}
