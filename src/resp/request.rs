//! Requests as a server sees them: arrays of bulk strings, and inline commands. What a request means is not known here.

use std::ops::Range;

// The limits of redis-server 7, where they are PROTO_INLINE_MAX_SIZE, proto-max-bulk-len and a constant in networking.c.
const LINE_BYTES_MAX: usize = 64 * 1024;
const BULK_BYTES_MAX: i64 = 512 * 1024 * 1024;
const ARGUMENT_COUNT_MAX: i64 = 1024 * 1024;

/// Why bytes aren't a request, in the words of redis-server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("Protocol error: too big inline request")]
    InlineTooBig,
    #[error("Protocol error: unbalanced quotes in request")]
    UnbalancedQuotes,
    #[error("Protocol error: too big mbulk count string")]
    ArgumentCountTooBig,
    #[error("Protocol error: invalid multibulk length")]
    ArgumentCount,
    #[error("Protocol error: too big bulk count string")]
    BulkLengthTooBig,
    #[error("Protocol error: invalid bulk length")]
    BulkLength,
    #[error("Protocol error: expected '$', got '{}'", quoted(.0))]
    ExpectedBulk(u8),
}

/// An error reply is one line, so a line end can't be quoted in it.
fn quoted(byte: &u8) -> char {
    if matches!(byte, b'\r' | b'\n') { ' ' } else { char::from(*byte) }
}

/// Parses one request after another, and remembers how far it got with one that has not arrived whole: however many
/// reads a large request takes, each of its values is looked at once.
///
/// Like redis-server, it takes the two bytes after a bulk string for a line end without looking at them.
#[derive(Debug, Default)]
pub struct Parser {
    arguments: Vec<Range<usize>>,
    /// Where the part that has not been understood begins.
    position: usize,
    stage: Stage,
}

#[derive(Debug, Default)]
enum Stage {
    #[default]
    Start,
    Length {
        missing: usize,
    },
    Bulk {
        missing: usize,
        bytes: usize,
    },
}

impl Parser {
    /// Parses one whole request at the front of `bytes`: its length in bytes, or `None` when `bytes` ends before the
    /// request does. After `None` the next call must bring the same bytes and more behind them.
    ///
    /// A request without arguments (an empty line, `*0`) asks for nothing and is to be skipped.
    ///
    /// # Errors
    /// [`Malformed`] when the bytes are not a request. There is no way on from there but to close the connection.
    #[inline]
    pub fn parse(&mut self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        loop {
            match self.stage {
                Stage::Start => {
                    self.arguments.clear();
                    self.position = 0;
                    match bytes.first() {
                        None => return Ok(None),
                        Some(b'*') => {}
                        Some(_) => return inline(bytes, &mut self.arguments),
                    }
                    let Some((count, end)) = length_line(bytes, 1, Malformed::ArgumentCountTooBig)? else {
                        return Ok(None);
                    };
                    let count = count.filter(|&count| count <= ARGUMENT_COUNT_MAX).ok_or(Malformed::ArgumentCount)?;
                    if count <= 0 {
                        return Ok(Some(end));
                    }
                    self.position = end;
                    self.stage = Stage::Length { missing: count as usize };
                }
                Stage::Length { missing } => {
                    match bytes.get(self.position) {
                        None => return Ok(None),
                        Some(b'$') => {}
                        Some(&other) => return Err(Malformed::ExpectedBulk(other)),
                    }
                    let start = self.position + 1;
                    let Some((length, end)) = length_line(bytes, start, Malformed::BulkLengthTooBig)? else {
                        return Ok(None);
                    };
                    let length =
                        length.filter(|length| (0..=BULK_BYTES_MAX).contains(length)).ok_or(Malformed::BulkLength)?;
                    self.position = end;
                    self.stage = Stage::Bulk { missing, bytes: length as usize };
                }
                Stage::Bulk { missing, bytes: length } => {
                    let end = self.position + length;
                    if bytes.len() < end + 2 {
                        return Ok(None);
                    }
                    self.arguments.push(self.position..end);
                    self.position = end + 2;
                    if missing == 1 {
                        self.stage = Stage::Start;
                        return Ok(Some(self.position));
                    }
                    self.stage = Stage::Length { missing: missing - 1 };
                }
            }
        }
    }

    /// Where the arguments of the request just parsed lie, counted from its first byte.
    pub fn arguments(&self) -> &[Range<usize>] {
        &self.arguments
    }
}

