//! Spelling replies, in RESP2 and in RESP3.

use std::fmt::Write;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    #[default]
    Resp2,
    Resp3,
}

impl Protocol {
    pub fn number(self) -> i64 {
        match self {
            Protocol::Resp2 => 2,
            Protocol::Resp3 => 3,
        }
    }
}

/// Appends replies to `out`.
pub struct Reply<'a> {
    pub out: &'a mut Vec<u8>,
    pub protocol: Protocol,
}

impl Reply<'_> {
    pub fn ok(&mut self) {
        self.out.extend_from_slice(b"+OK\r\n");
    }

    pub fn simple(&mut self, text: &str) {
        self.line(b'+', text.as_bytes());
    }

    pub fn error(&mut self, text: &str) {
        self.line(b'-', text.as_bytes());
    }

    pub fn integer(&mut self, number: i64) {
        self.number(b':', number);
    }

    /// A count of elements or bytes.
    pub fn count(&mut self, count: usize) {
        self.number(b':', count as i64);
    }

    pub fn boolean(&mut self, truth: bool) {
        self.out.extend_from_slice(if truth { b":1\r\n" } else { b":0\r\n" });
    }

    #[inline]
    pub fn bulk(&mut self, bytes: &[u8]) {
        self.number(b'$', bytes.len() as i64);
        self.out.extend_from_slice(bytes);
        self.out.extend_from_slice(b"\r\n");
    }

    pub fn bulk_or_null(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.bulk(bytes),
            None => self.null(),
        }
    }

    /// The absence of a string.
    pub fn null(&mut self) {
        self.out.extend_from_slice(match self.protocol {
            Protocol::Resp2 => b"$-1\r\n",
            Protocol::Resp3 => b"_\r\n",
        });
    }

    /// The absence of an array.
    pub fn null_array(&mut self) {
        self.out.extend_from_slice(match self.protocol {
            Protocol::Resp2 => b"*-1\r\n",
            Protocol::Resp3 => b"_\r\n",
        });
    }

    /// Opens an array of `len` replies, which follow.
    pub fn array(&mut self, len: usize) {
        self.number(b'*', len as i64);
    }

    /// Opens a map of `len` pairs of replies, which follow.
    pub fn map(&mut self, len: usize) {
        match self.protocol {
            Protocol::Resp2 => self.array(2 * len),
            Protocol::Resp3 => self.number(b'%', len as i64),
        }
    }

    /// Opens a set of `len` replies, which follow.
    pub fn set(&mut self, len: usize) {
        match self.protocol {
            Protocol::Resp2 => self.array(len),
            Protocol::Resp3 => self.number(b'~', len as i64),
        }
    }

    pub fn double(&mut self, number: f64) {
        let text = double(number);
        match self.protocol {
            Protocol::Resp2 => self.bulk(text.as_bytes()),
            Protocol::Resp3 => self.line(b',', text.as_bytes()),
        }
    }

    /// Text for people.
    pub fn verbatim(&mut self, text: &str) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(text.as_bytes()),
            Protocol::Resp3 => {
                self.number(b'=', text.len() as i64 + 4);
                self.out.extend_from_slice(b"txt:");
                self.out.extend_from_slice(text.as_bytes());
                self.out.extend_from_slice(b"\r\n");
            }
        }
    }

    #[inline]
    fn number(&mut self, kind: u8, number: i64) {
        self.line(kind, itoa::Buffer::new().format(number).as_bytes());
    }

    #[inline]
    fn line(&mut self, kind: u8, text: &[u8]) {
        self.out.push(kind);
        self.out.extend_from_slice(text);
        self.out.extend_from_slice(b"\r\n");
    }
}

/// The shortest spelling that reads back as `number`, with an exponent when it is very large or very small.
pub fn double(number: f64) -> String {
    let mut text = String::new();
    let written = match number.abs() {
        0.0 | 1e-5..1e21 | f64::INFINITY => write!(text, "{number}"),
        large if large >= 1.0 => write!(text, "{}", format!("{number:e}").replace('e', "e+")),
        _ => write!(text, "{number:e}"),
    };
    written.expect("a String can be written to");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_spelt_as_redis_does() {
        for (number, text) in [
            (0.0, "0"),
            (3.0, "3"),
            (-1.5, "-1.5"),
            (0.1, "0.1"),
            (1e20, "100000000000000000000"),
            (1e300, "1e+300"),
            (1e-7, "1e-7"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(double(number), text);
        }
    }

    #[test]
    fn each_protocol_has_its_own_shapes() {
        let spell = |protocol| {
            let mut out = Vec::new();
            let mut reply = Reply { out: &mut out, protocol };
            reply.null();
            reply.null_array();
            reply.map(1);
            reply.set(2);
            reply.double(0.5);
            reply.verbatim("a");
            String::from_utf8(out).unwrap()
        };
        assert_eq!(spell(Protocol::Resp2), "$-1\r\n*-1\r\n*2\r\n*2\r\n$3\r\n0.5\r\n$1\r\na\r\n");
        assert_eq!(spell(Protocol::Resp3), "_\r\n_\r\n%1\r\n~2\r\n,0.5\r\n=5\r\ntxt:a\r\n");
    }
}
