//! What went wrong, counted by kind.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// Kinds of errors that a client meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    ConnectRefused,
    ConnectTimeout,
    /// A connection could not be made for any other reason.
    ConnectFailed,
    /// This machine has no free port, or no free file, left.
    OutOfResources,
    Reset,
    /// The other side closed the connection while a reply was due.
    Eof,
    ReplyTimeout,
    /// A secured connection could not be agreed on.
    Tls,
    /// A name could not be looked up.
    Dns,
    /// Requests moved to another server, and a reply was due from the one before.
    MovedAway,
    /// More was due than the server took, and the wait for a free connection grew beyond its limit.
    Overload,
    /// What came was not RESP, or nobody had asked for it.
    Protocol,
    /// The server replied with an error.
    Reply,
    /// A value is not the one that was written under its key.
    Verify,
}

/// Who has to look into an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Client,
    Path,
    Server,
}

impl ErrorKind {
    /// What it is called in documents and in summaries.
    pub fn name(self) -> &'static str {
        match self {
            ErrorKind::ConnectRefused => "connect_refused",
            ErrorKind::ConnectTimeout => "connect_timeout",
            ErrorKind::ConnectFailed => "connect_failed",
            ErrorKind::OutOfResources => "out_of_resources",
            ErrorKind::Reset => "reset",
            ErrorKind::Eof => "eof",
            ErrorKind::ReplyTimeout => "reply_timeout",
            ErrorKind::Tls => "tls",
            ErrorKind::Dns => "dns",
            ErrorKind::MovedAway => "moved_away",
            ErrorKind::Overload => "overload",
            ErrorKind::Protocol => "protocol",
            ErrorKind::Reply => "reply",
            ErrorKind::Verify => "verify",
        }
    }

    /// The side on which an error of this kind most likely has its cause.
    pub fn side(self) -> Side {
        match self {
            ErrorKind::OutOfResources => Side::Client,
            ErrorKind::ConnectTimeout
            | ErrorKind::ConnectFailed
            | ErrorKind::Reset
            | ErrorKind::Eof
            | ErrorKind::Tls
            | ErrorKind::Dns => Side::Path,
            ErrorKind::MovedAway
            | ErrorKind::Overload
            | ErrorKind::ConnectRefused
            | ErrorKind::ReplyTimeout
            | ErrorKind::Protocol
            | ErrorKind::Reply
            | ErrorKind::Verify => Side::Server,
        }
    }
}

/// One error, with the words to tell it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Error)]
#[error("{message}")]
pub struct Failure {
    pub kind: ErrorKind,
    pub message: String,
}

/// Errors by kind, and error replies by their code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errors {
    pub by_kind: BTreeMap<ErrorKind, u64>,
    /// The first word of each error reply: `ERR`, `LOADING`, `READONLY` and so on. Those to requests are of the kind
    /// `reply`; others, as to a password, ended a connection and are of the kind `connect_failed`.
    pub by_reply_code: BTreeMap<String, u64>,
    /// Of values that were not what had been written, where the first was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_wrong_value: Option<String>,
}

/// The longest code that is counted under its own name. A server that makes up codes must not fill our memory.
const CODE_BYTES_MAX: usize = 32;
const CODES_MAX: usize = 64;

impl Errors {
    pub fn count(&mut self, kind: ErrorKind) {
        self.count_many(kind, 1);
    }

    /// Counts a value that is not what was written; `told` says where.
    pub fn count_wrong_value(&mut self, told: String) {
        self.count(ErrorKind::Verify);
        self.first_wrong_value.get_or_insert(told);
    }

    pub fn count_many(&mut self, kind: ErrorKind, count: u64) {
        if count > 0 {
            *self.by_kind.entry(kind).or_default() += count;
        }
    }

    pub fn of_kind(&self, kind: ErrorKind) -> u64 {
        self.by_kind.get(&kind).copied().unwrap_or_default()
    }

    /// Counts an error reply to a request, by the first word of its `line`.
    pub fn count_reply(&mut self, line: &[u8]) {
        self.count(ErrorKind::Reply);
        self.count_code(line);
    }

    /// Counts the code of an error reply, whose kind is counted elsewhere.
    pub fn count_code(&mut self, line: &[u8]) {
        let word = line.split(|&byte| byte == b' ').next().unwrap_or_default();
        let code = match std::str::from_utf8(word) {
            Ok(code) if !code.is_empty() && code.len() <= CODE_BYTES_MAX => code,
            _ => "other",
        };
        self.add_code(code, 1);
    }

    fn add_code(&mut self, code: &str, count: u64) {
        if let Some(sum) = self.by_reply_code.get_mut(code) {
            *sum += count;
        } else {
            let code = if self.by_reply_code.len() < CODES_MAX { code } else { "other" };
            *self.by_reply_code.entry(code.to_owned()).or_default() += count;
        }
    }

    pub fn add(&mut self, other: &Errors) {
        if self.first_wrong_value.is_none() {
            self.first_wrong_value.clone_from(&other.first_wrong_value);
        }
        for (&kind, count) in &other.by_kind {
            *self.by_kind.entry(kind).or_default() += count;
        }
        for (code, count) in &other.by_reply_code {
            self.add_code(code, *count);
        }
    }

    pub fn total(&self) -> u64 {
        self.by_kind.values().sum()
    }

    pub fn is_empty(&self) -> bool {
        self.by_kind.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_replies_are_counted_by_their_first_word() {
        let mut errors = Errors::default();
        errors.count_reply(b"LOADING Redis is loading");
        errors.count_reply(b"LOADING");
        errors.count_reply(&[b'x'; 100]);
        errors.count(ErrorKind::Eof);
        assert_eq!(errors.by_reply_code, BTreeMap::from([("LOADING".into(), 2), ("other".into(), 1)]));
        assert_eq!(errors.total(), 4);
    }

    #[test]
    fn a_server_that_makes_up_codes_cannot_fill_memory() {
        let mut errors = Errors::default();
        for number in 0..1000 {
            let mut more = Errors::default();
            more.count_reply(format!("E{number} no").as_bytes());
            errors.add(&more);
            errors.count_reply(format!("F{number} no").as_bytes());
        }
        assert!(errors.by_reply_code.len() <= CODES_MAX + 1);
        assert_eq!(errors.by_reply_code.values().sum::<u64>(), 2000);
    }
}
