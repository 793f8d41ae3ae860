//! What is drawn for a request: a function of the seed and of the request's number.

use crate::units::{Draws, Seed};
use crate::workload::fillings::Fillings;
use crate::workload::prepared::Hole;
use crate::workload::slots::{self, Slots, TAG_BYTES};
use crate::workload::template::{Draw, NUMBER_BYTES};

/// Draws for the requests of a run.
#[derive(Debug)]
pub struct Drawer {
    pub fillings: Fillings,
    seed: Seed,
    /// Values and times to live are drawn apart from numbers: what becomes of those must not depend on them.
    extras: Seed,
    /// Keys that are drawn for one number at the most.
    keys_per_number: u64,
}

/// The draws of one request.
pub struct Drawn<'a> {
    each: Draws,
    extras: Draws,
    shared: Shared<'a>,
    /// The number of the next draw of a key.
    next_key: u64,
    /// The key that was drawn last.
    key: u64,
}

/// What the draws of a sequence have in common.
struct Shared<'a> {
    seed: Seed,
    sequence: u64,
    slots: Option<&'a Slots>,
}

/// Children of a seed for what is drawn apart from numbers.
const SHARED: u64 = u64::MAX;
const EXTRAS: u64 = u64::MAX - 2;

/// Beside the indexes of the nine numbers that a sequence can share.
const TAG_INDEX: u64 = 15;

impl Drawer {
    pub fn new(fillings: Fillings, seed: Seed, keys_per_number: usize) -> Drawer {
        Drawer { fillings, seed, extras: seed.child(EXTRAS), keys_per_number: keys_per_number as u64 }
    }

    /// The draws of request `number`, which belongs to sequence number `sequence`, for a node that serves `slots`. Each
    /// `attempt` draws something else.
    #[inline]
    pub fn draw<'a>(&self, number: u64, sequence: u64, attempt: u64, slots: Option<&'a Slots>) -> Drawn<'a> {
        let seed = if attempt == 0 { self.seed } else { self.seed.child(attempt) };
        Drawn {
            each: seed.draws(number),
            extras: self.extras.draws(number),
            shared: Shared { seed, sequence, slots },
            // An attempt moves on where keys come in turn.
            next_key: number.wrapping_add(attempt).wrapping_mul(self.keys_per_number),
            key: 0,
        }
    }

    /// Fills `holes`, whose offsets are into `bytes` behind the first `shift` of them.
    #[inline]
    pub fn fill(&self, drawn: &mut Drawn, holes: &[Hole], bytes: &mut [u8], shift: usize) {
        for hole in holes {
            let place = &mut bytes[hole.offset.wrapping_add(shift)..];
            match (hole.draw, self.fillings.key_count) {
                (Draw::Each, Some(count)) => write_number(drawn.each.below(count), number_at(place)),
                (Draw::Key, Some(_)) => write_number(self.key(drawn), number_at(place)),
                (Draw::Shared(index), Some(count)) => {
                    write_number(drawn.shared.draws(u64::from(index)).below(count), number_at(place));
                }
                (Draw::Tag, _) => place[..TAG_BYTES].copy_from_slice(drawn.shared.tag()),
                (Draw::Value(bytes), _) => {
                    self.fillings.values.write(self.value_token(drawn), &mut place[..bytes as usize]);
                }
                (Draw::Each | Draw::Key | Draw::Shared(_), None) => {}
            }
        }
    }

    #[inline]
    fn key(&self, drawn: &mut Drawn) -> u64 {
        drawn.key = self.fillings.keys.index(&mut drawn.each, drawn.next_key);
        drawn.next_key = drawn.next_key.wrapping_add(1);
        drawn.key
    }

    /// What decides the next value of a request.
    #[inline]
    pub fn value_token(&self, drawn: &mut Drawn) -> u64 {
        match self.fillings.by_key {
            true => self.fillings.values.token_of_key(drawn.key),
            false => drawn.extras.next_u64(),
        }
    }

    /// The time to live of a request, in seconds.
    pub fn ttl(&self, drawn: &mut Drawn) -> u64 {
        self.fillings.ttl.map_or(0, |ttl| ttl.sample(&mut drawn.extras))
    }

    /// The indexes of the keys that `holes` have in request `number`, in order.
    pub fn keys(&self, number: u64, holes: &[Hole], found: &mut Vec<u64>) {
        let mut drawn = self.draw(number, number, 0, None);
        for hole in holes {
            match (hole.draw, self.fillings.key_count) {
                (Draw::Each, Some(count)) => {
                    drawn.each.below(count);
                }
                (Draw::Key, Some(_)) => found.push(self.key(&mut drawn)),
                _ => {}
            }
        }
    }
}

impl Shared<'_> {
    fn draws(&self, index: u64) -> Draws {
        self.seed.child(SHARED).draws(self.sequence * 16 + index)
    }

    fn tag(&self) -> &'static [u8; TAG_BYTES] {
        match self.slots.map(Slots::list) {
            Some(slots) if !slots.is_empty() => {
                slots::tag_of(slots[self.draws(TAG_INDEX).below(slots.len() as u64) as usize])
            }
            _ => b"tag",
        }
    }
}

fn number_at(place: &mut [u8]) -> &mut [u8; NUMBER_BYTES] {
    place.first_chunk_mut().expect("a hole is as long as a number")
}

/// Two digits at a time halves the divisions.
static TWO_DIGITS: [[u8; 2]; 100] = {
    let mut table = [[0; 2]; 100];
    let mut n = 0;
    while n < 100 {
        table[n] = [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
        n += 1;
    }
    table
};

/// Writes `number`, below 10^12, as 12 digits with leading zeros.
#[inline]
fn write_number(number: u64, place: &mut [u8; NUMBER_BYTES]) {
    // Two halves of six digits fit 32-bit arithmetic, which is what makes this cheap.
    let halves = [(number / 1_000_000) as u32, (number % 1_000_000) as u32];
    for (half, six) in halves.into_iter().zip(place.chunks_exact_mut(6)) {
        six[0..2].copy_from_slice(&TWO_DIGITS[(half / 10_000 % 100) as usize]);
        six[2..4].copy_from_slice(&TWO_DIGITS[(half / 100 % 100) as usize]);
        six[4..6].copy_from_slice(&TWO_DIGITS[(half % 100) as usize]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_twelve_digits() {
        for number in [0, 7, 999_999, 1_000_000, 123_456_789_012, 999_999_999_999] {
            let mut place = [0; 12];
            write_number(number, &mut place);
            assert_eq!(String::from_utf8(place.to_vec()).unwrap(), format!("{number:012}"));
        }
    }
}
