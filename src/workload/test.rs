//! One test: a title, and the requests that it sends.

use super::fillings::Fillings;
use super::prepared::Prepared;
use super::suite::{Spelling, SuiteTest};
use super::template::Template;
use serde::{Deserialize, Serialize};

/// What is measured under one title: a sequence of requests that is repeated, most of them one request long, or several
/// commands that are mixed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Kept", into = "Kept")]
pub struct Test {
    pub title: String,
    /// What reports call the payload: `-d` for a test of the suite, the encoded size of a command of one's own.
    pub payload_bytes: usize,
    /// One, or those that are mixed.
    pub commands: Vec<Command>,
}

/// A sequence of requests, and how often it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    pub title: String,
    /// In proportion to the weights of the others.
    pub weight: u32,
    pub sequence: Vec<Template>,
    /// The key that decides, in a cluster, to which node a sequence goes. None when a tag decides, or nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing_key: Option<KeyAt>,
}

/// A key's place in a sequence of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyAt {
    pub request: usize,
    pub argument: usize,
}

impl Command {
    /// Whether tags decide to which node of a cluster its requests go.
    pub fn is_tagged(&self) -> bool {
        self.sequence.iter().any(Template::is_tagged)
    }
}

impl Test {
    /// A test of the suite with a payload of `payload_bytes`, whose keys `keys` spells.
    pub fn of_suite(test: &SuiteTest, payload_bytes: usize, keys: &Spelling) -> Test {
        Test::of_sequence(keys.title(test), payload_bytes, vec![keys.apply(test)])
    }

    /// A command of one's own, or several, under a title.
    pub fn of_command(title: String, sequence: Vec<Template>, fillings: &Fillings) -> Test {
        let payload_bytes = encoded_bytes(&sequence, fillings);
        Test::of_sequence(title, payload_bytes, sequence)
    }

    fn of_sequence(title: String, payload_bytes: usize, sequence: Vec<Template>) -> Test {
        let command = Command { title: title.clone(), weight: 1, sequence, routing_key: None };
        Test { title, payload_bytes, commands: vec![command] }
    }

    /// Whether commands are mixed, and counted apart.
    pub fn is_mix(&self) -> bool {
        self.commands.len() > 1
    }

    /// Requests that go out one behind the other, each under a number of its own. All requests of a command of a mix
    /// have one number.
    pub fn sequence_len(&self) -> usize {
        if self.is_mix() { 1 } else { self.commands[0].sequence.len() }
    }

    /// The requests of all commands, in order.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        self.commands.iter().flat_map(|command| &command.sequence)
    }
}

/// How long `sequence` is as bytes, without what is not known beforehand.
fn encoded_bytes(sequence: &[Template], fillings: &Fillings) -> usize {
    let mut prepared = Prepared::default();
    sequence.iter().for_each(|template| drop(prepared.push(template, fillings)));
    prepared.bytes.len()
}

/// The shape in a document: what stands for one sequence has no list of commands.
#[derive(Serialize, Deserialize)]
struct Kept {
    title: String,
    payload_bytes: usize,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sequence: Vec<Template>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    routing_key: Option<KeyAt>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    mix: Vec<Command>,
}

impl From<Kept> for Test {
    fn from(kept: Kept) -> Test {
        let Kept { title, payload_bytes, sequence, routing_key, mix } = kept;
        if mix.is_empty() {
            let mut test = Test::of_sequence(title, payload_bytes, sequence);
            test.commands[0].routing_key = routing_key;
            return test;
        }
        Test { title, payload_bytes, commands: mix }
    }
}

impl From<Test> for Kept {
    fn from(test: Test) -> Kept {
        let is_mix = test.is_mix();
        let Test { title, payload_bytes, mut commands } = test;
        let (sequence, routing_key, mix) = match (is_mix, commands.pop()) {
            (false, Some(command)) => (command.sequence, command.routing_key, Vec::new()),
            (_, last) => {
                commands.extend(last);
                (Vec::new(), None, commands)
            }
        };
        Kept { title, payload_bytes, sequence, routing_key, mix }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Seed;
    use crate::workload::values::{ValueData, ValueSize, Values};

    fn get(key: &str) -> Vec<Template> {
        vec![Template::new(&["get", key])]
    }

    /// redis-benchmark prints 20 for `get x`: `*2\r\n$3\r\nget\r\n$1\r\nx\r\n`.
    #[test]
    fn the_payload_of_a_command_is_its_encoded_length() {
        let values = Values::new(&ValueSize::default(), &ValueData::default(), Seed(1));
        let test = Test::of_command("get x".into(), get("x"), &Fillings::of(None, values));
        assert_eq!(test.payload_bytes, 20);
    }

    #[test]
    fn a_document_gives_back_a_sequence_and_a_mix() {
        let mut sequence = Test::of_sequence("get x".into(), 20, get("x"));
        sequence.commands[0].routing_key = Some(KeyAt { request: 0, argument: 1 });
        let mut mix = sequence.clone();
        mix.commands.push(Command { weight: 3, ..mix.commands[0].clone() });
        for test in [sequence, mix] {
            let json = serde_json::to_string(&test).unwrap();
            assert_eq!(json.contains("\"mix\""), test.is_mix());
            assert_eq!(serde_json::from_str::<Test>(&json).unwrap(), test);
        }
    }
}
