//! Replies, found and classified in a stream of bytes without building values from them.
//!
//! A load generator needs to know where a reply ends and whether it is an error, and nothing else of it. So the scanner
//! keeps counts instead of values: how many elements of the reply are still to come, and how many bytes of a body. It
//! needs no stack however deep a reply is nested, and no memory however long it is.

use thiserror::Error;

/// One whole reply, as far as a load generator cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply<'a> {
    /// Anything that is neither of the others.
    Value(Found),
    /// Nothing there: `$-1`, `*-1` or RESP3's `_`.
    Null,
    /// The server's refusal: the line without its `-` and line end, `ERR unknown command …`.
    Error(&'a [u8]),
    /// A RESP3 push message: answers no request.
    Push,
}

/// What a reply has in it, as far as it shows whether something was found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Found {
    /// Elements of a list; none of a reply that is no list.
    pub elements: u64,
    /// Nulls at any depth.
    pub nulls: u64,
    /// Whether it is a list, or a string, of nothing.
    pub is_empty: bool,
}

/// Is told of the strings within replies, as they come. Who counts replies need not listen.
pub trait Strings {
    /// A string of `bytes` bytes begins.
    #[inline]
    fn begin(&mut self, bytes: u64) {
        let _ = bytes;
    }

    /// The next bytes of it.
    #[inline]
    fn more(&mut self, bytes: &[u8]) {
        let _ = bytes;
    }

    /// Where a string could be, there is nothing.
    #[inline]
    fn null(&mut self) {}
}

impl Strings for () {}

/// The bytes are not RESP.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Malformed {
    #[error("the server does not speak the Redis protocol: a reply cannot begin with {0:?}")]
    Type(char),
    #[error("malformed length in a reply")]
    Length,
    #[error("a reply's body is not ended by a line end")]
    Body,
    #[error("a reply's line is longer than {LINE_BYTES_MAX} bytes")]
    Line,
}

/// The longest line that is taken for one. Redis itself stays far below it.
pub const LINE_BYTES_MAX: usize = 32 * 1024;

/// The longest body, and the longest list. No server has as much to say, and what claims to is not to be waited for.
const LENGTH_MAX: u64 = 1 << 40;

/// Finds replies in a stream that arrives in pieces.
#[derive(Debug, Default)]
pub struct Scanner {
    /// Elements that the reply at hand still lacks. Zero between replies.
    elements: u64,
    /// Bytes that the bulk string at hand still lacks, its line end included. Zero between bulk strings.
    body: u64,
    /// What the reply at hand turned out to be when it began.
    begun: Kind,
    found: Found,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Value,
    Null,
    Push,
    BlobError,
}

