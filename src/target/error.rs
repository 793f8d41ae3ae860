//! Why a server could not be reached, or would not let us in: a line for each, with the way out.

use super::control::ControlError;
use super::tls::TlsError;
use std::time::Duration;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum TargetError {
    #[error("cannot find {name}: {cause}; is the host name right?")]
    Lookup { name: String, cause: String },
    #[error("cannot find {name}: no answer to the look-up within {seconds} s; is the name server up?")]
    LookupTimeout { name: String, seconds: f64 },
    #[error("cannot reach {name}: {cause}; is the server up, and are host and port right?")]
    Unreachable { name: String, cause: String },
    #[error("cannot reach {name}: no connection within {seconds} s; is the address right, or a firewall in between?")]
    ConnectTimeout { name: String, seconds: f64 },
    #[error(
        "{name} took the connection but said nothing within {seconds} s; is it a Redis server, and is it not stalled?"
    )]
    Mute { name: String, seconds: f64 },
    #[error("{0}")]
    Certificates(#[from] TlsError),
    #[error("cannot reach {name} over TLS: {cause}")]
    Tls { name: String, cause: String },
    #[error("{name} refused the password: {reply}")]
    Refused { name: String, reply: String },
    #[error("{name} asks for a password: {reply}; give it with -a or REDISCLI_AUTH")]
    PasswordNeeded { name: String, reply: String },
    #[error("{name} cannot switch to database {database}: {reply}")]
    Database { name: String, database: u32, reply: String },
    #[error("{name} does not speak the Redis protocol: {cause}")]
    NotRedis { name: String, cause: String },
    #[error("{name} broke the connection: {cause}; is it a Redis server, and does it want TLS (--tls)?")]
    Broken { name: String, cause: String },
    #[error("no sentinel answers ({tried}); are they up, and is --sentinel right?")]
    NoSentinel { tried: String },
    #[error("{name} asks for a password: {reply}; give it with --sentinel-pass or RBENCH_SENTINEL_AUTH")]
    SentinelPassword { name: String, reply: String },
    #[error("no sentinel knows a master named '{name}'; they know: {known}")]
    UnknownMaster { name: String, known: String },
    #[error("the sentinels know of no replica of '{name}' that is up")]
    NoReplica { name: String },
    #[error("{name} is no node of a cluster: {reply}; leave --cluster out")]
    NotACluster { name: String, reply: String },
    #[error("the cluster of {name} has no node that serves a slot and is asked for by --rfr")]
    NoSlots { name: String },
}

impl TargetError {
    /// What became of a control connection to the server that goes by `name`.
    pub fn of_control(error: ControlError, name: &str, patience: Duration) -> TargetError {
        let name = name.to_owned();
        let seconds = rounded(patience);
        match error {
            ControlError::Unreachable(cause) => TargetError::Unreachable { name, cause },
            ControlError::ConnectTimeout => TargetError::ConnectTimeout { name, seconds },
            ControlError::Mute => TargetError::Mute { name, seconds },
            ControlError::Tls(cause) => TargetError::Tls { name, cause },
            ControlError::Refused(reply) => TargetError::Refused { name, reply },
            ControlError::PasswordNeeded(reply) => TargetError::PasswordNeeded { name, reply },
            ControlError::Database { number, reply } => TargetError::Database { name, database: number, reply },
            ControlError::NotRedis(cause) => TargetError::NotRedis { name, cause },
            ControlError::Broken(cause) => TargetError::Broken { name, cause },
        }
    }
}

/// Seconds as they were meant: what was left of a patience of 2 s when the asking began is 2 s to the reader.
pub fn rounded(patience: Duration) -> f64 {
    let seconds = patience.as_secs_f64();
    let scale = match seconds {
        0.9.. => 10.0,
        0.09.. => 100.0,
        _ => 1000.0,
    };
    (seconds * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_told_as_they_were_meant() {
        for (nanos, text) in [
            (1_999_396_224, "2"),
            (998_500_000, "1"),
            (499_600_000, "0.5"),
            (12_490_000_000, "12.5"),
            (250_000_000, "0.25"),
        ] {
            assert_eq!(rounded(Duration::from_nanos(nanos)).to_string(), text);
        }
        assert_eq!(rounded(Duration::ZERO).to_string(), "0");
    }
}
