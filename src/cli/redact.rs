//! The command line as a document may keep it: without secrets.

use crate::target::uri;
use std::ffi::OsString;

const MASK: &str = "***";

const SENTINEL_PASSWORD: &str = "--sentinel-pass";

/// Secrets shorter than this are masked where a flag gives them, and not wherever else the same letters stand.
const SECRET_BYTES_MIN: usize = 4;

/// `arguments` with every password masked: the values of `-a` and `--sentinel-pass`, the one in a URI, and each of
/// `secrets` wherever it stands.
pub fn redact(arguments: &[OsString], secrets: &[String]) -> Vec<String> {
    let mut kept = Vec::with_capacity(arguments.len());
    let mut mask_next = false;
    for argument in arguments.iter().map(|argument| argument.to_string_lossy()) {
        kept.push(if std::mem::take(&mut mask_next) {
            MASK.to_owned()
        } else if argument == SENTINEL_PASSWORD {
            mask_next = true;
            argument.into_owned()
        } else if argument.strip_prefix(SENTINEL_PASSWORD).is_some_and(|rest| rest.starts_with('=')) {
            format!("{SENTINEL_PASSWORD}={MASK}")
        } else if let Some(flag) = password_flag(&argument) {
            mask_next = flag.len() == argument.len();
            if mask_next { argument.into_owned() } else { format!("{flag}{MASK}") }
        } else {
            uri::redacted(&argument)
        });
    }
    for secret in secrets.iter().filter(|secret| secret.len() >= SECRET_BYTES_MIN) {
        for argument in &mut kept {
            *argument = argument.replace(secret.as_str(), MASK);
        }
    }
    kept
}

/// The part of an argument up to the `a` of `-a`, alone or behind flags that take no value: `-qa`.
fn password_flag(argument: &str) -> Option<&str> {
    let letters = argument.strip_prefix('-')?;
    let at = letters.find('a')?;
    letters[..at].chars().all(|letter| "qelIx3".contains(letter)).then(|| &argument[..at + 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(line: &str, secret: &str) -> String {
        redact(&line.split(' ').map(OsString::from).collect::<Vec<_>>(), &[secret.to_owned()]).join(" ")
    }

    #[test]
    fn passwords_are_masked_wherever_a_flag_gives_them() {
        for (line, kept) in [
            ("rbench -a pw -n 5", "rbench -a *** -n 5"),
            ("rbench -apw", "rbench -a***"),
            ("rbench --sentinel-pass pw --sentinel h", "rbench --sentinel-pass *** --sentinel h"),
            ("rbench --sentinel-pass=pw", "rbench --sentinel-pass=***"),
            ("rbench -qa pw", "rbench -qa ***"),
            ("rbench -u redis://u:pw@h:1/2", "rbench -u redis://u:***@h:1/2"),
            ("rbench -u redis://pw@h", "rbench -u redis://***@h"),
            ("rbench -q -t set --threads 2", "rbench -q -t set --threads 2"),
        ] {
            assert_eq!(redacted(line, "pw"), kept);
        }
    }

    #[test]
    fn a_secret_is_masked_where_nobody_expects_it() {
        assert_eq!(redacted("rbench -a hunter2 auth hunter2", "hunter2"), "rbench -a *** auth ***");
    }
}
