//! A batch of requests as bytes, prepared once; only what is drawn is written anew.

mod assembled;
mod drawer;
mod fixed;
mod request;

use super::fillings::Fillings;
use super::mix::Mix;
use super::prepared::{Hole, Prepared};
use super::reads::Read;
use super::slots::{self, Slots};
use super::template::{Draw, KEY, Template};
use super::test::Test;
use crate::units::Seed;
use assembled::Assembled;
use drawer::Drawer;
use fixed::Fixed;
use request::Request;

/// The bytes of as many requests as go out in one write, shared by all clients of a load thread.
///
/// Requests are numbered from 0 over a whole run, and what is in the holes of a request depends on its number and the
/// seed alone: whichever thread sends it, it is the same request. In a cluster it depends on the node as well.
#[derive(Debug)]
pub struct Batch {
    layout: Layout,
    drawer: Drawer,
    /// Which command has which number, when commands are mixed.
    mix: Option<Mix>,
    commands: Vec<Asked>,
    len: usize,
    sequence_len: usize,
}

/// How the bytes come about.
#[derive(Debug)]
enum Layout {
    Fixed(Fixed),
    Assembled(Assembled),
}

/// What goes out under one number, as far as its replies are to be understood.
#[derive(Debug)]
pub struct Asked {
    /// For each of its replies whether it is one to a read.
    pub replies: Vec<Option<Read>>,
    requests: Vec<Template>,
    holes: Vec<Hole>,
}

/// Commands that are answered with the values of the keys that they name.
const VALUE_READS: [&str; 4] = ["GET", "GETEX", "GETDEL", "MGET"];

impl Asked {
    fn new(requests: &[Template], prepared: &Prepared) -> Asked {
        Asked {
            replies: requests.iter().map(Read::of).collect(),
            requests: requests.to_vec(),
            holes: prepared.holes.clone(),
        }
    }

    /// Whether the strings in its reply number `reply` are the values of its keys, one for each.
    pub fn returns_values(&self, reply: usize) -> bool {
        self.requests.len() == 1
            && self.requests.get(reply).is_some_and(|request| VALUE_READS.contains(&&*request.name()))
    }
}

/// How often a sequence is drawn in search of a key that its node serves. With a thousand nodes of equal size, one in
/// 10^4 searches is in vain; what then goes to the wrong node is redirected.
const SEARCH_MAX: u64 = 10_000;

impl Batch {
    /// `repeats` times the sequence of `test`, or as many commands of its mix, with `fillings` drawn by `seed`.
    pub fn new(test: &Test, repeats: usize, fillings: Fillings, seed: Seed) -> Batch {
        if fillings.in_cluster {
            slots::prepare_tags();
        }
        let requests = Request::all_of(test, &fillings);
        let mix = test.is_mix().then(|| Mix::new(test.commands.iter().map(|command| command.weight), seed));
        let sequence_len = if mix.is_some() { 1 } else { requests.len() };
        let numbered: Vec<&[Template]> = match &mix {
            Some(_) => test.commands.iter().map(|command| &command.sequence[..]).collect(),
            None => test.commands[0].sequence.chunks(1).collect(),
        };
        let asked = numbered.into_iter().zip(&requests).map(|(templates, it)| Asked::new(templates, &it.prepared));
        let commands: Vec<Asked> = asked.collect();
        let keys = |asked: &Asked| asked.holes.iter().filter(|hole| hole.draw == Draw::Key).count();
        let drawer = Drawer::new(fillings, seed, commands.iter().map(keys).max().unwrap_or(0));
        let layout = match mix.is_none() && requests.iter().all(|request| request.prepared.is_fixed()) {
            true => Layout::Fixed(Fixed::new(&requests, repeats)),
            false => Layout::Assembled(Assembled::new(requests, mix.clone())),
        };
        Batch { layout, drawer, mix, commands, len: repeats * sequence_len, sequence_len }
    }

    /// Requests in a whole batch.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Requests that go out one behind the other, to one node.
    pub fn sequence_len(&self) -> usize {
        self.sequence_len
    }

    /// Whether commands are mixed, and counted apart.
    pub fn is_mix(&self) -> bool {
        self.mix.is_some()
    }

    /// What is asked for: the requests of the sequence, or the commands of the mix.
    pub fn commands(&self) -> &[Asked] {
        &self.commands
    }

