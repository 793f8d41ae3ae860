//! A batch that is put together each time, because it is drawn which requests it has, or how long they are.

use super::SEARCH_MAX;
use super::drawer::Drawer;
use super::request::Request;
use crate::workload::mix::Mix;
use crate::workload::prepared::Step;
use crate::workload::slots::{self, Slots};
use std::ops::Range;

#[derive(Debug)]
pub struct Assembled {
    requests: Vec<Request>,
    /// How the next of them is found, when it is not the next in a sequence.
    mix: Option<Mix>,
    bytes: Vec<u8>,
    /// Where the key stands that decides where the last sequence goes. Empty when none does.
    routing_key: Range<usize>,
}

impl Assembled {
    pub fn new(requests: Vec<Request>, mix: Option<Mix>) -> Assembled {
        Assembled { requests, mix, bytes: Vec::new(), routing_key: 0..0 }
    }

    fn sequence_len(&self) -> usize {
        if self.mix.is_some() { 1 } else { self.requests.len() }
    }

    /// The bytes of `count` requests from number `first` on, for a node that serves `slots`.
    pub fn fill(&mut self, first: u64, count: usize, drawer: &Drawer, slots: Option<&Slots>) -> &[u8] {
        self.bytes.clear();
        let end = first + count as u64;
        for from in (first..end).step_by(self.sequence_len()) {
            self.search(from..(from + self.sequence_len() as u64).min(end), drawer, slots);
        }
        &self.bytes
    }

    /// Appends a sequence, drawn until its key is one that the node serves.
    #[inline]
    fn search(&mut self, numbers: Range<u64>, drawer: &Drawer, slots: Option<&Slots>) {
        let begin = self.bytes.len();
        for attempt in 0..SEARCH_MAX {
            self.bytes.truncate(begin);
            self.push(numbers.clone(), attempt, drawer, slots);
            if slots.is_none_or(|slots| self.routing_key.is_empty() || slots.contains(self.slot())) {
                return;
            }
        }
    }

    /// Whether any of a few hundred sequences would go to a node that serves `slots`.
    pub fn reaches(&mut self, drawer: &Drawer, slots: &Slots) -> bool {
        (0..1000).any(|probe| {
            self.bytes.clear();
            let first = probe * self.sequence_len() as u64;
            self.push(first..first + self.sequence_len() as u64, probe, drawer, Some(slots));
            self.routing_key.is_empty() || slots.contains(self.slot())
        })
    }

    /// The slot that the last sequence goes to.
    fn slot(&self) -> u16 {
        slots::of_key(&self.bytes[self.routing_key.clone()])
    }

    #[inline]
    fn push(&mut self, numbers: Range<u64>, attempt: u64, drawer: &Drawer, slots: Option<&Slots>) {
        self.routing_key = 0..0;
        let sequence = numbers.start / self.sequence_len() as u64;
        for number in numbers {
            let index = match &self.mix {
                Some(mix) => mix.command(number),
                None => (number % self.requests.len() as u64) as usize,
            };
            let request = &self.requests[index];
            let mut drawn = drawer.draw(number, sequence, attempt, slots);
            let prepared = &request.prepared;
            let key = &request.routing_key;
            let mut bytes_of_value = 0;
            let mut value = 0;
            let mut ttl = None;
            for step in &prepared.steps {
                let begin = self.bytes.len();
                match step {
                    Step::Copy { bytes, holes } => {
                        self.bytes.extend_from_slice(&prepared.bytes[bytes.clone()]);
                        // Where the bytes before the copied ones would begin.
                        let shift = begin.wrapping_sub(bytes.start);
                        drawer.fill(&mut drawn, &prepared.holes[holes.clone()], &mut self.bytes, shift);
                        if !key.is_empty() && bytes.contains(&key.start) {
                            self.routing_key = key.start - bytes.start + begin..key.end - bytes.start + begin;
                        }
                    }
                    Step::Header { fixed, values, ttls } => {
                        if *values > 0 {
                            value = drawer.value_token(&mut drawn);
                            bytes_of_value = drawer.fillings.values.size(value);
                        }
                        let seconds = if *ttls > 0 { *ttl.get_or_insert_with(|| drawer.ttl(&mut drawn)) } else { 0 };
                        let length = fixed + values * bytes_of_value + ttls * itoa::Buffer::new().format(seconds).len();
                        self.bytes.push(b'$');
                        self.bytes.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
                        self.bytes.extend_from_slice(b"\r\n");
                    }
                    Step::Value => {
                        self.bytes.resize(begin + bytes_of_value, 0);
                        drawer.fillings.values.write(value, &mut self.bytes[begin..]);
                    }
                    Step::Ttl => {
                        let seconds = ttl.unwrap_or_default();
                        self.bytes.extend_from_slice(itoa::Buffer::new().format(seconds).as_bytes());
                    }
                }
            }
        }
    }
}
