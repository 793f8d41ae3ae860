//! The command line's own commands: `set a __data__ ';' 4 get a` is a sequence of five requests.

use super::template::Template;
use thiserror::Error;

/// What can be wrong with a command on the command line.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum SequenceError {
    #[error("a command is empty: ';' must stand between two commands")]
    Empty,
    #[error("'{0}' is not a count of repetitions (a command cannot begin with a digit)")]
    Repeat(String),
    #[error("a sequence of more than {REQUESTS_MAX} requests is too long")]
    TooLong,
}

/// The longest sequence: more would be a workload file, not a command line.
pub const REQUESTS_MAX: usize = 10_000;

/// Splits `words` at `;` into requests, each repeated as often as the number before it says. Every repetition is a
/// request of its own.
///
/// # Errors
/// [`SequenceError`] for an empty command, a malformed count, or too long a sequence.
pub fn parse(words: &[Vec<u8>]) -> Result<Vec<Template>, SequenceError> {
    let mut requests = Vec::new();
    for command in words.split(|word| word == b";") {
        let (times, command) = match command.split_first() {
            Some((first, rest)) if first.first().is_some_and(|byte| (b'1'..=b'9').contains(byte)) => {
                (repeat(first)?, rest)
            }
            _ => (1, command),
        };
        if command.is_empty() {
            return Err(SequenceError::Empty);
        }
        if requests.len() + times > REQUESTS_MAX {
            return Err(SequenceError::TooLong);
        }
        requests.extend(std::iter::repeat_n(Template::new(command), times));
    }
    Ok(requests)
}

fn repeat(word: &[u8]) -> Result<usize, SequenceError> {
    let text = String::from_utf8_lossy(word);
    match text.parse() {
        Ok(times) if times > REQUESTS_MAX => Err(SequenceError::TooLong),
        Ok(times) => Ok(times),
        Err(_) => Err(SequenceError::Repeat(text.into_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<Vec<u8>> {
        line.split(' ').map(|word| word.as_bytes().to_vec()).collect()
    }

    #[test]
    fn a_sequence_counts_each_repetition() {
        let requests = parse(&words("set a __data__ ; 4 get a")).unwrap();
        assert_eq!(requests.len(), 5);
        assert_eq!(requests[0], Template::new(&["set", "a", "__data__"]));
        assert_eq!(requests[4], Template::new(&["get", "a"]));
    }

    #[test]
    fn a_digit_later_in_a_command_is_an_argument() {
        assert_eq!(parse(&words("lrange l 0 9")).unwrap(), [Template::new(&["lrange", "l", "0", "9"])]);
    }

    #[test]
    fn what_is_no_sequence_is_refused() {
        assert_eq!(parse(&words("get a ;")), Err(SequenceError::Empty));
        assert_eq!(parse(&words("; get a")), Err(SequenceError::Empty));
        assert_eq!(parse(&words("4")), Err(SequenceError::Empty));
        assert_eq!(parse(&words("4x get a")), Err(SequenceError::Repeat("4x".into())));
        assert_eq!(parse(&words("10001 ping")), Err(SequenceError::TooLong));
        assert_eq!(parse(&words("9000 ping ; 9000 ping")), Err(SequenceError::TooLong));
    }
}
