//! One test: a title, and the requests that a batch repeats.

use super::suite::{Spelling, SuiteTest};
use super::template::{Holes, Template};
use serde::{Deserialize, Serialize};

/// A sequence of requests that is measured under one title. Most sequences are one request long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Test {
    pub title: String,
    /// What reports call the payload: `-d` for a test of the suite, the encoded size of a command of one's own.
    pub payload_bytes: usize,
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

impl Test {
    /// Whether tags decide to which node of a cluster its requests go.
    pub fn is_tagged(&self) -> bool {
        self.sequence.iter().any(Template::is_tagged)
    }

    /// A test of the suite with a payload of `payload_bytes`. With `numbers`, keys are drawn from a key space; `keys`
    /// says how they are spelled.
    pub fn of_suite(test: &SuiteTest, payload_bytes: usize, numbers: bool, keys: &Spelling) -> Test {
        let request = keys.apply(&(test.request)(numbers));
        Test { title: test.title.to_owned(), payload_bytes, sequence: vec![request], routing_key: None }
    }

    /// A command of one's own, or several, under a title.
    pub fn of_command(title: String, sequence: Vec<Template>, data: &[u8]) -> Test {
        let mut bytes = Vec::new();
        for template in &sequence {
            template.encode(data, Holes::default(), &mut bytes, &mut Vec::new());
        }
        Test { title, payload_bytes: bytes.len(), sequence, routing_key: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// redis-benchmark prints 20 for `get x`: `*2\r\n$3\r\nget\r\n$1\r\nx\r\n`.
    #[test]
    fn the_payload_of_a_command_is_its_encoded_length() {
        let test = Test::of_command("get x".into(), vec![Template::new(&["get", "x"])], b"VXK");
        assert_eq!(test.payload_bytes, 20);
    }
}
