//! Which keys a run could have written: those that stand in its requests, and those that were drawn into their holes.

use super::batch::Batch;
use super::fillings::Fillings;
use super::slots::{self, TAG_BYTES};
use super::template::{DATA, Draw, Holes, NUMBER_BYTES, Template, find_holes, replace};
use super::test::Test;
use super::values::payload;
use crate::resp::request::Parser;
use crate::units::Seed;

/// An argument longer than this is no key worth asking about, and not sent to a server that is only asked about it.
const ASKED_BYTES_MAX: usize = 1024;

/// The arguments of `template` as a server may be asked about them (`COMMAND GETKEYS`): each hole holds a number that no
/// other has, so that a key can be told from a value with the same placeholder, and long arguments have a stand-in.
pub fn told_apart(template: &Template) -> Vec<Vec<u8>> {
    let mut number = 0u64;
    let mut arguments: Vec<Vec<u8>> = template.arguments().map(<[u8]>::to_vec).collect();
    for (place, argument) in arguments.iter_mut().enumerate() {
        if argument.len() > ASKED_BYTES_MAX {
            *argument = format!("argument {place}").into_bytes();
        }
        for (offset, _) in holes(argument) {
            number += 1;
            argument[offset..offset + NUMBER_BYTES].copy_from_slice(format!("{number:012}").as_bytes());
        }
    }
    arguments
}

/// The keys that the first `requests` requests of `test` have at `places`: for each of its [`Test::templates`] the places
/// of its arguments that are keys, where 0 is the command's name, and none when it does not write. `fillings` and `seed`
/// are those of its [`Batch`]. A key may come more than once.
///
/// When `0..key_count` holds fewer keys than the requests have drawn, these are all keys that could have been drawn;
/// otherwise they are those that were.
pub fn keys(
    test: &Test,
    places: &[Vec<usize>],
    fillings: &Fillings,
    requests: u64,
    seed: Seed,
) -> Box<dyn Iterator<Item = Vec<u8>> + Send> {
    let mut literal: Vec<Vec<u8>> = Vec::new();
    let mut drawn: Vec<Vec<u8>> = Vec::new();
    // The number of keys with holes up to each request.
    let mut drawn_by: Vec<u64> = vec![0];
    // Of a mix any command may have been the first.
    let sent = if test.is_mix() && requests > 0 { u64::MAX } else { requests };
    for (template, places) in test.templates().zip(places) {
        let arguments: Vec<&[u8]> = template.arguments().collect();
        let mut drawn_here = 0;
        let is_sent = drawn_by.len() as u64 <= sent;
        for key in places.iter().filter_map(|place| arguments.get(*place)) {
            let key = with_value(key, fillings);
            let has_holes = fillings.key_count.is_some() && !template.is_inline() && !holes(&key).is_empty();
            drawn_here += u64::from(has_holes);
            let list = if has_holes { &mut drawn } else { &mut literal };
            if is_sent && !list.contains(&key) {
                list.push(key);
            }
        }
        drawn_by.push(drawn_by[drawn_by.len() - 1] + drawn_here);
    }
    // From no numbers at all 0 is drawn, as from one.
    let Some(key_count) = fillings.key_count.map(|count| count.max(1)).filter(|_| !drawn.is_empty()) else {
        return Box::new(literal.into_iter());
    };
    let sequence_len = test.sequence_len() as u64;
    let per_sequence = drawn_by[drawn_by.len() - 1];
    let rest = drawn_by[((requests % sequence_len) as usize).min(drawn_by.len() - 1)];
    let replayed = u128::from(requests / sequence_len) * u128::from(per_sequence) + u128::from(rest);
    let possible = drawn.iter().map(|key| numbers_of(key, key_count)).fold(0u128, u128::saturating_add);
    if possible < replayed {
        Box::new(literal.into_iter().chain(drawn.into_iter().flat_map(move |key| every(key, key_count))))
    } else {
        Box::new(literal.into_iter().chain(replay(test, places, fillings, requests, seed)))
    }
}

/// Whether a key that `test` writes, at `places` as in [`keys`], has a value in it that nobody knows afterwards.
pub fn has_drawn_value(test: &Test, places: &[Vec<usize>], fillings: &Fillings) -> bool {
    let has_value = |key: Vec<u8>| key.windows(DATA.len()).any(|window| window == DATA.as_bytes());
    key_templates(test, places, fillings).into_iter().any(has_value)
}

