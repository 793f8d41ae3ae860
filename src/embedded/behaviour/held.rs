//! The replies of one connection that are written and not sent yet, in their order.

use crate::units::Nanos;
use std::collections::VecDeque;

// What a held reply takes besides its bytes, roughly.
const ENTRY_BYTES: usize = 64;

#[derive(Debug, Default)]
pub struct Held {
    replies: VecDeque<(Nanos, Box<[u8]>)>,
    bytes: usize,
}

impl Held {
    pub fn is_empty(&self) -> bool {
        self.replies.is_empty()
    }

    /// How much memory they take.
    pub fn bytes(&self) -> usize {
        self.bytes + self.replies.len() * ENTRY_BYTES
    }

    /// Holds `reply` until `due`, and until those before it are due. Returns when that is, unless the reply before it is
    /// due then, too.
    pub fn push(&mut self, due: Nanos, reply: &[u8]) -> Option<Nanos> {
        let before = self.replies.back().map(|(due, _)| *due);
        let due = before.map_or(due, |before| before.max(due));
        self.replies.push_back((due, reply.into()));
        self.bytes += reply.len();
        (before != Some(due)).then_some(due)
    }

    /// The first reply that is due by `now`, and when it was.
    pub fn pop(&mut self, now: Nanos) -> Option<(Nanos, Box<[u8]>)> {
        self.replies.front().filter(|(due, _)| *due <= now)?;
        let (due, reply) = self.replies.pop_front()?;
        self.bytes -= reply.len();
        Some((due, reply))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever the delays, each reply leaves when it is due and those before it have left, and not before.
        #[test]
        fn replies_keep_their_order(dues in prop::collection::vec(0u64..50, 1..30)) {
            let mut held = Held::default();
            let mut wakes = Vec::new();
            for (reply, due) in dues.iter().enumerate() {
                wakes.extend(held.push(Nanos(*due), &[reply as u8]));
            }
            let mut released = Vec::new();
            for now in 0..50 {
                while let Some((due, reply)) = held.pop(Nanos(now)) {
                    prop_assert_eq!(due, Nanos(now));
                    prop_assert!(wakes.contains(&due));
                    released.push((reply[0], now));
                }
            }
            let latest = dues.iter().scan(0, |latest, due| { *latest = (*latest).max(*due); Some(*latest) });
            let expected: Vec<(u8, u64)> = (0..).zip(latest).collect();
            prop_assert_eq!(released, expected);
            prop_assert!(held.is_empty());
            prop_assert_eq!(held.bytes(), 0);
        }
    }
}