impl Scanner {
    /// Takes bytes from the front of `bytes` up to the end of the next reply: how many were taken, and the reply when it
    /// is whole.
    ///
    /// Without a reply, all of `bytes` was taken except for the beginning of a line, which is to be shown again with
    /// more behind it.
    ///
    /// # Errors
    /// [`Malformed`] when the bytes are not RESP; nothing that follows can then be trusted.
    #[inline]
    pub fn scan<'a>(
        &mut self,
        bytes: &'a [u8],
        strings: &mut impl Strings,
    ) -> Result<(usize, Option<Reply<'a>>), Malformed> {
        // Most replies of a benchmark.
        if self.elements == 0 && bytes.starts_with(b"+OK\r\n") {
            return Ok((5, Some(Reply::Value(Found::default()))));
        }
        self.scan_any(bytes, strings)
    }

    fn scan_any<'a>(
        &mut self,
        bytes: &'a [u8],
        strings: &mut impl Strings,
    ) -> Result<(usize, Option<Reply<'a>>), Malformed> {
        let mut taken = 0;
        if self.elements == 0 {
            self.begun = Kind::Value;
            self.found = Found::default();
        }
        loop {
            if self.body > 0 {
                taken += self.scan_body(&bytes[taken..], strings)?;
                if self.body > 0 {
                    return Ok((taken, None));
                }
            } else {
                let rest = &bytes[taken..];
                let Some(line) = line(rest)? else { return Ok((taken, None)) };
                let first = self.elements == 0;
                if first {
                    self.elements = 1;
                }
                taken += line.len() + 2;
                if let Some(error) = self.scan_line(line, first, strings)? {
                    self.elements = 0;
                    return Ok((taken, Some(Reply::Error(error))));
                }
            }
            if self.elements == 0 {
                let reply = match self.begun {
                    Kind::Value => Reply::Value(self.found),
                    Kind::Null => Reply::Null,
                    Kind::Push => Reply::Push,
                    Kind::BlobError => Reply::Error(b"ERR an error too long for a line"),
                };
                return Ok((taken, Some(reply)));
            }
        }
    }

    /// Takes one line, which opens an element. Returns the text of an error that is a whole reply by itself.
    fn scan_line<'a>(
        &mut self,
        line: &'a [u8],
        first: bool,
        strings: &mut impl Strings,
    ) -> Result<Option<&'a [u8]>, Malformed> {
        let (&kind, rest) = line.split_first().ok_or(Malformed::Type('\r'))?;
        match kind {
            b'-' if first => return Ok(Some(rest)),
            b'+' | b'-' | b':' | b',' | b'#' | b'(' => self.elements -= 1,
            b'_' => self.take_null(first, strings),
            b'$' | b'=' | b'!' => match length(rest)? {
                None => self.take_null(first, strings),
                Some(bytes) => {
                    strings.begin(bytes);
                    self.found.is_empty |= first && bytes == 0;
                    self.body = bytes.checked_add(2).ok_or(Malformed::Length)?;
                    if kind == b'!' {
                        self.note(first, Kind::BlobError);
                    }
                }
            },
            b'*' | b'~' | b'>' => match length(rest)? {
                None => self.take_null(first, strings),
                Some(elements) => {
                    self.note_list(first, elements);
                    self.elements = (self.elements - 1).checked_add(elements).ok_or(Malformed::Length)?;
                    if kind == b'>' {
                        self.note(first, Kind::Push);
                    }
                }
            },
            b'%' | b'|' => {
                let pairs = length(rest)?.ok_or(Malformed::Length)?;
                let elements = pairs.checked_mul(2).ok_or(Malformed::Length)?;
                self.note_list(first && kind == b'%', elements);
                // An attribute (`|`) stands before the element that it describes, and is not that element.
                let itself = u64::from(kind == b'%');
                self.elements = (self.elements - itself).checked_add(elements).ok_or(Malformed::Length)?;
            }
            other => return Err(Malformed::Type(char::from(other))),
        }
        Ok(None)
    }

    fn take_null(&mut self, first: bool, strings: &mut impl Strings) {
        self.elements -= 1;
        self.found.nulls += 1;
        self.note(first, Kind::Null);
        strings.null();
    }

    fn note_list(&mut self, first: bool, elements: u64) {
        if first {
            self.found.elements = elements;
            self.found.is_empty = elements == 0;
        }
    }

    fn note(&mut self, first: bool, kind: Kind) {
        if first {
            self.begun = kind;
        }
    }

    /// Takes what there is of a body and of the line end behind it.
    fn scan_body(&mut self, bytes: &[u8], strings: &mut impl Strings) -> Result<usize, Malformed> {
        let text = self.body.saturating_sub(2).min(bytes.len() as u64) as usize;
        if text > 0 {
            strings.more(&bytes[..text]);
        }
        self.body -= text as u64;
        let rest = &bytes[text..];
        let end = &b"\r\n"[2 - self.body.min(2) as usize..];
        let seen = rest.len().min(end.len());
        if self.body <= 2 {
            if rest[..seen] != end[..seen] {
                return Err(Malformed::Body);
            }
            self.body -= seen as u64;
            if self.body == 0 {
                self.elements -= 1;
            }
            return Ok(text + seen);
        }
        Ok(text)
    }
}

/// The line at the front of `bytes`, without its end; `None` when the end is not there yet.
fn line(bytes: &[u8]) -> Result<Option<&[u8]>, Malformed> {
    let within = &bytes[..bytes.len().min(LINE_BYTES_MAX)];
    match within.iter().position(|&byte| byte == b'\n') {
        Some(end) if end > 0 && bytes[end - 1] == b'\r' => Ok(Some(&bytes[..end - 1])),
        Some(_) => Err(Malformed::Length),
        None if within.len() == LINE_BYTES_MAX => Err(Malformed::Line),
        None => match bytes.first() {
            // Said at once: a peer that speaks another protocol may never end its line.
            Some(&byte) if !b"+-:$*_,#(!=~>%|".contains(&byte) => Err(Malformed::Type(char::from(byte))),
            _ => Ok(None),
        },
    }
}

