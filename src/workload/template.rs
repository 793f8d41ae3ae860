//! One request with holes: what stays the same in every copy of it, and what is drawn for each.

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
/// The placeholder of a number drawn from the key distribution. It is as long as what replaces it, too.
pub const KEY: &str = "__rand_key__";
/// How people write that.
const KEY_FOR_SHORT: &str = "__key__";
/// The placeholder of a tag that sends a key to a slot of the node at hand. It has a meaning in a cluster alone.
pub const TAG: &str = "{tag}";
/// The placeholder of a value.
pub const DATA: &str = "__data__";
/// The placeholder of a time to live, in seconds.
pub const TTL: &str = "__ttl__";

/// Where the bytes of a hole come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw {
    /// A number of its own.
    Each,
    /// A number of its own, from the key distribution.
    Key,
    /// The number with this index, the same at every place within one sequence.
    Shared(u8),
    /// The tag between the braces, the same at every place within one sequence.
    Tag,
    /// A value of so many bytes.
    Value(u32),
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
        self.has(TAG)
    }

    /// Whether `placeholder` stands anywhere in it.
    pub fn has(&self, placeholder: &str) -> bool {
        self.arguments().any(|argument| count(argument, placeholder.as_bytes()) > 0)
    }

    /// Numbers of keys that a request draws, at the most: some may be the same.
    pub fn keys_drawn(&self) -> u64 {
        self.arguments().map(|argument| count(argument, b"__rand_") as u64).sum()
    }

    /// The name of the command, in capitals.
    pub fn name(&self) -> String {
        String::from_utf8_lossy(self.arguments().next().unwrap_or_default()).to_uppercase()
    }
}

impl Argument {
    fn new(bytes: &[u8]) -> Argument {
        match std::str::from_utf8(bytes) {
            Ok(text) => Argument::Text(text.replace(KEY_FOR_SHORT, KEY)),
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
    if word == KEY.as_bytes() {
        return Some(Draw::Key);
    }
    SHARED.iter().position(|name| name.as_bytes() == word).map(|index| Draw::Shared(index as u8))
}
