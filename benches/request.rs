//! What one request costs us outside the kernel: prepare a batch, draw its keys, scan its replies, record its latency.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rbench::recording::Latencies;
use rbench::resp::{Reply, Scanner};
use rbench::units::{Nanos, Seed};
use rbench::workload::suite::{self, Spelling};
use rbench::workload::{Batch, Command, Fillings, Keys, Test, Values};
use std::hint::black_box;
use std::time::Duration;

const DEPTHS: [usize; 3] = [1, 16, 64];

/// What `-t set` sends, over a key space when there is one.
fn set(key_count: Option<u64>) -> Test {
    let spelling = Spelling { numbers: key_count.is_some(), ..Spelling::default() };
    Test::of_suite(suite::named("set").expect("the suite has SET"), 30, &spelling)
}

fn fillings(key_count: Option<u64>, size: &str, data: &str) -> Fillings {
    let (size, data) = (size.parse().expect("a length"), data.parse().expect("a kind of data"));
    Fillings::of(key_count, Values::new(&size, &data, Seed(1)))
}

/// Once for each test and load thread.
fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    let keys = Some(1_000_000);
    let fillings = fillings(keys, "30", "constant");
    for depth in DEPTHS {
        group.throughput(Throughput::Elements(depth as u64));
        group.bench_with_input(BenchmarkId::from_parameter(depth), &depth, |bencher, &depth| {
            bencher.iter(|| Batch::new(&set(keys), depth, fillings.clone(), Seed(1)));
        });
    }
    group.finish();
}

/// Once for each batch: with one key there is nothing to do, with many a number is drawn and written for each request.
fn draw(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("draw");
    let many = Some(1_000_000);
    let zipf = || Fillings {
        keys: Keys::new(&"zipf".parse().expect("a distribution"), 1_000_000, Seed(1)),
        ..fillings(many, "30", "constant")
    };
    for (name, test, fillings) in [
        ("one key", set(None), fillings(None, "30", "constant")),
        ("-r 1000000", set(many), fillings(many, "30", "constant")),
        ("zipf", set(many), zipf()),
        ("random 30 B", set(many), fillings(many, "30", "random")),
        ("random 1 KiB", set(many), fillings(many, "1024", "random")),
        ("random 64-4096 B", set(many), fillings(many, "64-4096", "random")),
        ("mix", mix(), fillings(many, "30", "random")),
    ] {
        for depth in DEPTHS {
            let mut batch = Batch::new(&test, depth, fillings.clone(), Seed(1));
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

/// `--mix get:80,set:20`
fn mix() -> Test {
    let spelling = Spelling { numbers: true, ..Spelling::default() };
    let command = |name: &str, weight| {
        let sequence = vec![spelling.apply(suite::named(name).expect("the suite has it"))];
        Command { title: name.to_owned(), weight, sequence, routing_key: None }
    };
    Test { title: "mix".to_owned(), payload_bytes: 30, commands: vec![command("get", 80), command("set", 20)] }
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
                    let (taken, reply) = scanner.scan(rest, &mut ()).expect("the replies are well formed");
                    rest = &rest[taken..];
                    found += u64::from(matches!(reply, Some(Reply::Value(_))));
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
