//! What a lab is to be like.

use super::error::LabError;
use super::topology::{PODS, PROXIES_MAX};
use crate::target::Secret;
use crate::units::Nanos;
use std::path::PathBuf;

/// The wishes of whoever wants a lab.
#[derive(Debug, Clone)]
pub struct Options {
    pub proxies: usize,
    /// The password of the redis servers. The sentinels let anybody in, as the chart has it.
    pub password: Option<Secret>,
    /// How long the master must be silent before a sentinel holds it for down.
    pub down_after: Nanos,
    /// Replicas without which the master takes no writes.
    pub min_replicas: usize,
    /// Where configurations, data and logs go. A directory of the lab's own when None.
    pub directory: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Options {
        Options { proxies: 2, password: None, down_after: Nanos::from_secs(1), min_replicas: 1, directory: None }
    }
}

impl Options {
    /// # Errors
    /// [`LabError::Option`] when no such lab can be.
    pub fn check(&self) -> Result<(), LabError> {
        let refused = |option, expected: String| Err(LabError::Option { option, expected });
        if !(1..=PROXIES_MAX).contains(&self.proxies) {
            return refused("--proxies", format!("expected 1 to {PROXIES_MAX}"));
        }
        // Shorter than a turn of the sentinels' own clock, a tenth of a second, nobody would ever be up.
        if !(Nanos::from_millis(100)..=Nanos::from_secs(3600)).contains(&self.down_after) {
            return refused("--down-after", "expected 100ms to 1h".to_owned());
        }
        if self.min_replicas >= PODS {
            return refused("--min-replicas", format!("expected 0 to {}", PODS - 1));
        }
        // A sentinel writes its configuration anew as it goes, and the password without the quotes that it came in.
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"'\\".contains(&byte);
        if self.password.as_ref().is_some_and(|given| given.expose().is_empty() || !given.expose().bytes().all(plain)) {
            return refused("--password", "expected letters, digits and signs, without blanks or quotes".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labs_that_cannot_be_are_refused() {
        let usual = Options::default;
        assert!(usual().check().is_ok());
        assert!(Options { password: Some(Secret::new("a#$%;!/~")), min_replicas: 0, ..usual() }.check().is_ok());
        for refused in [
            Options { proxies: 0, ..usual() },
            Options { proxies: 17, ..usual() },
            Options { down_after: Nanos::from_millis(99), ..usual() },
            Options { min_replicas: 3, ..usual() },
            Options { password: Some(Secret::new("")), ..usual() },
            Options { password: Some(Secret::new("two words")), ..usual() },
            Options { password: Some(Secret::new("pass'word")), ..usual() },
        ] {
            let message = refused.check().unwrap_err().to_string();
            assert!(
                message.starts_with("--") && message.contains("expected") && !message.contains("word'"),
                "{message}"
            );
        }
    }
}