    /// The place in [`commands`](Self::commands) of what goes out under `number`.
    #[inline]
    pub fn command(&self, number: u64) -> usize {
        match &self.mix {
            Some(mix) => mix.command(number),
            None if self.sequence_len == 1 => 0,
            None => (number % self.sequence_len as u64) as usize,
        }
    }

    /// Appends to `found` the indexes of the keys in what goes out under `number`, outside of a cluster.
    pub fn keys(&self, number: u64, found: &mut Vec<u64>) {
        self.drawer.keys(number, &self.commands[self.command(number)].holes, found);
    }

    /// Key number `place` of what goes out under `number`, as it is sent.
    pub fn key_text(&self, number: u64, place: usize) -> String {
        let mut keys = Vec::new();
        self.keys(number, &mut keys);
        let arguments = self.commands[self.command(number)].requests.iter().flat_map(Template::arguments);
        let spelled: Vec<String> = arguments.map(|it| String::from_utf8_lossy(it).into_owned()).collect();
        let spelled = spelled.iter().filter(|argument| argument.contains(KEY)).nth(place);
        match (spelled, keys.get(place)) {
            (Some(spelled), Some(key)) => spelled.replace(KEY, &format!("{key:012}")),
            _ => "a key".to_owned(),
        }
    }

    /// Whether more is to be learned of a reply than whether it is an error: which command it answers, whether
    /// anything was found, or whether it is right.
    pub fn has_to_be_understood(&self) -> bool {
        self.is_mix() || self.commands.iter().any(|asked| asked.replies.iter().any(Option::is_some))
    }

    /// What its holes are filled from.
    pub fn fillings(&self) -> &Fillings {
        &self.drawer.fillings
    }

    /// The bytes of the `count` requests from number `first` on. `first` must be the first of a sequence, and `count`
    /// from 1 to [`len`](Self::len).
    #[inline]
    pub fn fill(&mut self, first: u64, count: usize) -> &[u8] {
        match &mut self.layout {
            Layout::Fixed(fixed) => fixed.fill(first, count, &self.drawer, None),
            Layout::Assembled(assembled) => assembled.fill(first, count, &self.drawer, None),
        }
    }

    /// As [`fill`](Self::fill), for a node that serves `slots` of a cluster.
    pub fn fill_for(&mut self, first: u64, count: usize, slots: &Slots) -> &[u8] {
        match &mut self.layout {
            Layout::Fixed(fixed) => fixed.fill(first, count, &self.drawer, Some(slots)),
            Layout::Assembled(assembled) => assembled.fill(first, count, &self.drawer, Some(slots)),
        }
    }

    /// Whether a node that serves `slots` is one that sequences go to, as far as a few hundred of them tell.
    pub fn reaches(&mut self, slots: &Slots) -> bool {
        match &mut self.layout {
            Layout::Fixed(fixed) => fixed.reaches(&self.drawer, slots),
            Layout::Assembled(assembled) => assembled.reaches(&self.drawer, slots),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::test::KeyAt;
    use crate::workload::values::{ValueData, ValueSize, Values};
    use crate::workload::{sequence, slots};
    use std::collections::HashSet;

    fn fillings(key_count: Option<u64>) -> Fillings {
        Fillings::of(key_count, Values::new(&ValueSize::default(), &ValueData::default(), Seed(1)))
    }

    fn batch(line: &str, repeats: usize, key_count: Option<u64>, seed: u64) -> Batch {
        let words: Vec<Vec<u8>> = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        let fillings = fillings(key_count);
        let test = Test::of_command(line.into(), sequence::parse(&words).unwrap(), &fillings);
        Batch::new(&test, repeats, fillings, Seed(seed))
    }

    fn numbers(bytes: &[u8]) -> Vec<u64> {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.split("\r\n")
            .filter(|word| word.len() == 12 && !word.starts_with('_'))
            .map(|n| n.parse().unwrap())
            .collect()
    }

    #[test]
    fn a_batch_is_its_requests_end_to_end_and_may_be_cut() {
        let mut batch = batch("get x", 3, None, 1);
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
        let fillings = Fillings { in_cluster: true, ..fillings(Some(1_000_000)) };
        let mut test = Test::of_command(line.into(), sequence::parse(&words).unwrap(), &fillings);
        test.commands[0].routing_key = routing_key;
        Batch::new(&test, repeats, fillings, Seed(3))
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
