//! Replies of the client library, read for what the control plane wants of them.

use redis::{RedisError, Value};

/// The first line of what a server said, fit to be followed by words of ours.
pub fn one_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim_end_matches([' ', '.']).to_owned()
}

/// The server's words when it refused.
pub fn refusal(reply: &Value) -> Option<String> {
    match reply {
        Value::ServerError(error) => {
            Some(one_line(&format!("{} {}", error.code(), error.details().unwrap_or_default())))
        }
        _ => None,
    }
}

/// Why a whole round trip came to nothing.
pub fn broken(error: &RedisError) -> String {
    if error.is_timeout() { "no reply in time".to_owned() } else { one_line(&error.to_string()) }
}

/// What `read` finds in a reply.
///
/// # Errors
/// The server's words when it refused, or that the reply is none that was expected.
pub fn expect<T>(reply: Value, read: impl FnOnce(&Value) -> Option<T>) -> Result<T, String> {
    match refusal(&reply) {
        Some(words) => Err(words),
        None => read(&reply).ok_or_else(|| "a reply of another kind than expected".to_owned()),
    }
}

pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::VerbatimString { text, .. } => Some(text.clone()),
        other => bytes(other).map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
    }
}

pub fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.as_bytes()),
        _ => None,
    }
}

pub fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        other => std::str::from_utf8(bytes(other)?).ok()?.parse().ok(),
    }
}

/// The elements of an array, or of a set, which RESP3 has apart.
pub fn elements(value: &Value) -> Option<&[Value]> {
    match value {
        Value::Array(values) | Value::Set(values) => Some(values),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_as_numbers_and_as_text() {
        assert_eq!(number(&Value::Int(7)), Some(7));
        assert_eq!(number(&Value::BulkString(b"7".into())), Some(7));
        assert_eq!(number(&Value::Int(-1)), None);
        assert_eq!(expect(Value::Nil, number), Err("a reply of another kind than expected".to_owned()));
    }
}
