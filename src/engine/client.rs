//! A parallel client, without its connection: when it may send, and how long its replies took. Pure; it is told the
//! time.

use crate::units::Nanos;

/// Keeps one batch of requests in flight: sends it, waits for all of its replies, and is ready for the next.
#[derive(Debug, Default)]
pub struct Client {
    in_flight: u64,
    sent: Nanos,
    began: Nanos,
}

/// Replies came that nobody had asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Unasked;

impl Client {
    /// Notes that `requests` went out at `now`, which were due at `began`.
    #[inline]
    pub fn sent(&mut self, requests: u64, now: Nanos, began: Nanos) {
        debug_assert_eq!(self.in_flight, 0, "a batch goes out when the one before it is answered");
        self.in_flight = requests;
        self.sent = now;
        self.began = began;
    }

    /// When the requests in flight, or the last that were, had been due: when they were sent, unless there was a
    /// schedule to keep.
    #[inline]
    pub fn began(&self) -> Nanos {
        self.began
    }

    /// Notes that `replies` were read at `now`, and tells how long each of them took.
    ///
    /// # Errors
    /// [`Unasked`] when there were not as many requests in flight.
    #[inline]
    pub fn received(&mut self, replies: u64, now: Nanos) -> Result<Nanos, Unasked> {
        self.in_flight = self.in_flight.checked_sub(replies).ok_or(Unasked)?;
        Ok(now - self.sent)
    }

    /// Gives up on the requests in flight, and tells how many they are.
    pub fn abandon(&mut self) -> u64 {
        std::mem::take(&mut self.in_flight)
    }

    pub fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// Whether a batch may go out.
    #[inline]
    pub fn is_ready(&self) -> bool {
        self.in_flight == 0
    }

    /// Whether a reply has been due for longer than `timeout` at `now`.
    pub fn is_overdue(&self, now: Nanos, timeout: Nanos) -> bool {
        self.in_flight > 0 && now - self.sent > timeout
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reply_has_a_latency_of_its_own() {
        let mut client = Client::default();
        client.sent(3, Nanos(1000), Nanos(1000));
        assert_eq!(client.received(1, Nanos(1500)), Ok(Nanos(500)));
        assert!(!client.is_ready());
        assert_eq!(client.received(2, Nanos(4000)), Ok(Nanos(3000)));
        assert!(client.is_ready());
    }

    #[test]
    fn a_reply_to_nothing_is_an_error() {
        let mut client = Client::default();
        assert_eq!(client.received(1, Nanos(1)), Err(Unasked));
        client.sent(1, Nanos(1), Nanos(1));
        assert_eq!(client.received(2, Nanos(2)), Err(Unasked));
    }

    #[test]
    fn only_a_request_in_flight_can_be_overdue() {
        let mut client = Client::default();
        assert!(!client.is_overdue(Nanos::from_secs(99), Nanos::from_secs(1)));
        client.sent(1, Nanos::from_secs(1), Nanos::ZERO);
        assert!(!client.is_overdue(Nanos::from_secs(2), Nanos::from_secs(1)));
        assert!(client.is_overdue(Nanos::from_secs(3), Nanos::from_secs(1)));
    }
}
