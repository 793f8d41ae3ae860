//! The payload that `-d` asks for.

/// The largest payload that `-d` takes: Redis keeps no larger string by default, and redis-benchmark stops here too.
pub const BYTES_MAX: usize = 1 << 30;

/// `bytes` bytes of redis-benchmark's payload: the same for every key and every run, and hard to compress.
///
/// The recurrence is the one of the original (`genBenchmarkRandomData`), so that a server holds the same bytes whichever
/// of the two filled it.
pub fn payload(bytes: usize) -> Vec<u8> {
    let mut state = 1234u32;
    (0..bytes)
        .map(|_| {
            state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
            b'0' + ((state >> 16) & 63) as u8
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Read back from a server that redis-benchmark 7.0.15 had filled with `-d 60`.
    #[test]
    fn the_payload_is_the_one_of_the_original() {
        assert_eq!(payload(3), b"VXK");
        assert_eq!(payload(60), b"VXKeHogKgJ=[5V9_X^b?48OKF2jGA<f:iR@50o7dS3JV4Q6L68lC[GTA]0Da");
    }
}
