//! Hash slots: which part of a cluster a key belongs to.
//! Source: Redis Cluster specification, "Key distribution model".

use std::sync::LazyLock;

/// Slots of a cluster.
pub const SLOTS: u16 = 16_384;

/// Letters of a tag. All tags are as long, so that the lengths in an encoded request never change.
pub const TAG_BYTES: usize = 3;

/// The slot of `key`: of what stands between the first `{` and the next `}` when that is not empty, else of the whole.
pub fn of_key(key: &[u8]) -> u16 {
    let tag = key.iter().position(|&byte| byte == b'{').and_then(|open| {
        let rest = &key[open + 1..];
        let close = rest.iter().position(|&byte| byte == b'}')?;
        (close > 0).then(|| &rest[..close])
    });
    crc16(tag.unwrap_or(key)) % SLOTS
}

/// A tag for each slot: `{tag}` in a key sends it to that slot.
pub fn tag_of(slot: u16) -> &'static [u8; TAG_BYTES] {
    &TAGS[usize::from(slot)]
}

/// Finds the tags of all slots, which the first request would else wait for.
pub fn prepare_tags() {
    LazyLock::force(&TAGS);
}

/// Whether `word` is the tag of a slot.
pub fn is_tag(word: &[u8]) -> bool {
    tag_of(of_key(word)) == word
}

static TAGS: LazyLock<Vec<[u8; TAG_BYTES]>> = LazyLock::new(|| {
    const LETTERS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut tags = vec![[0; TAG_BYTES]; usize::from(SLOTS)];
    // 238,328 words for 16,384 slots, and every slot is hit: a test counts them.
    for &first in LETTERS {
        for &second in LETTERS {
            for &third in LETTERS {
                let tag = [first, second, third];
                tags[usize::from(of_key(&tag))] = tag;
            }
        }
    }
    tags
});

/// The slots that one node serves.
#[derive(Debug, Clone)]
pub struct Slots {
    list: Vec<u16>,
    bits: Box<[u64; SLOTS as usize / 64]>,
}

impl Slots {
    /// Of ranges, both ends included. What is beyond the last slot is left out.
    pub fn of_ranges(ranges: &[(u16, u16)]) -> Slots {
        let mut bits = Box::new([0; SLOTS as usize / 64]);
        for slot in ranges.iter().flat_map(|&(first, last)| first..=last.min(SLOTS - 1)) {
            bits[usize::from(slot / 64)] |= 1 << (slot % 64);
        }
        let list = (0..SLOTS).filter(|slot| bits[usize::from(slot / 64)] >> (slot % 64) & 1 == 1).collect();
        Slots { list, bits }
    }

    /// In ascending order.
    pub fn list(&self) -> &[u16] {
        &self.list
    }

    #[inline]
    pub fn contains(&self, slot: u16) -> bool {
        self.bits[usize::from(slot / 64)] >> (slot % 64) & 1 == 1
    }
}

/// CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, &byte| (crc << 8) ^ TABLE[usize::from((crc >> 8) as u8 ^ byte)])
}

static TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = (index as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    /// The values that the specification gives, and CLUSTER KEYSLOT of redis-server 7.0.15.
    #[test]
    fn slots_are_those_of_redis() {
        for (key, slot) in
            [("123456789", 0x31c3), ("foo", 12_182), ("{user1000}.following", 3_443), ("foo{}{bar}", 8_363), ("", 0)]
        {
            assert_eq!(of_key(key.as_bytes()), slot, "{key}");
        }
        assert_eq!(of_key(b"foo{{bar}}zap"), of_key(b"{bar"));
        assert_eq!(of_key(b"foo{bar}{zap}"), of_key(b"bar"));
    }

    #[test]
    fn every_slot_has_a_tag_that_leads_to_it() {
        for slot in 0..SLOTS {
            let key = [b"key:{", tag_of(slot).as_slice(), b"}:1"].concat();
            assert_eq!(of_key(&key), slot);
        }
    }

    #[test]
    fn a_node_serves_its_ranges_and_nothing_else() {
        let slots = Slots::of_ranges(&[(0, 2), (64, 64), (16_380, 20_000)]);
        assert_eq!(slots.list(), [0, 1, 2, 64, 16_380, 16_381, 16_382, 16_383]);
        assert!(slots.contains(64) && !slots.contains(63) && !slots.contains(65));
    }
}
