//! A batch of requests as bytes, prepared once; only the numbers in its holes are written anew.

use super::slots::{self, Slots, TAG_BYTES};
use super::template::{Draw, Holes, NUMBER_BYTES};
use super::test::{KeyAt, Test};
use crate::units::{Draws, Seed};
use std::ops::Range;

/// The bytes of as many requests as go out in one write, shared by all clients of a load thread.
///
/// Requests are numbered from 0 over a whole run, and what is in the holes of a request depends on its number and the
/// seed alone: whichever thread sends it, it is the same request. In a cluster it depends on the node as well.
#[derive(Debug)]
pub struct Batch {
    bytes: Vec<u8>,
    holes: Vec<Hole>,
    /// For each request of the batch where its bytes and its holes end.
    ends: Vec<End>,
    sequence_len: usize,
    /// For each sequence of the batch the bytes of the key that decides where it goes. Empty when none does.
    routing_keys: Vec<Range<usize>>,
    /// Numbers are drawn from `0..key_count`. None when no number is drawn.
    key_count: Option<u64>,
    seed: Seed,
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

/// What the draws of a sequence have in common.
struct Shared<'a> {
    seed: Seed,
    sequence: u64,
    slots: Option<&'a Slots>,
}

/// How often a sequence is drawn in search of a key that its node serves. With a thousand nodes of equal size, one in
/// 10^4 searches is in vain; what then goes to the wrong node is redirected.
const SEARCH_MAX: u64 = 10_000;