/// A length: digits, or `-1` for nothing.
fn length(digits: &[u8]) -> Result<Option<u64>, Malformed> {
    if digits == b"-1" {
        return Ok(None);
    }
    if digits.is_empty() || digits.len() > 19 {
        return Err(Malformed::Length);
    }
    let mut value = 0u64;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return Err(Malformed::Length);
        }
        value = value * 10 + u64::from(digit - b'0');
    }
    if value > LENGTH_MAX { Err(Malformed::Length) } else { Ok(Some(value)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every reply in `stream`, as text, when it arrives in pieces that end at `cuts`.
    fn replies(stream: &[u8], cuts: &[usize]) -> Result<Vec<String>, Malformed> {
        let mut scanner = Scanner::default();
        let (mut held, mut found) = (Vec::new(), Vec::new());
        let mut from = 0;
        for &cut in cuts.iter().chain([&stream.len()]) {
            held.extend_from_slice(&stream[from..cut]);
            from = cut;
            let mut at = 0;
            loop {
                let (taken, reply) = scanner.scan(&held[at..], &mut ())?;
                at += taken;
                match reply {
                    Some(Reply::Value(_)) => found.push("Value".to_owned()),
                    Some(Reply::Error(text)) => found.push(format!("error {}", String::from_utf8_lossy(text))),
                    Some(reply) => found.push(format!("{reply:?}")),
                    None => break,
                }
            }
            held.drain(..at);
        }
        found.push(format!("{} bytes held", held.len()));
        Ok(found)
    }

    #[test]
    fn each_kind_of_reply_is_told_apart() {
        for (bytes, expected) in [
            (&b"+OK\r\n"[..], "Value"),
            (b"+QUEUED\r\n", "Value"),
            (b":42\r\n", "Value"),
            (b"$3\r\nabc\r\n", "Value"),
            (b"$0\r\n\r\n", "Value"),
            (b"$4\r\n\r\n\r\n\r\n", "Value"),
            (b"$-1\r\n", "Null"),
            (b"*-1\r\n", "Null"),
            (b"_\r\n", "Null"),
            (b"*0\r\n", "Value"),
            (b"*2\r\n$-1\r\n:1\r\n", "Value"),
            (b"*2\r\n-ERR in there\r\n*1\r\n*0\r\n", "Value"),
            (b"-ERR no\r\n", "error ERR no"),
            (b"!5\r\nERR a\r\n", "error ERR an error too long for a line"),
            (b"%1\r\n+a\r\n*2\r\n:1\r\n:2\r\n", "Value"),
            (b"~2\r\n#t\r\n,1.5\r\n", "Value"),
            (b"=7\r\ntxt:abc\r\n", "Value"),
            (b"(12345678901234567890\r\n", "Value"),
            (b"|1\r\n+ttl\r\n:9\r\n+OK\r\n", "Value"),
            (b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n", "Push"),
        ] {
            assert_eq!(replies(bytes, &[]).unwrap(), [expected, "0 bytes held"], "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn what_was_found_is_told() {
        let found = |elements, nulls, is_empty| Some(Reply::Value(Found { elements, nulls, is_empty }));
        for (bytes, expected) in [
            (&b"$3\r\nabc\r\n"[..], found(0, 0, false)),
            (b"$0\r\n\r\n", found(0, 0, true)),
            (b"$-1\r\n", Some(Reply::Null)),
            (b"*3\r\n$1\r\na\r\n$-1\r\n_\r\n", found(3, 2, false)),
            (b"*0\r\n", found(0, 0, true)),
            (b"%0\r\n", found(0, 0, true)),
            (b"*1\r\n*0\r\n", found(1, 0, false)),
            (b"%1\r\n+a\r\n$0\r\n\r\n", found(2, 0, false)),
        ] {
            assert_eq!(Scanner::default().scan(bytes, &mut ()).unwrap().1, expected, "{}", bytes.escape_ascii());
        }
    }

    #[derive(Default)]
    struct Heard(Vec<String>);

    impl Strings for Heard {
        fn begin(&mut self, _: u64) {
            self.0.push(String::new());
        }

        fn more(&mut self, bytes: &[u8]) {
            self.0.last_mut().unwrap().push_str(std::str::from_utf8(bytes).unwrap());
        }

        fn null(&mut self) {
            self.0.push("nothing".into());
        }
    }

    #[test]
    fn strings_are_told_of_however_they_are_cut() {
        let bytes = b"*3\r\n$3\r\na\r\n\r\n$-1\r\n$0\r\n\r\n";
        for cut in 0..bytes.len() {
            let (mut scanner, mut heard) = (Scanner::default(), Heard::default());
            let (taken, _) = scanner.scan(&bytes[..cut], &mut heard).unwrap();
            scanner.scan(&bytes[taken..], &mut heard).unwrap();
            assert_eq!(heard.0, ["a\r\n", "nothing", ""], "cut at {cut}");
        }
    }

    #[test]
    fn what_is_not_resp_is_refused() {
        for bytes in [
            &b"HTTP/1.1 400 Bad Request\r\n"[..],
            b"\x15\x03\x01",
            b"$abc\r\n",
            b"$-2\r\n",
            b"$9223372036854775808\r\n",
            b"*9223372036854775807\r\n*9223372036854775807\r\n*9223372036854775807\r\n",
            b"*9223372036854775807\r\n%9223372036854775807\r\n",
            b"$3\r\nabcd\r\n",
            b"$3\r\nabc\rx",
            b"+no carriage return\n",
            b"\r\n",
        ] {
            assert!(replies(bytes, &[]).is_err(), "{}", String::from_utf8_lossy(bytes));
        }
        let mut endless = vec![b'+'; 40 * 1024];
        endless[1..].fill(b'x');
        assert_eq!(replies(&endless, &[]), Err(Malformed::Line));
    }

    /// A body is skipped, not kept: nothing but a line is ever held back.
    #[test]
    fn a_huge_body_holds_nothing_back() {
        let mut scanner = Scanner::default();
        assert_eq!(scanner.scan(b"$549755813888\r\n", &mut ()).unwrap(), (15, None));
        let piece = vec![b'x'; 1 << 16];
        for _ in 0..100 {
            assert_eq!(scanner.scan(&piece, &mut ()).unwrap(), (1 << 16, None));
        }
    }

    fn reply() -> impl Strategy<Value = Vec<u8>> {
        let leaf = prop_oneof![
            Just(b"+OK\r\n".to_vec()),
            Just(b"-ERR no\r\n".to_vec()),
            Just(b"$-1\r\n".to_vec()),
            Just(b"_\r\n".to_vec()),
            any::<i64>().prop_map(|n| format!(":{n}\r\n").into_bytes()),
            proptest::collection::vec(any::<u8>(), 0..40).prop_map(|body| {
                let mut bytes = format!("${}\r\n", body.len()).into_bytes();
                bytes.extend(body);
                bytes.extend(b"\r\n");
                bytes
            }),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            (prop::sample::select(b"*~>%".to_vec()), proptest::collection::vec(inner, 0..5)).prop_map(
                |(kind, mut items)| {
                    if kind == b'%' && items.len() % 2 == 1 {
                        items.pop();
                    }
                    let count = if kind == b'%' { items.len() / 2 } else { items.len() };
                    let mut bytes = format!("{}{count}\r\n", kind as char).into_bytes();
                    bytes.extend(items.concat());
                    bytes
                },
            )
        })
    }

    proptest! {
        #[test]
        fn any_split_of_a_stream_scans_alike(
            replies_in in proptest::collection::vec(reply(), 1..8),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let stream = replies_in.concat();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            cuts.sort_unstable();
            let whole = replies(&stream, &[]).unwrap();
            prop_assert_eq!(whole.len(), replies_in.len() + 1);
            prop_assert_eq!(replies(&stream, &cuts).unwrap(), whole);
        }

        #[test]
        fn garbage_is_scanned_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = replies(&bytes, &[]);
        }
    }
}
