//! What one request costs us outside the kernel: prepare a batch, draw its keys, scan its replies, record its latency.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rbench::recording::Latencies;
use rbench::resp::{Reply, Scanner};
use rbench::units::{Nanos, Seed};
use rbench::workload::{Batch, Test, suite, suite::Spelling, value};
use std::hint::black_box;
use std::time::Duration;

const DEPTHS: [usize; 3] = [1, 16, 64];

fn set(numbers: bool) -> Test {
    Test::of_suite(suite::select("set").expect("the suite has SET")[0], 30, numbers, &Spelling::default())
}

/// Once for each test and load thread.
fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    for depth in DEPTHS {
        group.throughput(Throughput::Elements(depth as u64));
        group.bench_with_input(BenchmarkId::from_parameter(depth), &depth, |bencher, &depth| {
            bencher.iter(|| Batch::new(&set(true), depth, &value::payload(30), Some(1_000_000), Seed(1), false));
        });
    }
    group.finish();
}

/// Once for each batch: with one key there is nothing to do, with many a number is drawn and written for each request.
fn draw(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("draw");
    for (name, keys) in [("one key", None), ("-r 1000000", Some(1_000_000))] {
        for depth in DEPTHS {
            let mut batch = Batch::new(&set(keys.is_some()), depth, &value::payload(30), keys, Seed(1), false);
            group.throughput(Throughput::Elements(depth as u64));
            group.bench_function(BenchmarkId::new(name, depth), |bencher| {
                let mut first = 0;
                bencher.iter(|| {
                    first += depth as u64;
                    black_box(batch.fill(first, depth).len())
                });
            });
        }
    }
    group.finish();
}

/// Once for each read.
fn scan(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scan");
    let element = b"$3\r\nVXK\r\n";
    let range = [b"*100\r\n".to_vec(), element.repeat(100)].concat();
    for (name, stream, replies) in
        [("+OK x 16", b"+OK\r\n".repeat(16), 16), ("$3 x 16", element.repeat(16), 16), ("LRANGE_100", range, 1)]
    {
        group.throughput(Throughput::Elements(replies));
        group.bench_function(name, |bencher| {
            let mut scanner = Scanner::default();
            bencher.iter(|| {
                let (mut rest, mut found) = (stream.as_slice(), 0);
                while !rest.is_empty() {
                    let (taken, reply) = scanner.scan(rest).expect("the replies are well formed");
                    rest = &rest[taken..];
                    found += u64::from(reply == Some(Reply::Value));
                }
                assert_eq!(black_box(found), replies);
            });
        });
    }
    group.finish();
}

/// Once for each read; latencies vary as they do on loopback.
fn record(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("record");
    for replies in [1, 16] {
        group.throughput(Throughput::Elements(replies));
        group.bench_function(BenchmarkId::from_parameter(replies), |bencher| {
            let (mut latencies, mut draws) = (Latencies::default(), Seed(1).draws(0));
            bencher.iter(|| latencies.record(Nanos(150_000 + draws.below(200_000)), replies));
        });
    }
    group.finish();
}

criterion_group! {
    name = request;
    config = Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = encode, draw, scan, record
}
criterion_main!(request);