/// `key` with the value in it, when there is but one.
fn with_value(key: &[u8], fillings: &Fillings) -> Vec<u8> {
    match fillings.values.fixed_len().filter(|_| fillings.values.is_constant()) {
        Some(bytes) => replace(key, DATA.as_bytes(), &payload(bytes)),
        None => key.to_vec(),
    }
}

/// The keys in the requests of `test`, each once, with their placeholders and with the value in place of `__data__`.
pub fn key_templates(test: &Test, places: &[Vec<usize>], fillings: &Fillings) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    for (template, places) in test.templates().zip(places) {
        for key in template.arguments().enumerate().filter(|(place, _)| places.contains(place)).map(|(_, key)| key) {
            let key = with_value(key, fillings);
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    keys
}

/// Whether a key is one that a request with `key` (with its placeholders, and no `__data__`) could have had. Tags are
/// drawn `in_cluster` alone.
pub fn could_be(key: &[u8], key_count: Option<u64>, in_cluster: bool, candidate: &[u8]) -> bool {
    if key.len() != candidate.len() {
        return false;
    }
    let (mut shared, mut tag) = ([None; 16], None);
    let mut masked = candidate.to_vec();
    for (offset, draw) in drawn_in(key, key_count, in_cluster) {
        let place = offset..offset + length(draw);
        let drawn = &candidate[place.clone()];
        let fits = match draw {
            Draw::Each | Draw::Key => is_number_below(drawn, key_count),
            Draw::Value(_) => true,
            Draw::Shared(index) => {
                let known = shared[usize::from(index)].get_or_insert(drawn);
                *known == drawn && is_number_below(drawn, key_count)
            }
            Draw::Tag => *tag.get_or_insert(drawn) == drawn && slots::is_tag(drawn),
        };
        if !fits {
            return false;
        }
        masked[place.clone()].copy_from_slice(&key[place]);
    }
    masked == key
}

/// A glob, as `SCAN MATCH` takes it, that every key matches which [`could_be`] one of `key`.
pub fn glob(key: &[u8], key_count: Option<u64>, in_cluster: bool) -> Vec<u8> {
    let holes = drawn_in(key, key_count, in_cluster);
    let mut out = Vec::with_capacity(key.len());
    for (at, byte) in key.iter().enumerate() {
        if holes.iter().any(|(offset, draw)| (*offset..offset + length(*draw)).contains(&at)) {
            out.push(b'?');
            continue;
        }
        if b"*?[]\\^".contains(byte) {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out
}

/// Whether anything in `key` is drawn.
pub fn is_drawn(key: &[u8], key_count: Option<u64>, in_cluster: bool) -> bool {
    !drawn_in(key, key_count, in_cluster).is_empty()
}

/// The holes of `key` that something is drawn into.
fn drawn_in(key: &[u8], key_count: Option<u64>, in_cluster: bool) -> Vec<(usize, Draw)> {
    let mut holes = Vec::new();
    find_holes(key, 0, Holes { numbers: key_count.is_some(), tags: in_cluster }, &mut holes);
    holes
}

fn length(draw: Draw) -> usize {
    match draw {
        Draw::Each | Draw::Key | Draw::Shared(_) => NUMBER_BYTES,
        Draw::Tag => TAG_BYTES,
        Draw::Value(bytes) => bytes as usize,
    }
}

/// Whether `digits`, as many as a number has, could have been drawn. From no numbers at all 0 is drawn, as from one.
fn is_number_below(digits: &[u8], key_count: Option<u64>) -> bool {
    let text = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = text.and_then(|text| text.parse::<u64>().ok());
    number.zip(key_count).is_some_and(|(number, count)| number < count.max(1))
}

fn holes(bytes: &[u8]) -> Vec<(usize, Draw)> {
    let mut holes = Vec::new();
    find_holes(bytes, 0, Holes { numbers: true, tags: false }, &mut holes);
    holes
}

/// The holes of `key`, each with the index of its number: places that share a number have one index.
fn variables(key: &[u8]) -> (Vec<(usize, usize)>, usize) {
    let mut known: Vec<Option<u8>> = Vec::new();
    let mut places = Vec::new();
    for (offset, draw) in holes(key) {
        let shared = if let Draw::Shared(index) = draw { Some(index) } else { None };
        let index = match known.iter().position(|other| shared.is_some() && *other == shared) {
            Some(index) => index,
            None => {
                known.push(shared);
                known.len() - 1
            }
        };
        places.push((offset, index));
    }
    (places, known.len())
}

/// How many keys there are when each number of `key` is below `key_count`.
fn numbers_of(key: &[u8], key_count: u64) -> u128 {
    u128::from(key_count).saturating_pow(variables(key).1 as u32)
}

/// Every key that there is when each number of `key` is below `key_count`.
fn every(key: Vec<u8>, key_count: u64) -> impl Iterator<Item = Vec<u8>> + Send {
    let (places, _) = variables(&key);
    (0..numbers_of(&key, key_count)).map(move |number| {
        let mut key = key.clone();
        for (offset, index) in &places {
            let digit = number / u128::from(key_count).pow(*index as u32) % u128::from(key_count);
            key[*offset..offset + NUMBER_BYTES].copy_from_slice(format!("{digit:012}").as_bytes());
        }
        key
    })
}

/// The keys that were drawn, by drawing them again.
fn replay(
    test: &Test,
    places: &[Vec<usize>],
    fillings: &Fillings,
    requests: u64,
    seed: Seed,
) -> impl Iterator<Item = Vec<u8>> + Send + use<> {
    let none = Vec::new();
    let mut places = places.iter().chain(std::iter::repeat(&none));
    let mut reduced = test.clone();
    // For each command, for each of its requests, the places of keys in what is left of it.
    let mut kept: Vec<Vec<Vec<usize>>> = Vec::new();
    for command in &mut reduced.commands {
        let requests = command.sequence.iter().zip(places.by_ref()).map(|(template, places)| reduce(template, places));
        let (sequence, places) = requests.unzip();
        command.sequence = sequence;
        kept.push(places);
    }
    let mut batch = Batch::new(&reduced, 1, fillings.clone(), seed);
    let length = batch.len() as u64;
    (0..requests.div_ceil(length)).flat_map(move |turn| {
        let first = turn * length;
        let count = (requests - first).min(length) as usize;
        let kept = &kept[if batch.is_mix() { batch.command(first) } else { 0 }];
        keys_in(batch.fill(first, count), kept)
    })
}

/// `template` without anything that is neither key nor hole, so that the same numbers are drawn without their payload;
/// and the places of keys with holes in what is left.
fn reduce(template: &Template, places: &[usize]) -> (Template, Vec<usize>) {
    let mut arguments: Vec<Vec<u8>> = Vec::new();
    let mut kept = Vec::new();
    for (place, argument) in template.arguments().enumerate() {
        let holes = if template.is_inline() { Vec::new() } else { holes(argument) };
        if holes.is_empty() {
            continue;
        }
        if places.contains(&place) {
            kept.push(arguments.len());
            arguments.push(argument.to_vec());
        } else {
            arguments.push(holes.iter().flat_map(|(at, _)| argument[*at..at + NUMBER_BYTES].iter().copied()).collect());
        }
    }
    (Template::new(&arguments), kept)
}

/// The keys in `bytes`, which are requests that have keys at the places in `kept`, or the first of them.
fn keys_in(bytes: &[u8], kept: &[Vec<usize>]) -> Vec<Vec<u8>> {
    let (mut parser, mut start, mut keys) = (Parser::default(), 0, Vec::new());
    for places in kept {
        let Some(length) = parser.parse(&bytes[start..]).expect("an encoded request can be parsed") else { break };
        keys.extend(places.iter().map(|place| bytes[start..][parser.arguments()[*place].clone()].to_vec()));
        start += length;
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Values;
    use crate::workload::sequence;
    use crate::workload::values::{ValueData, ValueSize};
    use std::collections::BTreeSet;

    fn test(line: &str) -> Test {
        let words: Vec<Vec<u8>> = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        Test::of_command(line.into(), sequence::parse(&words).unwrap(), &fillings(None))
    }

    fn fillings(key_count: Option<u64>) -> Fillings {
        Fillings::of(key_count, Values::new(&ValueSize::default(), &ValueData::default(), Seed(1)))
    }

    fn text(keys: impl IntoIterator<Item = Vec<u8>>) -> Vec<String> {
        keys.into_iter().map(|key| String::from_utf8(key).unwrap()).collect()
    }

    /// What a server would see at `places` in the first `requests` requests, read from the requests themselves.
    fn sent(test: &Test, places: &[Vec<usize>], key_count: Option<u64>, requests: u64, seed: Seed) -> BTreeSet<String> {
        let mut batch = Batch::new(test, 1, fillings(key_count), seed);
        let length = batch.len() as u64;
        let mut keys = BTreeSet::new();
        for first in (0..requests).step_by(batch.len()) {
            let bytes = batch.fill(first, (requests - first).min(length) as usize).to_vec();
            let mut at = 0;
            for places in places {
                let mut parser = Parser::default();
                let Some(end) = parser.parse(&bytes[at..]).unwrap() else { break };
                let argument = |place: &usize| bytes[at..][parser.arguments()[*place].clone()].to_vec();
                keys.extend(text(places.iter().map(argument)));
                at += end;
            }
        }
        keys
    }

    /// Numbers in values, in commands that only read, and shared ones all move the draws, and must not move the keys.
    #[test]
    fn the_keys_are_those_that_a_server_would_see() {
        for (line, places) in [
            ("set key:__rand_int__ v", vec![vec![1]]),
            ("set fixed __rand_int__", vec![vec![1]]),
            ("hset h:__rand_int__ f:__rand_int__ __data__", vec![vec![1]]),
            ("mset __rand_int__ __rand_int__ __rand_int__ __data__", vec![vec![1, 3]]),
            (
                "get __rand_int__ ; set a:__rand_1st__ v ; set b:__rand_1st__:__rand_int__ v",
                vec![vec![], vec![1], vec![1]],
            ),
            ("lpush list v ; set __data__:__rand_2nd__ __rand_int__", vec![vec![1], vec![1]]),
        ] {
            let test = test(line);
            for (key_count, requests) in [(None, 7), (Some(1 << 39), 1), (Some(1 << 39), 2), (Some(1 << 39), 20)] {
                let expected = sent(&test, &places, key_count, requests, Seed(5));
                let keys = keys(&test, &places, &fillings(key_count), requests, Seed(5));
                assert_eq!(
                    text(keys).into_iter().collect::<BTreeSet<_>>(),
                    expected,
                    "{line} {key_count:?} {requests}"
                );
            }
        }
    }

    #[test]
    fn without_a_key_space_keys_are_what_they_say() {
        let test = test("mset key:__rand_int__ v a v ; get b");
        let keys = keys(&test, &[vec![1, 3], vec![]], &fillings(None), 100, Seed(1));
        assert_eq!(text(keys), ["key:__rand_int__", "a"]);
    }

    #[test]
    fn a_small_key_space_is_counted_out_instead_of_drawn() {
        let expected: Vec<String> = (0..10).map(|number| format!("key:{number:012}")).collect();
        let test = test("mset key:__rand_int__ v key:__rand_int__ v");
        assert_eq!(text(keys(&test, &[vec![1, 3]], &fillings(Some(10)), 1 << 60, Seed(1))), expected);
        // Ten numbers of which five requests have drawn ten: those that were drawn are the closer answer.
        assert_eq!(keys(&test, &[vec![1, 3]], &fillings(Some(10)), 5, Seed(1)).count(), 10);
    }

    #[test]
    fn each_number_of_a_key_is_counted_out_and_a_shared_one_once() {
        let pairs = test("set __rand_int__:__rand_int__ v");
        assert_eq!(keys(&pairs, &[vec![1]], &fillings(Some(3)), 1000, Seed(1)).collect::<BTreeSet<_>>().len(), 9);
        let twins = test("set __rand_1st__:__rand_1st__ v");
        let twins = text(keys(&twins, &[vec![1]], &fillings(Some(2)), 1000, Seed(1)));
        assert_eq!(twins, ["000000000000:000000000000", "000000000001:000000000001"]);
    }

    #[test]
    fn from_a_key_space_of_nothing_zero_is_drawn() {
        let test = test("set __rand_int__ v");
        assert_eq!(text(keys(&test, &[vec![1]], &fillings(Some(0)), 1000, Seed(1))), ["000000000000"]);
    }

    #[test]
    fn only_requests_that_were_sent_have_written() {
        let test = test("set a v ; set b v ; set c:__rand_int__ v");
        let places = [vec![1], vec![1], vec![1]];
        assert_eq!(text(keys(&test, &places, &fillings(Some(1000)), 2, Seed(1))), ["a", "b"]);
        assert_eq!(keys(&test, &places, &fillings(Some(1000)), 0, Seed(1)).count(), 0);
        assert_eq!(keys(&test, &places, &fillings(Some(1000)), 3, Seed(1)).count(), 3);
    }

    #[test]
    fn arguments_that_differ_when_sent_differ_when_asked_about() {
        let template = Template::new(&["mset", "__rand_int__", "__rand_int__", "k:__rand_1st__", &"x".repeat(5000)]);
        let expected = ["mset", "000000000001", "000000000002", "k:000000000003", "argument 4"];
        assert_eq!(text(told_apart(&template)), expected);
    }

    #[test]
    fn a_key_is_ours_when_a_request_could_have_had_it() {
        for (key, key_count, candidate, expected) in [
            ("key:__rand_int__", Some(100), "key:000000000099", true),
            ("key:__rand_int__", Some(100), "key:000000000100", false),
            ("key:__rand_int__", Some(100), "key:99", false),
            ("key:__rand_int__", Some(100), "key:+00000000001", false),
            ("key:__rand_int__", Some(100), "kex:000000000001", false),
            ("key:__rand_int__", None, "key:__rand_int__", true),
            ("key:__rand_int__", None, "key:000000000001", false),
            ("__rand_1st__:__rand_1st__", Some(9), "000000000001:000000000001", true),
            ("__rand_1st__:__rand_1st__", Some(9), "000000000001:000000000002", false),
            ("__rand_int__:__rand_int__", Some(9), "000000000001:000000000002", true),
            ("mylist", Some(9), "mylist", true),
            ("mylist", Some(9), "mylist2", false),
            ("key:{tag}:1", Some(9), "key:{tag}:1", true),
            ("key:{tag}:1", Some(9), "key:{1Y7}:1", false),
        ] {
            assert_eq!(could_be(key.as_bytes(), key_count, false, candidate.as_bytes()), expected, "{key} {candidate}");
        }
    }

    /// Of the words that lead to a slot one alone is ever drawn: a key with another is somebody else's.
    #[test]
    fn in_a_cluster_a_tag_is_one_that_could_have_been_drawn() {
        let [ours, other] = [7, 8].map(|slot| std::str::from_utf8(slots::tag_of(slot)).unwrap());
        assert_ne!(slots::tag_of(slots::of_key(b"000")), b"000");
        for (key, candidate, expected) in [
            ("key:{tag}:__rand_int__", format!("key:{{{ours}}}:000000000008"), true),
            ("key:{tag}:__rand_int__", format!("key:{{{ours}}}:000000000009"), false),
            ("key:{tag}:__rand_int__", "key:{000}:000000000008".to_owned(), false),
            ("key:{tag}:__rand_int__", "key:{%%%}:000000000008".to_owned(), false),
            ("key:{tag}:__rand_int__", format!("key:({ours}):000000000008"), false),
            ("{tag}{tag}", format!("{{{ours}}}{{{ours}}}"), true),
            ("{tag}{tag}", format!("{{{ours}}}{{{other}}}"), false),
        ] {
            assert_eq!(could_be(key.as_bytes(), Some(9), true, candidate.as_bytes()), expected, "{key} {candidate}");
        }
        assert_eq!(glob(b"key:{tag}:__rand_int__", Some(9), true), b"key:{???}:????????????");
        assert_eq!(glob(b"{tag}", None, true), b"{???}");
    }

    #[test]
    fn a_glob_leaves_nothing_special_but_the_holes() {
        assert_eq!(glob(b"a*[{t}]:__rand_int__?", Some(1), false), br"a\*\[{t}\]:????????????\?".to_vec());
        assert_eq!(glob(b"__rand_int__", None, false), b"__rand_int__");
    }
}