/// A whole number spelt as redis-server wants it: no sign but `-`, no leading zero, nothing around it.
#[inline]
pub fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [b'0'] if !negative => return Some(0),
        [b'1'..=b'9', ..] => {}
        _ => return None,
    }
    // Counted downwards, because the lowest i64 has no positive twin.
    let mut value = 0i64;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_sub(i64::from(digit - b'0'))?;
    }
    if negative { Some(value) } else { value.checked_neg() }
}

/// The number on the line that begins at `start`, if it is one, and where the next line begins; `None` when the line
/// has not arrived whole. A line is short, so it is read anew each time.
#[inline]
fn length_line(bytes: &[u8], start: usize, too_big: Malformed) -> Result<Option<(Option<i64>, usize)>, Malformed> {
    let rest = &bytes[start..];
    let line = &rest[..rest.len().min(LINE_BYTES_MAX + 1)];
    match line.iter().position(|&byte| byte == b'\r') {
        Some(end) if end + 1 < rest.len() => Ok(Some((integer(&line[..end]), start + end + 2))),
        None if rest.len() > LINE_BYTES_MAX => Err(too_big),
        _ => Ok(None),
    }
}

/// Splits a line at blanks. Quotes hold an argument together; backslashes in them stand for themselves, other than in
/// redis-server, because an argument is a piece of the line and not a copy.
#[cold]
fn inline(bytes: &[u8], arguments: &mut Vec<Range<usize>>) -> Result<Option<usize>, Malformed> {
    let window = &bytes[..bytes.len().min(LINE_BYTES_MAX + 1)];
    let Some(newline) = window.iter().position(|&byte| byte == b'\n') else {
        return if bytes.len() > LINE_BYTES_MAX { Err(Malformed::InlineTooBig) } else { Ok(None) };
    };
    let line = bytes[..newline].strip_suffix(b"\r").unwrap_or(&bytes[..newline]);
    let mut at = 0;
    while at < line.len() {
        if line[at].is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let rest = &line[at..];
        let (start, end, next) = match rest[0] {
            quote @ (b'"' | b'\'') => {
                let length = rest[1..].iter().position(|&byte| byte == quote).ok_or(Malformed::UnbalancedQuotes)?;
                let next = at + length + 2;
                if line.get(next).is_some_and(|byte| !byte.is_ascii_whitespace()) {
                    return Err(Malformed::UnbalancedQuotes);
                }
                (at + 1, at + 1 + length, next)
            }
            _ => {
                let end = at + rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
                (at, end, end)
            }
        };
        arguments.push(start..end);
        at = next;
    }
    Ok(Some(newline + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Requests = Vec<Vec<Vec<u8>>>;

    /// The requests in `pieces`, received one piece after the other.
    fn parse_all(pieces: &[&[u8]]) -> Result<(Requests, usize), Malformed> {
        let (mut parser, mut received, mut requests) = (Parser::default(), Vec::new(), Vec::new());
        for piece in pieces {
            received.extend_from_slice(piece);
            while let Some(length) = parser.parse(&received)? {
                requests.push(parser.arguments().iter().map(|range| received[range.clone()].to_vec()).collect());
                received.drain(..length);
            }
        }
        Ok((requests, received.len()))
    }

    fn parse_one(bytes: &[u8]) -> Result<Option<Vec<Vec<u8>>>, Malformed> {
        parse_all(&[bytes]).map(|(requests, _)| requests.into_iter().next())
    }

    fn encode(arguments: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = format!("*{}\r\n", arguments.len()).into_bytes();
        for argument in arguments {
            bytes.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
            bytes.extend_from_slice(argument);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes
    }

    #[test]
    fn an_array_and_an_inline_command_are_the_same_request() {
        let expected = Some(vec![b"GET".to_vec(), b"key".to_vec()]);
        for bytes in
            ["*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n", "GET key\r\n", "GET key\n", "  GET \t key  \r\n", "'GET' \"key\"\n"]
        {
            assert_eq!(parse_one(bytes.as_bytes()).unwrap(), expected, "{bytes:?}");
        }
    }

    #[test]
    fn a_request_without_arguments_is_consumed() {
        for bytes in ["\r\n", "\n", "*0\r\n", "*-1\r\n"] {
            assert_eq!(parse_all(&[bytes.as_bytes()]), Ok((vec![vec![]], 0)), "{bytes:?}");
        }
    }

    #[test]
    fn quotes_hold_an_argument_together() {
        assert_eq!(parse_one(b"ECHO 'a b' \"\"\r\n").unwrap().unwrap(), [&b"ECHO"[..], b"a b", b""]);
    }

    #[test]
    fn errors_are_in_the_words_of_redis_server() {
        let long = "x".repeat(LINE_BYTES_MAX + 1);
        for (bytes, text) in [
            ("*1\r\n$-1\r\n".to_owned(), "Protocol error: invalid bulk length"),
            ("*1\r\n$536870913\r\n".to_owned(), "Protocol error: invalid bulk length"),
            ("*1\r\n$abc\r\n".to_owned(), "Protocol error: invalid bulk length"),
            ("*1\r\nx".to_owned(), "Protocol error: expected '$', got 'x'"),
            ("*1\r\n\r\n".to_owned(), "Protocol error: expected '$', got ' '"),
            ("*abc\r\n".to_owned(), "Protocol error: invalid multibulk length"),
            ("*\r\n".to_owned(), "Protocol error: invalid multibulk length"),
            ("*1048577\r\n".to_owned(), "Protocol error: invalid multibulk length"),
            (long.clone(), "Protocol error: too big inline request"),
            (format!("{long}\n"), "Protocol error: too big inline request"),
            (format!("*{long}"), "Protocol error: too big mbulk count string"),
            (format!("*1\r\n${long}"), "Protocol error: too big bulk count string"),
            ("ECHO 'a\n".to_owned(), "Protocol error: unbalanced quotes in request"),
            ("ECHO 'a'b\n".to_owned(), "Protocol error: unbalanced quotes in request"),
        ] {
            assert_eq!(
                parse_one(bytes.as_bytes()).unwrap_err().to_string(),
                text,
                "{:?}",
                &bytes[..bytes.len().min(20)]
            );
        }
    }

    #[test]
    fn limits_are_inclusive() {
        let line = format!("{}\n", "x".repeat(LINE_BYTES_MAX));
        assert_eq!(parse_one(line.as_bytes()).unwrap().unwrap()[0].len(), LINE_BYTES_MAX);
        for header in ["*1048576\r\n", "*1\r\n$536870912\r\n"] {
            assert_eq!(parse_one(header.as_bytes()), Ok(None), "{header:?}");
        }
    }

    /// A request of 2^20 arguments in reads of 1 KiB. Begun anew with each read, it would take hours.
    #[test]
    fn a_request_in_many_reads_is_parsed_in_linear_time() {
        let bytes = encode(&vec![b"argument".to_vec(); 1 << 20]);
        let mut parser = Parser::default();
        let whole = (1024..).step_by(1024).map(|end| parser.parse(&bytes[..end.min(bytes.len())]).unwrap());
        assert_eq!(whole.flatten().next(), Some(bytes.len()));
        assert_eq!(parser.arguments().len(), 1 << 20);
    }

    #[test]
    fn integers_are_spelt_one_way_only() {
        for number in [0, 1, -1, 10, i64::MAX, i64::MIN] {
            assert_eq!(integer(number.to_string().as_bytes()), Some(number));
        }
        for text in ["", "-", "+1", "-0", "01", " 1", "1 ", "1x", "9223372036854775808", "-9223372036854775809"] {
            assert_eq!(integer(text.as_bytes()), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_split_of_a_request_stream_parses_alike(
            requests in prop::collection::vec(prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 1..5), 1..8),
            inline_every in 1usize..4,
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let mut bytes = Vec::new();
            let mut expected = Vec::new();
            for (index, request) in requests.into_iter().enumerate() {
                bytes.extend_from_slice(&encode(&request));
                expected.push(request);
                if index % inline_every == 0 {
                    bytes.extend_from_slice(b"PING 'a b'\r\n");
                    expected.push(vec![b"PING".to_vec(), b"a b".to_vec()]);
                }
            }
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).chain([0, bytes.len()]).collect();
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect();
            prop_assert_eq!(parse_all(&pieces), Ok((expected, 0)));
        }

        #[test]
        fn any_split_of_any_bytes_parses_alike(bytes in "[*$\r\n0-3a' -]{0,40}", cut in any::<prop::sample::Index>()) {
            let cut = cut.index(bytes.len() + 1);
            prop_assert_eq!(
                parse_all(&[&bytes.as_bytes()[..cut], &bytes.as_bytes()[cut..]]),
                parse_all(&[bytes.as_bytes()])
            );
        }
    }
}
