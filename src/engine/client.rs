//! A parallel client, without its connection: when it may send, and how long its replies took. Pure; it is told the
//! time.

use crate::recording::Reads;
use crate::units::Nanos;
use std::collections::VecDeque;
use std::ops::Range;

/// Keeps requests in flight: a batch until all of it is answered, or several, in the order in which they were sent.
#[derive(Debug, Default)]
pub struct Client {
    in_flight: u64,
    /// The oldest of the batches in flight, as far as it is not answered, or the last that was.
    oldest: Sent,
    /// Those that were sent after it.
    later: VecDeque<Sent>,
    part: Part,
}

/// Requests that went out in one piece.
#[derive(Debug, Clone, Default)]
struct Sent {
    numbers: Range<u64>,
    at: Nanos,
    began: Nanos,
}

/// How far the reply to the oldest request has come, or the replies when it takes several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Part {
    /// Replies that were read.
    pub replies: u32,
    /// Whether one of them was an error.
    pub is_refused: bool,
    /// What they found.
    pub reads: Reads,
    /// Strings, and nulls in their place, of the reply at hand.
    pub strings: u32,
    /// What the string at hand is compared with, and how much of it has been.
    pub string: Option<(u64, u64)>,
    /// The first difference that was found.
    pub wrong: Option<Wrong>,
}

/// Where what was read differs from what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrong {
    /// The place of the key in the request.
    pub key: usize,
    /// The place of the byte in the value.
    pub byte: u64,
}

impl Part {
    /// Takes note of a difference, unless one was found before.
    pub fn find(&mut self, key: usize, byte: u64) {
        self.string = None;
        self.wrong.get_or_insert(Wrong { key, byte });
    }
}

/// Requests that were answered, and had been sent in one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    pub requests: u64,
    pub sent: Nanos,
    /// When they had been due: when they were sent, unless there was a schedule to keep.
    pub began: Nanos,
}

/// Replies came that nobody had asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Unasked;

impl Client {
    /// Notes that the requests with these `numbers` went out at `now`, which were due at `began`.
    #[inline]
    pub fn sent(&mut self, numbers: Range<u64>, now: Nanos, began: Nanos) {
        let sent = Sent { numbers, at: now, began };
        self.in_flight += sent.numbers.end - sent.numbers.start;
        if self.oldest.numbers.is_empty() {
            self.oldest = sent;
        } else {
            self.later.push_back(sent);
        }
    }

    /// When the oldest requests in flight, or the last that were, had been due.
    #[inline]
    pub fn began(&self) -> Nanos {
        self.oldest.began
    }

    /// Notes that the next `requests` requests are answered, or as many of them as went out in one piece.
    ///
    /// # Errors
    /// [`Unasked`] when none is in flight.
    #[inline]
    pub fn answered(&mut self, requests: u64) -> Result<Answered, Unasked> {
        let Sent { numbers, at, began } = &mut self.oldest;
        let requests = requests.min(numbers.end - numbers.start);
        if requests == 0 {
            return Err(Unasked);
        }
        numbers.start += requests;
        let answered = Answered { requests, sent: *at, began: *began };
        self.in_flight -= requests;
        if self.oldest.numbers.is_empty()
            && let Some(next) = self.later.pop_front()
        {
            self.oldest = next;
        }
        Ok(answered)
    }

    /// The number of the request in flight that is answered `nth`, from 0.
    #[inline]
    pub fn number(&self, nth: u64) -> Option<u64> {
        let mut nth = nth;
        for sent in std::iter::once(&self.oldest).chain(&self.later) {
            let requests = sent.numbers.end - sent.numbers.start;
            if nth < requests {
                return Some(sent.numbers.start + nth);
            }
            nth -= requests;
        }
        None
    }

    /// How far the replies to the oldest request have come.
    pub fn part(&self) -> Part {
        self.part
    }

    pub fn set_part(&mut self, part: Part) {
        self.part = part;
    }

    /// Gives up on the requests in flight, and tells how many they are.
    pub fn abandon(&mut self) -> u64 {
        self.oldest.numbers = 0..0;
        self.later.clear();
        self.part = Part::default();
        std::mem::take(&mut self.in_flight)
    }

    pub fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// Whether nothing is in flight.
    #[inline]
    pub fn is_ready(&self) -> bool {
        self.in_flight == 0
    }

    /// Whether a reply has been due for longer than `timeout` at `now`.
    pub fn is_overdue(&self, now: Nanos, timeout: Nanos) -> bool {
        self.in_flight > 0 && now - self.oldest.at > timeout
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(requests: u64, at: u64) -> Result<Answered, Unasked> {
        Ok(Answered { requests, sent: Nanos(at), began: Nanos(at) })
    }

    #[test]
    fn a_batch_is_answered_in_pieces() {
        let mut client = Client::default();
        client.sent(0..3, Nanos(1000), Nanos(1000));
        assert_eq!(client.answered(1), answered(1, 1000));
        assert!(!client.is_ready());
        assert_eq!(client.answered(2), answered(2, 1000));
        assert!(client.is_ready());
    }

    #[test]
    fn requests_are_answered_in_the_order_in_which_they_were_sent() {
        let mut client = Client::default();
        client.sent(0..3, Nanos(1), Nanos(1));
        client.sent(8..10, Nanos(2), Nanos(2));
        let numbers: Vec<_> = (0..6).map(|nth| client.number(nth)).collect();
        assert_eq!(numbers, [Some(0), Some(1), Some(2), Some(8), Some(9), None]);
        assert_eq!(client.answered(4), answered(3, 1), "what was sent apart is told apart");
        assert_eq!((client.in_flight(), client.number(0)), (2, Some(8)));
        assert_eq!(client.answered(1), answered(1, 2));
        assert_eq!(client.number(0), Some(9));
        assert_eq!(client.abandon(), 1);
        assert!(client.is_ready() && client.number(0).is_none());
    }

    #[test]
    fn a_reply_to_nothing_is_an_error() {
        let mut client = Client::default();
        assert_eq!(client.answered(1), Err(Unasked));
        client.sent(0..1, Nanos(1), Nanos(1));
        assert_eq!(client.answered(2), answered(1, 1));
        assert_eq!(client.answered(1), Err(Unasked));
    }

    #[test]
    fn only_a_request_in_flight_can_be_overdue() {
        let mut client = Client::default();
        assert!(!client.is_overdue(Nanos::from_secs(99), Nanos::from_secs(1)));
        client.sent(0..1, Nanos::from_secs(1), Nanos::ZERO);
        assert!(!client.is_overdue(Nanos::from_secs(2), Nanos::from_secs(1)));
        assert!(client.is_overdue(Nanos::from_secs(3), Nanos::from_secs(1)));
    }
}
