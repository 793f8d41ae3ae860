//! A batch whose bytes stand: all requests are as long each time, and their holes are filled in place.

use super::SEARCH_MAX;
use super::drawer::Drawer;
use super::request::Request;
use crate::workload::prepared::Hole;
use crate::workload::slots::{self, Slots};
use std::ops::Range;

#[derive(Debug)]
pub struct Fixed {
    bytes: Vec<u8>,
    holes: Vec<Hole>,
    /// For each request of the batch where its bytes and its holes end.
    ends: Vec<End>,
    sequence_len: usize,
    /// For each sequence of the batch the bytes of the key that decides where it goes. Empty when none does.
    routing_keys: Vec<Range<usize>>,
}

#[derive(Debug, Clone, Copy)]
struct End {
    byte: usize,
    hole: usize,
}

impl Fixed {
    /// `repeats` times the sequence of `requests`.
    pub fn new(requests: &[Request], repeats: usize) -> Fixed {
        let (mut bytes, mut holes, mut ends, mut routing_keys) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..repeats {
            for Request { prepared, routing_key } in requests {
                let begin = bytes.len();
                bytes.extend_from_slice(&prepared.bytes);
                holes.extend(prepared.holes.iter().map(|hole| Hole { offset: hole.offset + begin, ..*hole }));
                ends.push(End { byte: bytes.len(), hole: holes.len() });
                if !routing_key.is_empty() {
                    routing_keys.push(routing_key.start + begin..routing_key.end + begin);
                }
            }
        }
        Fixed { bytes, holes, ends, sequence_len: requests.len(), routing_keys }
    }

    /// The bytes of `count` requests from number `first` on, for a node that serves `slots`.
    #[inline]
    pub fn fill(&mut self, first: u64, count: usize, drawer: &Drawer, slots: Option<&Slots>) -> &[u8] {
        match slots.filter(|_| !self.routing_keys.is_empty()) {
            None if self.holes.is_empty() => {}
            None => self.draw(0..count, first, 0, drawer, slots),
            Some(slots) => {
                for from in (0..count).step_by(self.sequence_len) {
                    self.search(from..(from + self.sequence_len).min(count), first, drawer, slots);
                }
            }
        }
        &self.bytes[..self.ends[count - 1].byte]
    }

    /// Draws one sequence until its key is one that the node serves.
    fn search(&mut self, requests: Range<usize>, first: u64, drawer: &Drawer, slots: &Slots) {
        for attempt in 0..SEARCH_MAX {
            self.draw(requests.clone(), first, attempt, drawer, Some(slots));
            if slots.contains(self.slot(requests.start)) || self.holes.is_empty() {
                return;
            }
        }
    }

    /// Whether any of a few hundred sequences would go to a node that serves `slots`.
    pub fn reaches(&mut self, drawer: &Drawer, slots: &Slots) -> bool {
        let probes = if self.holes.is_empty() { 1 } else { 1000 };
        self.routing_keys.is_empty()
            || (0..probes).any(|probe| {
                self.draw(0..self.sequence_len, 0, probe, drawer, Some(slots));
                slots.contains(self.slot(0))
            })
    }

    /// The slot that the sequence which begins at `request` goes to.
    fn slot(&self, request: usize) -> u16 {
        slots::of_key(&self.bytes[self.routing_keys[request / self.sequence_len].clone()])
    }

    #[inline]
    fn draw(&mut self, requests: Range<usize>, first: u64, attempt: u64, drawer: &Drawer, slots: Option<&Slots>) {
        let mut from = if requests.start == 0 { 0 } else { self.ends[requests.start - 1].hole };
        for index in requests {
            let number = first + index as u64;
            let to = self.ends[index].hole;
            let mut drawn = drawer.draw(number, number / self.sequence_len as u64, attempt, slots);
            drawer.fill(&mut drawn, &self.holes[from..to], &mut self.bytes, 0);
            from = to;
        }
    }
}
