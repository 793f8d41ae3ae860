//! A batch of requests as bytes, prepared once; only the numbers in its holes are written anew.

use super::template::{Draw, NUMBER_BYTES};
use super::test::Test;
use crate::units::{Draws, Seed};

/// The bytes of as many requests as go out in one write, shared by all clients of a load thread.
///
/// Requests are numbered from 0 over a whole run, and what is in the holes of a request depends on its number and the
/// seed alone: whichever thread sends it, it is the same request.
#[derive(Debug)]
pub struct Batch {
    bytes: Vec<u8>,
    holes: Vec<Hole>,
    /// For each request of the batch where its bytes and its holes end.
    ends: Vec<End>,
    sequence_len: u64,
    /// Numbers are drawn from `0..key_count`. None when nothing is drawn.
    key_count: Option<u64>,
    seed: Seed,
    shared_seed: Seed,
}

#[derive(Debug)]
struct Hole {
    offset: usize,
    draw: Draw,
}

#[derive(Debug, Clone, Copy)]
struct End {
    byte: usize,
    hole: usize,
}

impl Batch {
    /// `repeats` times the sequence of `test`, with `data` as payload and numbers drawn from `0..key_count` by `seed`.
    pub fn new(test: &Test, repeats: usize, data: &[u8], key_count: Option<u64>, seed: Seed) -> Batch {
        let (mut bytes, mut found, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        for template in std::iter::repeat_n(&test.sequence, repeats).flatten() {
            template.encode(data, key_count.is_some(), &mut bytes, &mut found);
            ends.push(End { byte: bytes.len(), hole: found.len() });
        }
        Batch {
            bytes,
            holes: found.into_iter().map(|(offset, draw)| Hole { offset, draw }).collect(),
            ends,
            sequence_len: test.sequence.len() as u64,
            key_count,
            seed,
            shared_seed: seed.child(u64::MAX),
        }
    }

    /// Requests in a whole batch.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The bytes of the `count` requests from number `first` on. `first` must be the first of a sequence, and `count`
    /// from 1 to [`len`](Self::len).
    #[inline]
    pub fn fill(&mut self, first: u64, count: usize) -> &[u8] {
        if let Some(key_count) = self.key_count
            && !self.holes.is_empty()
        {
            self.draw(first, count, key_count);
        }
        &self.bytes[..self.ends[count - 1].byte]
    }

    fn draw(&mut self, first: u64, count: usize, key_count: u64) {
        let mut from = 0;
        for (number, end) in (first..).zip(&self.ends[..count]) {
            let mut each = self.seed.draws(number);
            for hole in &self.holes[from..end.hole] {
                let drawn = match hole.draw {
                    Draw::Each => each.below(key_count),
                    Draw::Shared(index) => shared(self.shared_seed, number / self.sequence_len, index).below(key_count),
                };
                let place = &mut self.bytes[hole.offset..hole.offset + NUMBER_BYTES];
                write_number(drawn, place.try_into().expect("a hole is as long as a number"));
            }
            from = end.hole;
        }
    }
}

fn shared(seed: Seed, sequence: u64, index: u8) -> Draws {
    seed.draws(sequence * 16 + u64::from(index))
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
    use crate::workload::Template;
    use crate::workload::sequence;
    use std::collections::HashSet;

    fn batch(line: &str, repeats: usize, key_count: Option<u64>, seed: u64) -> Batch {
        let words: Vec<Vec<u8>> = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        let test = Test::of_command(line.into(), sequence::parse(&words).unwrap(), b"VXK");
        Batch::new(&test, repeats, b"VXK", key_count, Seed(seed))
    }

    fn numbers(bytes: &[u8]) -> Vec<u64> {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.split("\r\n")
            .filter(|word| word.len() == 12 && !word.starts_with('_'))
            .map(|n| n.parse().unwrap())
            .collect()
    }

    #[test]
    fn a_number_is_twelve_digits() {
        for number in [0, 7, 999_999, 1_000_000, 123_456_789_012, 999_999_999_999] {
            let mut place = [0; 12];
            write_number(number, &mut place);
            assert_eq!(String::from_utf8(place.to_vec()).unwrap(), format!("{number:012}"));
        }
    }

    #[test]
    fn a_batch_is_its_requests_end_to_end_and_may_be_cut() {
        let test = Test::of_command("get x".into(), vec![Template::new(&["get", "x"])], b"");
        let mut batch = Batch::new(&test, 3, b"", None, Seed(1));
        assert_eq!(batch.len(), 3);
        let one = b"*2\r\n$3\r\nget\r\n$1\r\nx\r\n";
        assert_eq!(batch.fill(0, 1), one);
        assert_eq!(batch.fill(0, 3), one.repeat(3));
    }

    #[test]
    fn a_request_is_the_same_whatever_batch_it_is_in() {
        let mut deep = batch("get __rand_int__", 16, Some(1000), 5);
        let mut shallow = batch("get __rand_int__", 1, Some(1000), 5);
        let all = numbers(deep.fill(160, 16));
        let single: Vec<u64> = (160..176).flat_map(|number| numbers(shallow.fill(number, 1))).collect();
        assert_eq!(all, single);
        assert_ne!(numbers(deep.fill(0, 16)), all);
        assert_ne!(numbers(batch("get __rand_int__", 16, Some(1000), 6).fill(160, 16)), all);
    }

    #[test]
    fn each_place_has_a_number_of_its_own_and_a_shared_one_is_shared() {
        let mut batch = batch(
            "mset __rand_int__ v __rand_int__ v ; get __rand_1st__ ; del __rand_1st__ __rand_2nd__",
            2,
            Some(1 << 39),
            9,
        );
        let drawn = numbers(batch.fill(0, 6));
        assert_eq!(drawn.len(), 10);
        assert_ne!(drawn[0], drawn[1]);
        assert_eq!(drawn[2], drawn[3]);
        assert_ne!(drawn[3], drawn[4]);
        assert_ne!(drawn[2], drawn[7], "the next sequence shares a number of its own");
        assert_eq!(drawn[7], drawn[8]);
    }

    #[test]
    fn numbers_cover_the_key_space_and_nothing_else() {
        let mut batch = batch("get __rand_int__", 100, Some(10), 3);
        let seen: HashSet<u64> = (0..10).flat_map(|i| numbers(batch.fill(i * 100, 100))).collect();
        assert_eq!(seen, (0..10).collect());
    }
}
