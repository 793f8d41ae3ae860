//! Memory goes with the connections, and not with what went through them.

mod support;

use support::{rbench, words};

/// The most memory that a run against a server in the same process took.
fn peak_bytes(line: &str) -> u64 {
    rbench(&words(&format!("-q -t set {line}"))).succeeded().peak_bytes
}

/// Were eight bytes kept of each of four million requests, it would be twice as much. A histogram takes some megabytes
/// more where a busy machine makes it reach farther.
const LITTLE: u64 = 16 << 20;

#[test]
fn memory_does_not_grow_with_the_number_of_requests() {
    for shape in ["", "-r 1000 --keys zipf --value-data random"] {
        let few = peak_bytes(&format!("--embedded -c 50 -P 64 -n 100000 {shape}"));
        let many = peak_bytes(&format!("--embedded -c 50 -P 64 -n 4100000 {shape}"));
        assert!(many < few + LITTLE, "{shape}: {few} bytes, {many} with four million more");
    }
}

/// Requests wait for a server that does a thousand a second, and none of them takes a place to wait in.
#[test]
fn memory_does_not_grow_with_what_is_due_and_cannot_be_sent() {
    let line = "--embedded=service:const:1ms -c 5 --duration 1s --arrivals constant";
    // Both wait for nearly a second in the end, so their histograms reach as far.
    let few = peak_bytes(&format!("{line} --rate 50000"));
    let many = peak_bytes(&format!("{line} --rate 4000000"));
    assert!(many < few + LITTLE, "{few} bytes, {many} with four million that waited");
}
