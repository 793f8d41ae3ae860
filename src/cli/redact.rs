//! The command line as a document may keep it: without secrets.

use crate::target::uri;
use std::ffi::OsString;

const MASK: &str = "***";

/// Secrets shorter than this are masked where a flag gives them, and not wherever else the same letters stand.
const SECRET_BYTES_MIN: usize = 4;

/// `arguments` with every password masked: the value of `-a`, the one in a URI, and `secret` wherever it stands.
pub fn redact(arguments: &[OsString], secret: Option<&str>) -> Vec<String> {
    let mut kept = Vec::with_capacity(arguments.len());
    let mut mask_next = false;
    for argument in arguments.iter().map(|argument| argument.to_string_lossy()) {
        kept.push(if std::mem::take(&mut mask_next) {
            MASK.to_owned()
        } else if let Some(flag) = password_flag(&argument) {
            mask_next = flag.len() == argument.len();
            if mask_next { argument.into_owned() } else { format!("{flag}{MASK}") }
        } else {
            uri::redacted(&argument)
        });
    }
    if let Some(secret) = secret.filter(|secret| secret.len() >= SECRET_BYTES_MIN) {
        for argument in &mut kept {
            *argument = argument.replace(secret, MASK);
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

    fn redacted(line: &str, secret: Option<&str>) -> String {
        redact(&line.split(' ').map(OsString::from).collect::<Vec<_>>(), secret).join(" ")
    }

    #[test]
    fn passwords_are_masked_wherever_a_flag_gives_them() {
        for (line, kept) in [
            ("rbench -a pw -n 5", "rbench -a *** -n 5"),
            ("rbench -apw", "rbench -a***"),
            ("rbench -qa pw", "rbench -qa ***"),
            ("rbench -u redis://u:pw@h:1/2", "rbench -u redis://u:***@h:1/2"),
            ("rbench -u redis://pw@h", "rbench -u redis://***@h"),
            ("rbench -q -t set --threads 2", "rbench -q -t set --threads 2"),
        ] {
            assert_eq!(redacted(line, Some("pw")), kept);
        }
    }

    #[test]
    fn a_secret_is_masked_where_nobody_expects_it() {
        assert_eq!(redacted("rbench -a hunter2 auth hunter2", Some("hunter2")), "rbench -a *** auth ***");
    }
}
