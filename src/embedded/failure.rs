//! What a command answers when it can't do what was asked, in the words of redis-server 7.

use std::borrow::Cow;

/// An error reply, without its `-` and its line end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(pub Cow<'static, str>);

impl Failure {
    pub const WRONG_TYPE: Failure = said("WRONGTYPE Operation against a key holding the wrong kind of value");
    pub const SYNTAX: Failure = said("ERR syntax error");
    pub const NOT_AN_INTEGER: Failure = said("ERR value is not an integer or out of range");
    pub const NOT_A_FLOAT: Failure = said("ERR value is not a valid float");
    pub const NOT_POSITIVE: Failure = said("ERR value is out of range, must be positive");
    pub const OVERFLOW: Failure = said("ERR increment or decrement would overflow");
    pub const NO_SUCH_DATABASE: Failure = said("ERR DB index is out of range");

    pub fn arity(command: &str) -> Failure {
        format!("ERR wrong number of arguments for '{command}' command").into()
    }

    pub fn subcommand(command: &str, given: &[u8]) -> Failure {
        let given = printable(given);
        format!("ERR unknown subcommand '{given}'. Try {} HELP.", command.to_ascii_uppercase()).into()
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Failure {
        Failure(text.into())
    }
}

pub const fn said(text: &'static str) -> Failure {
    Failure(Cow::Borrowed(text))
}

/// The start of what a client sent, fit to be quoted in the one line of an error reply.
pub fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(128)]).replace(['\r', '\n'], " ")
}
