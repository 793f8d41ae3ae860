//! One test: a title, and the requests that a batch repeats.

use super::suite::SuiteTest;
use super::template::Template;
use serde::{Deserialize, Serialize};

/// A sequence of requests that is measured under one title. Most sequences are one request long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Test {
    pub title: String,
    /// What reports call the payload: `-d` for a test of the suite, the encoded size of a command of one's own.
    pub payload_bytes: usize,
    pub sequence: Vec<Template>,
}

impl Test {
    /// A test of the suite with a payload of `payload_bytes`. With `numbers`, keys are drawn from a key space.
    pub fn of_suite(test: &SuiteTest, payload_bytes: usize, numbers: bool) -> Test {
        Test { title: test.title.to_owned(), payload_bytes, sequence: vec![(test.request)(numbers)] }
    }

    /// A command of one's own, or several, under a title.
    pub fn of_command(title: String, sequence: Vec<Template>, data: &[u8]) -> Test {
        let mut bytes = Vec::new();
        for template in &sequence {
            template.encode(data, false, &mut bytes, &mut Vec::new());
        }
        Test { title, payload_bytes: bytes.len(), sequence }
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
