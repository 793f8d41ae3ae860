//! One request with holes: what stays the same in every copy of it, and what is drawn for each.

use crate::resp::encode::{array_header, bulk_header};
use serde::{Deserialize, Serialize};

/// Bytes that a drawn number takes. All placeholders for numbers are as long as what replaces them, so the lengths in
/// an encoded request never change.
pub const NUMBER_BYTES: usize = 12;

/// The placeholder of a number drawn anew at each place where it stands.
pub const EACH: &str = "__rand_int__";
/// The placeholders of numbers drawn once for a whole sequence of requests.
pub const SHARED: [&str; 9] = [
    "__rand_1st__",
    "__rand_2nd__",
    "__rand_3rd__",
    "__rand_4th__",
    "__rand_5th__",
    "__rand_6th__",
    "__rand_7th__",
    "__rand_8th__",
    "__rand_9th__",
];
/// The placeholder of the payload that `-d` asks for.
pub const DATA: &str = "__data__";

/// Where the bytes of a hole come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw {
    /// A number of its own.
    Each,
    /// The number with this index, the same at every place within one sequence.
    Shared(u8),
}

/// A request, its arguments written with placeholders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    arguments: Vec<Argument>,
    /// Sent as a line of words instead of as an array, as one does by hand.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    inline: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Argument {
    Text(String),
    /// Bytes that came from standard input. A document keeps their number alone.
    Input {
        #[serde(skip)]
        bytes: Vec<u8>,
        stdin_bytes: usize,
    },
    /// An argument that is not text, kept as numbers.
    Bytes(Vec<u8>),
}

impl Template {
    pub fn new(arguments: &[impl AsRef<[u8]>]) -> Template {
        let arguments = arguments.iter().map(|argument| Argument::new(argument.as_ref())).collect();
        Template { arguments, inline: false }
    }

    pub fn inline(words: &str) -> Template {
        Template { arguments: words.split(' ').map(|word| Argument::Text(word.to_owned())).collect(), inline: true }
    }

    /// Adds a last argument that was read from standard input.
    pub fn push_input(&mut self, bytes: Vec<u8>) {
        self.arguments.push(Argument::Input { stdin_bytes: bytes.len(), bytes });
    }

    /// About how many bytes the request takes with a payload of `data_bytes`: all but the lengths in it.
    pub fn bytes_about(&self, data_bytes: usize) -> u64 {
        let about = |argument: &Argument| {
            let placeholders = count(argument.bytes(), DATA.as_bytes()) as u64;
            argument.bytes().len() as u64 + placeholders * data_bytes as u64
        };
        self.arguments.iter().map(about).sum()
    }

    /// Appends the request to `out` with `data` in place of [`DATA`], and to `holes` where in `out` numbers are to be
    /// written. When `numbers` is false the placeholders of numbers are plain text.
    pub fn encode(&self, data: &[u8], numbers: bool, out: &mut Vec<u8>, holes: &mut Vec<(usize, Draw)>) {
        if self.inline {
            let words: Vec<&[u8]> = self.arguments.iter().map(Argument::bytes).collect();
            out.extend_from_slice(&words.join(&b' '));
            out.extend_from_slice(b"\r\n");
            return;
        }
        array_header(self.arguments.len(), out);
        for argument in &self.arguments {
            let bytes = replace(argument.bytes(), DATA.as_bytes(), data);
            bulk_header(bytes.len(), out);
            if numbers {
                find_holes(&bytes, out.len(), holes);
            }
            out.extend_from_slice(&bytes);
            out.extend_from_slice(b"\r\n");
        }
    }
}

impl Argument {
    fn new(bytes: &[u8]) -> Argument {
        match std::str::from_utf8(bytes) {
            Ok(text) => Argument::Text(text.to_owned()),
            Err(_) => Argument::Bytes(bytes.to_vec()),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Argument::Text(text) => text.as_bytes(),
            Argument::Input { bytes, .. } | Argument::Bytes(bytes) => bytes,
        }
    }
}

fn count(bytes: &[u8], placeholder: &[u8]) -> usize {
    bytes.windows(placeholder.len()).filter(|window| *window == placeholder).count()
}

fn replace(bytes: &[u8], placeholder: &[u8], with: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(placeholder.len()).position(|window| window == placeholder) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(with);
        rest = &rest[at + placeholder.len()..];
    }
    out.extend_from_slice(rest);
    out
}

fn find_holes(argument: &[u8], offset: usize, holes: &mut Vec<(usize, Draw)>) {
    let mut at = 0;
    while at + NUMBER_BYTES <= argument.len() {
        let here = &argument[at..at + NUMBER_BYTES];
        let shared = || SHARED.iter().position(|name| name.as_bytes() == here).map(|index| Draw::Shared(index as u8));
        let draw = if here == EACH.as_bytes() { Some(Draw::Each) } else { shared() };
        match draw {
            Some(draw) => {
                holes.push((offset + at, draw));
                at += NUMBER_BYTES;
            }
            None => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(arguments: &[&str], numbers: bool) -> (String, Vec<(usize, Draw)>) {
        let (mut out, mut holes) = (Vec::new(), Vec::new());
        Template::new(arguments).encode(b"VXK", numbers, &mut out, &mut holes);
        (String::from_utf8(out).unwrap(), holes)
    }

    #[test]
    fn holes_are_where_the_numbers_go() {
        let (bytes, holes) = encoded(&["SET", "key:__rand_int__", "__data__-__rand_2nd__"], true);
        assert_eq!(bytes, "*3\r\n$3\r\nSET\r\n$16\r\nkey:__rand_int__\r\n$16\r\nVXK-__rand_2nd__\r\n");
        let each = bytes.find(EACH).unwrap();
        let second = bytes.find(SHARED[1]).unwrap();
        assert_eq!(holes, [(each, Draw::Each), (second, Draw::Shared(1))]);
    }

    #[test]
    fn without_a_key_space_placeholders_of_numbers_are_text() {
        let (bytes, holes) = encoded(&["GET", "key:__rand_int__"], false);
        assert!(bytes.contains("key:__rand_int__"));
        assert_eq!(holes, []);
    }

    #[test]
    fn an_inline_request_is_a_line() {
        let (mut out, mut holes) = (Vec::new(), Vec::new());
        Template::inline("PING").encode(b"", true, &mut out, &mut holes);
        assert_eq!(out, b"PING\r\n");
    }

    /// A document must not swallow a gigabyte that was piped in.
    #[test]
    fn input_is_sent_whole_and_kept_as_its_length() {
        let mut template = Template::new(&["SET", "k"]);
        template.push_input(vec![0, 255, 10]);
        let (mut out, mut holes) = (Vec::new(), Vec::new());
        template.encode(b"", true, &mut out, &mut holes);
        assert!(out.ends_with(b"$3\r\n\0\xff\n\r\n"));
        let json = serde_json::to_string(&template).unwrap();
        assert_eq!(json, r#"{"arguments":["SET","k",{"stdin_bytes":3}]}"#);
    }
}
