//! Requests as bytes with holes: what is the same in every copy is written once.

use super::fillings::Fillings;
use super::template::{DATA, Draw, TTL, Template, find_holes, replace};
use super::values::payload;
use crate::resp::encode::{array_header, bulk_header};
use std::ops::Range;

/// Encoded requests, and what is still to be put into them.
#[derive(Debug, Clone, Default)]
pub struct Prepared {
    pub bytes: Vec<u8>,
    /// In the order in which they stand in `bytes`.
    pub holes: Vec<Hole>,
    /// How to copy the requests out. A single step copies them whole, when all in them is as long each time.
    pub steps: Vec<Step>,
}

/// A place in the bytes that is written anew for each copy, and always as long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hole {
    pub offset: usize,
    pub draw: Draw,
}

/// Where an argument stands in the bytes.
pub type Argument = Range<usize>;

/// One step of copying out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// These bytes, with these of the holes in them.
    Copy { bytes: Range<usize>, holes: Range<usize> },
    /// The length line of an argument of `fixed` bytes and so many values and times to live.
    Header { fixed: usize, values: usize, ttls: usize },
    /// A value as long as the header before it said.
    Value,
    /// The request's time to live.
    Ttl,
}

/// A piece of an argument.
enum Piece<'a> {
    Text(&'a [u8]),
    Value,
    Ttl,
}

impl Prepared {
    /// Appends `template` with what `fillings` knows beforehand, and tells where each of its arguments stands; an
    /// argument whose length is not known beforehand has none.
    pub fn push(&mut self, template: &Template, fillings: &Fillings) -> Vec<Argument> {
        if template.is_inline() {
            let words: Vec<&[u8]> = template.arguments().collect();
            self.bytes.extend_from_slice(&words.join(&b' '));
            self.bytes.extend_from_slice(b"\r\n");
            return Vec::new();
        }
        let mut places = Vec::new();
        array_header(template.arguments().count(), &mut self.bytes);
        for argument in template.arguments() {
            places.push(self.push_argument(argument, fillings));
            self.bytes.extend_from_slice(b"\r\n");
        }
        places
    }

    /// Nothing more is going to be appended.
    pub fn finish(&mut self) {
        self.end_copy();
    }

    /// Whether all in them is as long each time.
    pub fn is_fixed(&self) -> bool {
        matches!(self.steps[..], [] | [Step::Copy { .. }])
    }

    fn push_argument(&mut self, argument: &[u8], fillings: &Fillings) -> Argument {
        let argument = with_text(argument, fillings);
        let pieces = pieces(&argument, fillings);
        let values = pieces.iter().filter(|piece| matches!(piece, Piece::Value)).count();
        let ttls = pieces.iter().filter(|piece| matches!(piece, Piece::Ttl)).count();
        let text: usize = pieces.iter().map(|piece| if let Piece::Text(text) = piece { text.len() } else { 0 }).sum();
        let value_bytes = fillings.values.fixed_len();
        let is_known = ttls == 0 && (values == 0 || value_bytes.is_some());
        if is_known {
            bulk_header(text + values * value_bytes.unwrap_or(0), &mut self.bytes);
        } else {
            self.end_copy();
            self.steps.push(Step::Header { fixed: text, values, ttls });
        }
        let begin = self.bytes.len();
        for piece in pieces {
            match piece {
                Piece::Text(text) => self.push_text(text, fillings),
                Piece::Value if is_known => {
                    let bytes = value_bytes.unwrap_or(0);
                    self.holes.push(Hole { offset: self.bytes.len(), draw: Draw::Value(bytes as u32) });
                    self.bytes.resize(self.bytes.len() + bytes, b'x');
                }
                Piece::Value => self.push_step(Step::Value),
                Piece::Ttl => self.push_step(Step::Ttl),
            }
        }
        if is_known { begin..self.bytes.len() } else { begin..begin }
    }

    fn push_text(&mut self, text: &[u8], fillings: &Fillings) {
        let mut found = Vec::new();
        find_holes(text, self.bytes.len(), fillings.holes(), &mut found);
        self.holes.extend(found.into_iter().map(|(offset, draw)| Hole { offset, draw }));
        self.bytes.extend_from_slice(text);
    }

    fn push_step(&mut self, step: Step) {
        self.end_copy();
        self.steps.push(step);
    }

    /// Makes a step of the bytes that no step copies yet.
    fn end_copy(&mut self) {
        let (mut bytes, mut holes) = (0, 0);
        for step in &self.steps {
            if let Step::Copy { bytes: copied, holes: filled } = step {
                (bytes, holes) = (copied.end, filled.end);
            }
        }
        if bytes < self.bytes.len() {
            self.steps.push(Step::Copy { bytes: bytes..self.bytes.len(), holes: holes..self.holes.len() });
        }
    }
}

/// `argument` with everything in place that is the same for all requests.
fn with_text(argument: &[u8], fillings: &Fillings) -> Vec<u8> {
    let argument = match fillings.values.fixed_len().filter(|_| fillings.values.is_constant()) {
        Some(bytes) => replace(argument, DATA.as_bytes(), &payload(bytes)),
        None => argument.to_vec(),
    };
    match fillings.ttl.and_then(|ttl| ttl.fixed()) {
        Some(seconds) => replace(&argument, TTL.as_bytes(), seconds.to_string().as_bytes()),
        None => argument,
    }
}

