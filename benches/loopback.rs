//! A whole run of the engine against the embedded server, with each driver, at depth 1 and 16.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rbench::embedded::Server as EmbeddedServer;
use rbench::engine::{self, drivers::DRIVERS};
use rbench::plan::{Plan, Protocol, Rounds, Stop};
use rbench::recording::End;
use rbench::target::{Address, Endpoint, Server, ServerFacts, Target};
use rbench::units::{Nanos, Seed};
use rbench::workload::{Test, suite};
use std::sync::atomic::AtomicBool;

fn plan(port: u16, pipeline: u32, requests: u64) -> Plan {
    Plan {
        server: Server { address: Address::Tcp { host: "127.0.0.1".to_owned(), port }, credentials: None, database: 0 },
        tests: vec![Test::of_suite(suite::select("set").expect("the suite has SET")[0], 30, true)],
        is_suite: true,
        rounds: Rounds::Once,
        stop: Stop::AfterRequests(requests),
        clients: 50,
        pipeline,
        keep_alive: true,
        threads: None,
        protocol: Protocol::Resp2,
        tracking: false,
        key_count: Some(1_000_000),
        data_bytes: 30,
        seed: Seed(1),
        connect_timeout: Nanos::from_secs(5),
        reply_timeout: Nanos::from_secs(30),
        precision: None,
    }
}

fn loopback(criterion: &mut Criterion) {
    let server = EmbeddedServer::start(([127, 0, 0, 1], 0).into()).expect("loopback has a free port");
    let endpoint = Endpoint::Tcp(server.address());
    let target = Target { name: endpoint.to_string(), endpoint, server: ServerFacts::default() };
    let mut group = criterion.benchmark_group("loopback");
    group.sample_size(10);
    for driver in DRIVERS {
        for (pipeline, requests) in [(1, 20_000), (16, 200_000)] {
            let plan = plan(server.address().port(), pipeline, requests);
            group.throughput(Throughput::Elements(requests));
            group.bench_function(BenchmarkId::new(driver.name, pipeline), |bencher| {
                bencher.iter(|| {
                    let interrupted = AtomicBool::new(false);
                    let recording =
                        engine::run(driver, &plan, &plan.tests[0], plan.seed, &target, &interrupted, &mut ())
                            .expect("the embedded server takes connections");
                    assert_eq!((recording.end, recording.counts.completed), (End::Completed, requests));
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, loopback);
criterion_main!(benches);
