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
/// The placeholder of a tag that sends a key to a slot of the node at hand. It has a meaning in a cluster alone.
pub const TAG: &str = "{tag}";
/// The placeholder of the payload that `-d` asks for.
pub const DATA: &str = "__data__";

/// Where the bytes of a hole come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw {
    /// A number of its own.
    Each,
    /// The number with this index, the same at every place within one sequence.
    Shared(u8),
    /// The tag between the braces, the same at every place within one sequence.
    Tag,
}

/// What in a request is a placeholder. What is not is sent as it stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holes {
    pub numbers: bool,
    pub tags: bool,
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

    /// The request with each argument that is text replaced by what `spell` makes of it.
    pub fn map(&self, spell: impl Fn(&str) -> String) -> Template {
        let arguments = self.arguments.iter().map(|argument| match argument {
            Argument::Text(text) => Argument::Text(spell(text)),
            other => other.clone(),
        });
        Template { arguments: arguments.collect(), inline: self.inline }
    }

    /// Adds a last argument that was read from standard input.
    pub fn push_input(&mut self, bytes: Vec<u8>) {
        self.arguments.push(Argument::Input { stdin_bytes: bytes.len(), bytes });
    }

    /// Its arguments, the command's name first, with their placeholders.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &[u8]> {
        self.arguments.iter().map(Argument::bytes)
    }

    /// Whether it is sent as a line, in which nothing is replaced.
    pub(crate) fn is_inline(&self) -> bool {
        self.inline
    }

    /// About how many bytes the request takes with a payload of `data_bytes`: all but the lengths in it.
    pub fn bytes_about(&self, data_bytes: usize) -> u64 {
        let about = |argument: &Argument| {
            let placeholders = count(argument.bytes(), DATA.as_bytes()) as u64;
            argument.bytes().len() as u64 + placeholders * data_bytes as u64
        };
        self.arguments.iter().map(about).sum()
    }

    /// Whether a tag is to be drawn for the request.
    pub fn is_tagged(&self) -> bool {
        self.arguments().any(|argument| count(argument, TAG.as_bytes()) > 0)
    }

    /// Appends the request to `out` with `data` in place of [`DATA`], and to `found` where in `out` the holes are that
    /// `holes` asks for. Returns where in `out` each argument begins.
    pub fn encode(&self, data: &[u8], holes: Holes, out: &mut Vec<u8>, found: &mut Vec<(usize, Draw)>) -> Vec<usize> {
        if self.inline {
            let words: Vec<&[u8]> = self.arguments.iter().map(Argument::bytes).collect();
            out.extend_from_slice(&words.join(&b' '));
            out.extend_from_slice(b"\r\n");
            return Vec::new();
        }
        let mut begin = Vec::with_capacity(self.arguments.len());
        array_header(self.arguments.len(), out);
        for argument in &self.arguments {
            let bytes = replace(argument.bytes(), DATA.as_bytes(), data);
            bulk_header(bytes.len(), out);
            find_holes(&bytes, out.len(), holes, found);
            begin.push(out.len());
            out.extend_from_slice(&bytes);
            out.extend_from_slice(b"\r\n");
        }
        begin
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

pub(crate) fn replace(bytes: &[u8], placeholder: &[u8], with: &[u8]) -> Vec<u8> {
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

/// Appends to `found` where in `argument`, which begins at `offset`, the holes are that `holes` asks for.
pub(crate) fn find_holes(argument: &[u8], offset: usize, holes: Holes, found: &mut Vec<(usize, Draw)>) {
    let mut at = 0;
    while at < argument.len() {
        let rest = &argument[at..];
        let number = rest.get(..NUMBER_BYTES).filter(|_| holes.numbers).and_then(number);
        if let Some(draw) = number {
            found.push((offset + at, draw));
            at += NUMBER_BYTES;
        } else if holes.tags && rest.starts_with(TAG.as_bytes()) {
            found.push((offset + at + 1, Draw::Tag));
            at += TAG.len();
        } else {
            at += 1;
        }
    }
}

/// What is to be drawn in place of `word`, if it is a placeholder of a number.
fn number(word: &[u8]) -> Option<Draw> {
    if word == EACH.as_bytes() {
        return Some(Draw::Each);
    }
    SHARED.iter().position(|name| name.as_bytes() == word).map(|index| Draw::Shared(index as u8))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: Holes = Holes { numbers: true, tags: false };

    fn encoded(arguments: &[&str], holes: Holes) -> (String, Vec<(usize, Draw)>) {
        let (mut out, mut found) = (Vec::new(), Vec::new());
        Template::new(arguments).encode(b"VXK", holes, &mut out, &mut found);
        (String::from_utf8(out).unwrap(), found)
    }

    #[test]
    fn holes_are_where_the_numbers_go() {
        let (bytes, holes) = encoded(&["SET", "key:__rand_int__", "__data__-__rand_2nd__"], NUMBERS);
        assert_eq!(bytes, "*3\r\n$3\r\nSET\r\n$16\r\nkey:__rand_int__\r\n$16\r\nVXK-__rand_2nd__\r\n");
        let each = bytes.find(EACH).unwrap();
        let second = bytes.find(SHARED[1]).unwrap();
        assert_eq!(holes, [(each, Draw::Each), (second, Draw::Shared(1))]);
    }

    #[test]
    fn without_a_key_space_placeholders_of_numbers_are_text() {
        let (bytes, holes) = encoded(&["GET", "key:__rand_int__"], Holes::default());
        assert!(bytes.contains("key:__rand_int__"));
        assert_eq!(holes, []);
    }

    #[test]
    fn a_tag_is_a_hole_between_braces_and_in_a_cluster_alone() {
        let (bytes, holes) = encoded(&["GET", "key:{tag}:1"], Holes { numbers: false, tags: true });
        assert_eq!(holes, [(bytes.find("tag").unwrap(), Draw::Tag)]);
        assert_eq!(encoded(&["GET", "key:{tag}:1"], NUMBERS).1, []);
    }

    #[test]
    fn an_inline_request_is_a_line() {
        let (mut out, mut holes) = (Vec::new(), Vec::new());
        Template::inline("PING").encode(b"", NUMBERS, &mut out, &mut holes);
        assert_eq!(out, b"PING\r\n");
    }

    /// A document must not swallow a gigabyte that was piped in.
    #[test]
    fn input_is_sent_whole_and_kept_as_its_length() {
        let mut template = Template::new(&["SET", "k"]);
        template.push_input(vec![0, 255, 10]);
        let (mut out, mut holes) = (Vec::new(), Vec::new());
        template.encode(b"", NUMBERS, &mut out, &mut holes);
        assert!(out.ends_with(b"$3\r\n\0\xff\n\r\n"));
        let json = serde_json::to_string(&template).unwrap();
        assert_eq!(json, r#"{"arguments":["SET","k",{"stdin_bytes":3}]}"#);
    }
}
