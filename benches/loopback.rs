//! A whole run of the engine against the embedded server, with each driver, at depth 1 and 16.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rbench::embedded::Server as EmbeddedServer;
use rbench::engine::{self, Load, drivers::DRIVERS};
use rbench::plan::{Plan, Stop};
use rbench::recording::End;
use rbench::target::{Access, Address, Directory, Endpoint, Node, Roster, Server};
use rbench::units::Seed;
use rbench::workload::Test;
use rbench::workload::suite::{self, Spelling};
use std::sync::atomic::AtomicBool;

fn plan(port: u16, pipeline: u32, requests: u64) -> Plan {
    let set = suite::named("set").expect("the suite has SET");
    let spelling = Spelling { numbers: true, ..Spelling::default() };
    let server = Server::at(Address::Tcp { host: "127.0.0.1".to_owned(), port });
    Plan {
        stop: Stop::AfterRequests(requests),
        pipeline,
        key_count: Some(1_000_000),
        data_bytes: 30,
        seed: Seed(1),
        ..Plan::of(server, vec![Test::of_suite(set, 30, &spelling)])
    }
}

fn loopback(criterion: &mut Criterion) {
    let server = EmbeddedServer::start(([127, 0, 0, 1], 0).into()).expect("loopback has a free port");
    let endpoint = Endpoint::Tcp(server.address());
    let access = Access::of(&plan(server.address().port(), 1, 1).server).expect("a plain connection needs nothing");
    let node = Node {
        name: endpoint.to_string(),
        host: None,
        endpoints: vec![endpoint],
        slots: Vec::new(),
        is_replica: false,
    };
    let directory = Directory::new(access, Roster::of(vec![node]));
    let mut group = criterion.benchmark_group("loopback");
    group.sample_size(10);
    for driver in DRIVERS {
        for (pipeline, requests) in [(1, 20_000), (16, 200_000)] {
            let plan = plan(server.address().port(), pipeline, requests);
            group.throughput(Throughput::Elements(requests));
            group.bench_function(BenchmarkId::new(driver.name, pipeline), |bencher| {
                bencher.iter(|| {
                    let interrupted = AtomicBool::new(false);
                    let recording = {
                        let load = Load {
                            plan: &plan,
                            test: &plan.tests[0],
                            seed: plan.seed,
                            directory: &directory,
                            standing: None,
                        };
                        engine::run(driver, load, &interrupted, &mut ())
                    }
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
