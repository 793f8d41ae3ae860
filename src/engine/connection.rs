//! A client's RESP stream, without its socket: what was read and is not yet a reply, what is to be written and did not
//! fit.

use crate::resp::scan::Strings;
use crate::resp::{Malformed, Reply, Scanner};

/// Who hears replies.
pub trait Listener: Strings {
    /// Takes the next reply. False when it has heard enough.
    fn reply(&mut self, reply: Reply) -> bool;
}

/// Hears replies with a closure.
pub struct Each<F>(pub F);

impl<F> Strings for Each<F> {}

impl<F: FnMut(Reply) -> bool> Listener for Each<F> {
    #[inline]
    fn reply(&mut self, reply: Reply) -> bool {
        (self.0)(reply)
    }
}

/// Both directions of a stream. It holds memory only while a line is cut in two or a write was short.
#[derive(Debug, Default)]
pub struct Connection {
    scanner: Scanner,
    /// The beginning of a line whose end has not been read.
    held: Vec<u8>,
    /// What the socket did not take, from `written` on.
    unsent: Vec<u8>,
    written: usize,
}

impl Connection {
    /// Puts the bytes held back at the front of `buffer`, and tells how many they are: the next read goes behind them.
    #[inline]
    pub fn restore(&mut self, buffer: &mut [u8]) -> usize {
        let held = self.held.len();
        if held > 0 {
            buffer[..held].copy_from_slice(&self.held);
            self.held.clear();
        }
        held
    }

    /// Holds back bytes that were restored and are still not a whole line.
    #[inline]
    pub fn hold(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// Hands each reply in `bytes` to `listener`, until it has heard enough. What is left of a line at the end is held
    /// back.
    ///
    /// # Errors
    /// [`Malformed`] when the bytes are not RESP.
    #[inline]
    pub fn replies(&mut self, bytes: &[u8], listener: &mut impl Listener) -> Result<(), Malformed> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (taken, reply) = self.scanner.scan(rest, listener)?;
            rest = &rest[taken..];
            match reply {
                Some(reply) if listener.reply(reply) => {}
                Some(_) => return Ok(()),
                None => break,
            }
        }
        self.hold(rest);
        Ok(())
    }

    /// Keeps what the socket did not take.
    pub fn keep_unsent(&mut self, bytes: &[u8]) {
        self.unsent.extend_from_slice(bytes);
    }

    /// What is still to be written.
    pub fn unsent(&self) -> &[u8] {
        &self.unsent[self.written..]
    }

    /// Whether nothing is under way in either direction, and no reply is half read.
    pub fn is_idle(&self) -> bool {
        self.held.is_empty() && !self.has_unsent()
    }

    #[inline]
    pub fn has_unsent(&self) -> bool {
        self.written < self.unsent.len()
    }

    /// Notes that the socket took `bytes` of what was unsent.
    pub fn advance(&mut self, bytes: usize) {
        self.written += bytes;
        if self.written == self.unsent.len() {
            // Given back, not kept: a large payload would otherwise stay in memory once for every client.
            self.unsent = Vec::new();
            self.written = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_cut_in_two_is_one_reply() {
        let stream = b"+OK\r\n:12\r\n$3\r\na\r\n\r\n";
        for cut in 0..stream.len() {
            let mut connection = Connection::default();
            let mut buffer = [0; 64];
            let mut replies = 0;
            for piece in [&stream[..cut], &stream[cut..]] {
                let held = connection.restore(&mut buffer);
                buffer[held..held + piece.len()].copy_from_slice(piece);
                let seen = &buffer[..held + piece.len()];
                let mut count = Each(|_: Reply| {
                    replies += 1;
                    true
                });
                connection.replies(seen, &mut count).unwrap();
            }
            assert_eq!(replies, 3, "cut at {cut}");
        }
    }

    #[test]
    fn unsent_bytes_keep_their_order_and_are_given_back() {
        let mut connection = Connection::default();
        connection.keep_unsent(b"abc");
        connection.advance(1);
        connection.keep_unsent(b"d");
        assert_eq!(connection.unsent(), b"bcd");
        connection.advance(3);
        assert!(!connection.has_unsent());
        assert_eq!(connection.unsent.capacity(), 0);
    }
}