impl Batch {
    /// `repeats` times the sequence of `test`, with `data` as payload and numbers drawn from `0..key_count` by `seed`.
    /// Tags are drawn when there are nodes to choose from: `in_cluster`.
    pub fn new(
        test: &Test,
        repeats: usize,
        data: &[u8],
        key_count: Option<u64>,
        seed: Seed,
        in_cluster: bool,
    ) -> Batch {
        let (mut bytes, mut found, mut ends, mut routing_keys) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let holes = Holes { numbers: key_count.is_some(), tags: in_cluster };
        if in_cluster {
            slots::prepare_tags();
        }
        let routing_key = test.routing_key.filter(|_| in_cluster);
        for _ in 0..repeats {
            for (index, template) in test.sequence.iter().enumerate() {
                let begin = template.encode(data, holes, &mut bytes, &mut found);
                if let Some(KeyAt { request, argument }) = routing_key
                    && request == index
                {
                    let next = begin.get(argument + 1).map(|next| header_before(&bytes, *next)).unwrap_or(bytes.len());
                    routing_keys.push(begin[argument]..next - LINE_END);
                }
                ends.push(End { byte: bytes.len(), hole: found.len() });
            }
        }
        Batch {
            bytes,
            holes: found.into_iter().map(|(offset, draw)| Hole { offset, draw }).collect(),
            ends,
            sequence_len: test.sequence.len(),
            routing_keys,
            key_count,
            seed,
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
        if !self.holes.is_empty() {
            self.draw(0..count, first, self.seed, None);
        }
        &self.bytes[..self.ends[count - 1].byte]
    }

    /// As [`fill`](Self::fill), for a node that serves `slots` of a cluster.
    pub fn fill_for(&mut self, first: u64, count: usize, slots: &Slots) -> &[u8] {
        if self.routing_keys.is_empty() {
            if !self.holes.is_empty() && !slots.list().is_empty() {
                self.draw(0..count, first, self.seed, Some(slots));
            }
        } else {
            for from in (0..count).step_by(self.sequence_len) {
                self.search(from..(from + self.sequence_len).min(count), first, slots);
            }
        }
        &self.bytes[..self.ends[count - 1].byte]
    }

    /// Whether a node that serves `slots` is one that sequences go to, as far as a few hundred of them tell.
    pub fn reaches(&mut self, slots: &Slots) -> bool {
        if self.routing_keys.is_empty() {
            return true;
        }
        let whole = 0..self.sequence_len;
        let probes = if self.holes.is_empty() { 1 } else { 1000 };
        (0..probes).any(|probe| {
            self.draw(whole.clone(), 0, self.seed.child(probe), Some(slots));
            slots.contains(self.slot(0))
        })
    }

    /// Draws one sequence until its key is one that the node serves.
    fn search(&mut self, requests: Range<usize>, first: u64, slots: &Slots) {
        for attempt in 0..SEARCH_MAX {
            let seed = if attempt == 0 { self.seed } else { self.seed.child(attempt) };
            self.draw(requests.clone(), first, seed, Some(slots));
            if slots.contains(self.slot(requests.start)) || self.holes.is_empty() {
                return;
            }
        }
    }

    /// The slot that the sequence which begins at `request` goes to.
    fn slot(&self, request: usize) -> u16 {
        slots::of_key(&self.bytes[self.routing_keys[request / self.sequence_len].clone()])
    }

    #[inline]
    fn draw(&mut self, requests: Range<usize>, first: u64, seed: Seed, slots: Option<&Slots>) {
        let mut from = if requests.start == 0 { 0 } else { self.ends[requests.start - 1].hole };
        for index in requests {
            let number = first + index as u64;
            let to = self.ends[index].hole;
            let mut each = seed.draws(number);
            let shared = Shared { seed, sequence: number / self.sequence_len as u64, slots };
            for hole in &self.holes[from..to] {
                let place = &mut self.bytes[hole.offset..];
                match (hole.draw, self.key_count) {
                    (Draw::Each, Some(count)) => write_number(each.below(count), number_at(place)),
                    (Draw::Shared(index), Some(count)) => {
                        write_number(shared.draws(u64::from(index)).below(count), number_at(place));
                    }
                    (Draw::Tag, _) => place[..TAG_BYTES].copy_from_slice(shared.tag()),
                    (_, None) => {}
                }
            }
            from = to;
        }
    }
}

impl Shared<'_> {
    fn draws(&self, index: u64) -> Draws {
        self.seed.child(u64::MAX).draws(self.sequence * 16 + index)
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

/// Beside the indexes of the nine numbers that a sequence can share.
const TAG_INDEX: u64 = 15;

const LINE_END: usize = 2;

/// Where the length line of the argument begins whose bytes begin at `argument`.
fn header_before(bytes: &[u8], argument: usize) -> usize {
    bytes[..argument].iter().rposition(|&byte| byte == b'$').expect("an argument has a length line")
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
    use crate::workload::Template;
    use crate::workload::sequence;
    use std::collections::HashSet;

    fn batch(line: &str, repeats: usize, key_count: Option<u64>, seed: u64) -> Batch {
        let words: Vec<Vec<u8>> = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        let test = Test::of_command(line.into(), sequence::parse(&words).unwrap(), b"VXK");
        Batch::new(&test, repeats, b"VXK", key_count, Seed(seed), false)
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
        let mut batch = Batch::new(&test, 3, b"", None, Seed(1), false);
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

    fn in_cluster(line: &str, routing_key: Option<KeyAt>, repeats: usize) -> Batch {
        let words: Vec<Vec<u8>> = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        let test = Test { routing_key, ..Test::of_command(line.into(), sequence::parse(&words).unwrap(), b"VXK") };
        Batch::new(&test, repeats, b"VXK", Some(1_000_000), Seed(3), true)
    }

    /// The arguments of `bytes` that look like a key.
    fn slots_of_keys(bytes: &[u8]) -> Vec<u16> {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.split("\r\n").filter(|word| word.starts_with("key:")).map(|key| slots::of_key(key.as_bytes())).collect()
    }

    #[test]
    fn tags_lead_to_all_slots_of_a_node_and_to_no_other() {
        let slots = Slots::of_ranges(&[(5, 9), (16_000, 16_001)]);
        let mut batch = in_cluster("mset key:{tag}:__rand_int__ v key:{tag}:__rand_int__ v", None, 4);
        let mut seen = HashSet::new();
        for first in 0..100 {
            let found = slots_of_keys(batch.fill_for(first * 4, 4, &slots));
            assert!(found.chunks(2).all(|pair| pair[0] == pair[1]), "one request, one slot");
            seen.extend(found);
        }
        assert_eq!(seen, slots.list().iter().copied().collect());
    }

    #[test]
    fn a_key_without_a_tag_is_drawn_until_the_node_serves_it() {
        let slots = Slots::of_ranges(&[(0, 5460)]);
        let key = KeyAt { request: 1, argument: 1 };
        let mut batch = in_cluster("echo x ; set key:__rand_1st__ v ; get key:__rand_1st__", Some(key), 5);
        assert!(batch.reaches(&slots));
        for first in 0..20 {
            let found = slots_of_keys(batch.fill_for(first * 15, 15, &slots));
            assert_eq!(found.len(), 10);
            assert!(found.iter().all(|slot| slots.contains(*slot)), "{found:?}");
        }
    }

    #[test]
    fn a_fixed_key_belongs_to_one_node() {
        let mut batch = in_cluster("set key:1 v", Some(KeyAt { request: 0, argument: 1 }), 1);
        let slot = slots::of_key(b"key:1");
        assert!(batch.reaches(&Slots::of_ranges(&[(slot, slot)])));
        assert!(!batch.reaches(&Slots::of_ranges(&[(0, slot - 1), (slot + 1, 16_383)])));
    }
}