/// `argument` taken apart at the values and times to live that are drawn.
fn pieces<'a>(argument: &'a [u8], fillings: &Fillings) -> Vec<Piece<'a>> {
    let (mut pieces, mut begin, mut at) = (Vec::new(), 0, 0);
    while at < argument.len() {
        let rest = &argument[at..];
        let (length, piece) = if rest.starts_with(DATA.as_bytes()) && !fillings.values.is_constant() {
            (DATA.len(), Piece::Value)
        } else if rest.starts_with(TTL.as_bytes()) && fillings.ttl.is_some() {
            (TTL.len(), Piece::Ttl)
        } else {
            at += 1;
            continue;
        };
        pieces.push(Piece::Text(&argument[begin..at]));
        pieces.push(piece);
        at += length;
        begin = at;
    }
    pieces.push(Piece::Text(&argument[begin..]));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Seed;
    use crate::workload::template::{EACH, SHARED};
    use crate::workload::values::Values;

    fn fillings(key_count: Option<u64>, size: &str, data: &str) -> Fillings {
        Fillings::of(key_count, Values::new(&size.parse().unwrap(), &data.parse().unwrap(), Seed(1)))
    }

    fn prepared(arguments: &[&str], fillings: &Fillings) -> (String, Prepared) {
        let mut prepared = Prepared::default();
        prepared.push(&Template::new(arguments), fillings);
        prepared.finish();
        (String::from_utf8(prepared.bytes.clone()).unwrap(), prepared)
    }

    fn holes(prepared: &Prepared) -> Vec<(usize, Draw)> {
        prepared.holes.iter().map(|hole| (hole.offset, hole.draw)).collect()
    }

    #[test]
    fn holes_are_where_the_numbers_go() {
        let fillings = fillings(Some(10), "3", "constant");
        let (bytes, prepared) = prepared(&["SET", "key:__rand_int__", "__data__-__rand_2nd__"], &fillings);
        assert_eq!(bytes, "*3\r\n$3\r\nSET\r\n$16\r\nkey:__rand_int__\r\n$16\r\nVXK-__rand_2nd__\r\n");
        let each = bytes.find(EACH).unwrap();
        let second = bytes.find(SHARED[1]).unwrap();
        assert_eq!(holes(&prepared), [(each, Draw::Each), (second, Draw::Shared(1))]);
        assert!(prepared.is_fixed());
    }

    #[test]
    fn a_key_for_short_is_as_long_as_a_number() {
        let (bytes, prepared) = prepared(&["GET", "k:__key__"], &fillings(Some(10), "3", "constant"));
        assert!(bytes.contains("$14\r\nk:"), "{bytes}");
        assert_eq!(holes(&prepared), [(bytes.find("k:").unwrap() + 2, Draw::Key)]);
    }

    #[test]
    fn without_a_key_space_placeholders_of_numbers_are_text() {
        let (bytes, prepared) = prepared(&["GET", "key:__rand_int__"], &fillings(None, "3", "constant"));
        assert!(bytes.contains("key:__rand_int__"));
        assert_eq!(holes(&prepared), []);
    }

    #[test]
    fn a_tag_is_a_hole_between_braces_and_in_a_cluster_alone() {
        let alone = fillings(None, "3", "constant");
        let (bytes, in_cluster) = prepared(&["GET", "key:{tag}:1"], &Fillings { in_cluster: true, ..alone.clone() });
        assert_eq!(holes(&in_cluster), [(bytes.find("tag").unwrap(), Draw::Tag)]);
        assert_eq!(holes(&prepared(&["GET", "key:{tag}:1"], &alone).1), []);
    }

    #[test]
    fn an_inline_request_is_a_line() {
        let mut prepared = Prepared::default();
        prepared.push(&Template::inline("PING"), &fillings(Some(1), "3", "constant"));
        assert_eq!(prepared.bytes, b"PING\r\n");
    }

    #[test]
    fn a_value_of_one_length_is_a_hole_and_others_take_steps() {
        let (bytes, known) = prepared(&["SET", "k", "__data__"], &fillings(None, "5", "random"));
        assert!(bytes.ends_with("$5\r\nxxxxx\r\n") && known.is_fixed(), "{bytes}");
        assert_eq!(holes(&known), [(bytes.len() - 7, Draw::Value(5))]);
        let (_, drawn) = prepared(&["SET", "k", "a__data__b", "x"], &fillings(None, "5-9", "random"));
        let kinds: Vec<Step> = drawn.steps.iter().filter(|step| !matches!(step, Step::Copy { .. })).cloned().collect();
        assert_eq!(kinds, [Step::Header { fixed: 2, values: 1, ttls: 0 }, Step::Value]);
    }

    #[test]
    fn a_time_to_live_is_text_when_there_is_but_one() {
        let ttl = |text: &str| Fillings { ttl: Some(text.parse().unwrap()), ..fillings(None, "3", "constant") };
        assert!(prepared(&["EXPIRE", "k", "__ttl__"], &ttl("60")).0.ends_with("$2\r\n60\r\n"));
        assert!(prepared(&["EXPIRE", "k", "__ttl__"], &ttl("30-90")).1.steps.contains(&Step::Ttl));
    }

    /// A document must not swallow a gigabyte that was piped in.
    #[test]
    fn input_is_sent_whole_and_kept_as_its_length() {
        let mut template = Template::new(&["SET", "k"]);
        template.push_input(vec![0, 255, 10]);
        let mut prepared = Prepared::default();
        prepared.push(&template, &fillings(None, "3", "constant"));
        assert!(prepared.bytes.ends_with(b"$3\r\n\0\xff\n\r\n"));
        let json = serde_json::to_string(&template).unwrap();
        assert_eq!(json, r#"{"arguments":["SET","k",{"stdin_bytes":3}]}"#);
    }
}
