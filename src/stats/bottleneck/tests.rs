//! Staged cases with their answers. Figures that are called recorded are of runs of 4 seconds on two shared cores against
//! redis-server 7.0.15 and HAProxy, pinned as the case says: processor time and waiting from the kernel's `schedstat`, and
//! from INFO, rounded. "Busy neighbours" are the compilers of a machine that had seven times more to do than processors.

use super::*;
use crate::units::{Nanos, Rate};

/// A load thread: its share of a core, and the share for which it had none.
fn thread(busy: f64, run_queue_wait: f64) -> ThreadFacts {
    ThreadFacts { busy: Some(busy), run_queue_wait: Some(run_queue_wait), involuntary_switches: None }
}

fn redis(main_thread_busy: f64) -> Vec<ServerFacts> {
    vec![ServerFacts {
        name: "127.0.0.1:6379".to_owned(),
        main_thread_busy: Some(main_thread_busy),
        process_busy: Some(main_thread_busy),
        io_threads: Some(1),
        is_local: true,
        ..ServerFacts::default()
    }]
}

fn haproxy(busy: f64, threads: u32) -> Vec<ProxyFacts> {
    let name = "127.0.0.1:7000".to_owned();
    vec![ProxyFacts { name, busy: Some(busy), threads: Some(threads), run_queue_wait: None }]
}

fn micros(micros: u64) -> Nanos {
    Nanos(micros * 1000)
}

/// A closed loop of 50 clients on one thread.
fn closed(achieved: f64, latency_us: u64, threads: Vec<ThreadFacts>, servers: Vec<ServerFacts>) -> Facts {
    Facts {
        elapsed: Nanos::from_secs(5),
        achieved: Rate(achieved),
        clients: 50,
        pipeline: 1,
        latency_mean: Some(micros(latency_us)),
        threads,
        servers,
        cores: Some(2),
        steal: Some(0.0),
        throttled: Some(0.0),
        ..Facts::default()
    }
}

/// An open loop whose slip was this at the 99th percentile, second by second.
fn open(offered: f64, unsent: u64, slip_us: [u64; 5], facts: Facts) -> Facts {
    let p99_by_second: Vec<Nanos> = slip_us.into_iter().map(micros).collect();
    let slip = Slip { p50: micros(slip_us[2] / 2), p99: micros(slip_us[4]), p99_by_second };
    Facts { offered: Some(Rate(offered)), unsent, slip: Some(slip), ..facts }
}

/// A backlog that grows.
const RISING: [u64; 5] = [500_000, 1_000_000, 1_500_000, 2_000_000, 2_500_000];
const STEADY: [u64; 5] = [60, 55, 70, 58, 61];

struct Case {
    what: &'static str,
    facts: Facts,
    limit: Limit,
    /// Words that the line has to have.
    says: &'static [&'static str],
}

fn case(what: &'static str, limit: Limit, says: &'static [&'static str], facts: Facts) -> Case {
    Case { what, facts, limit, says }
}

fn cases() -> Vec<Case> {
    let waiting = |wait: f64, servers: Vec<ServerFacts>| -> Vec<ServerFacts> {
        servers.into_iter().map(|server| ServerFacts { run_queue_wait: Some(wait), ..server }).collect()
    };
    let far = |server: ServerFacts| vec![ServerFacts { is_local: false, ..server }];
    vec![
        // Figures of the loop that the engine was designed after, on a quiet machine.
        case(
            "server saturated at -P 1",
            Limit::Server,
            &["server 99 %", "load-0 73 %", "this is its capacity", "commands take 6 %"],
            Facts {
                servers: vec![ServerFacts {
                    commands_per_second: Some(216e3),
                    usec_per_call: Some(0.28),
                    ..redis(0.99).remove(0)
                }],
                ..closed(216e3, 193, vec![thread(0.73, 0.01)], Vec::new())
            },
        ),
        case(
            "server saturated at -P 16",
            Limit::Server,
            &["server 98 %"],
            Facts { pipeline: 16, ..closed(1.95e6, 410, vec![thread(0.42, 0.01)], redis(0.98)) },
        ),
        case(
            "slow commands: reading and writing are little of it",
            Limit::Server,
            &["server 99 %", "this is its capacity for this workload"],
            closed(9_000.0, 5_500, vec![thread(0.21, 0.01)], redis(0.99)),
        ),
        case(
            "client alone at its end",
            Limit::Client,
            &["load-0 97 % of a core; server 61 %", "add --threads 2"],
            Facts { cores: Some(4), ..closed(150e3, 330, vec![thread(0.97, 0.01)], redis(0.61)) },
        ),
        case(
            "TLS on one thread",
            Limit::Client,
            &["load-0 96 %", "add --threads 2"],
            Facts { cores: Some(8), ..closed(88e3, 560, vec![thread(0.96, 0.02)], far(redis(0.82).remove(0))) },
        ),
        case(
            "recorded: client and server on one core (taskset)",
            Limit::Client,
            &["load-0 47 %", "without a processor for 31 %", "a processor of its own"],
            closed(119_860.0, 417, vec![thread(0.469, 0.313)], waiting(0.442, redis(0.526))),
        ),
        case(
            "recorded: a neighbour on the client's core",
            Limit::Client,
            &["without a processor for 39 %", "a processor of its own"],
            closed(63_758.0, 784, vec![thread(0.389, 0.391)], redis(0.421)),
        ),
        case(
            "recorded: client with nice 19 beside a neighbour",
            Limit::Client,
            &["load-0 2 %", "without a processor for 94 %"],
            closed(2_009.0, 25_467, vec![thread(0.018, 0.945)], redis(0.016)),
        ),
        case(
            "recorded: busy neighbours on both cores",
            Limit::Client,
            &["without a processor for 42 %"],
            closed(31_109.0, 1_684, vec![thread(0.205, 0.419)], waiting(0.424, redis(0.216))),
        ),
        case(
            "recorded: io-threads without processors",
            Limit::Server,
            &["without a processor for 85 %", "give the server a processor of its own"],
            Facts {
                pipeline: 16,
                servers: vec![ServerFacts {
                    io_threads: Some(2),
                    process_busy: Some(0.3),
                    run_queue_wait: Some(0.846),
                    ..redis(0.148).remove(0)
                }],
                ..closed(15_152.0, 53_131, vec![thread(0.011, 0.15)], Vec::new())
            },
        ),
        case(
            "io-threads: all of them busy",
            Limit::Server,
            &["server 97 % of 4 io-threads"],
            Facts {
                servers: vec![ServerFacts { io_threads: Some(4), process_busy: Some(3.88), ..redis(0.93).remove(0) }],
                cores: Some(16),
                ..closed(480e3, 400, vec![thread(0.8, 0.01), thread(0.78, 0.01)], Vec::new())
            },
        ),
        case(
            "io-threads: the main thread alone busy",
            Limit::Server,
            &["server 99 %"],
            Facts {
                servers: vec![ServerFacts { io_threads: Some(4), process_busy: Some(2.1), ..redis(0.99).remove(0) }],
                ..closed(300e3, 400, vec![thread(0.6, 0.01)], Vec::new())
            },
        ),
        case(
            "io-threads: room on all of them, two cores of four",
            Limit::Client,
            &["load-0 98 %"],
            Facts {
                servers: vec![ServerFacts { io_threads: Some(4), process_busy: Some(2.0), ..redis(0.5).remove(0) }],
                ..closed(300e3, 160, vec![thread(0.98, 0.01)], Vec::new())
            },
        ),
        case(
            "proxy of one thread saturated",
            Limit::Proxy,
            &["proxy 99 % of 1 thread", "nbthread"],
            Facts { proxies: haproxy(0.99, 1), ..closed(79e3, 630, vec![thread(0.49, 0.02)], redis(0.57)) },
        ),
        case(
            "proxy saturated, and the server not told",
            Limit::Proxy,
            &["proxy 97 % of 2 threads"],
            Facts { proxies: haproxy(0.97, 2), ..closed(150e3, 330, vec![thread(0.7, 0.02)], Vec::new()) },
        ),
        case(
            "client and proxy near their ends, the client nearer",
            Limit::Client,
            &["load-0 99 %", "proxy 94 %"],
            Facts { proxies: haproxy(0.94, 2), ..closed(150e3, 330, vec![thread(0.99, 0.01)], redis(0.6)) },
        ),
        case(
            "recorded: a rate well below capacity, between busy neighbours",
            Limit::Rate,
            &["10.1 k/s of 10.1 k/s asked for", "raise --rate"],
            open(
                10_100.0,
                0,
                [28_000, 132_000, 870, 28_000, 28_000],
                closed(10_096.0, 655, vec![thread(0.507, 0.086)], redis(0.284)),
            ),
        ),
        // A busy thread is no limit as long as all is given.
        case(
            "a rate that the client just makes",
            Limit::Rate,
            &["30.0 k/s"],
            open(30_000.0, 0, STEADY, closed(29_990.0, 60, vec![thread(0.97, 0.01)], redis(0.4))),
        ),
        case(
            "a rate that the server just carries",
            Limit::Rate,
            &["not by much: the server is near its end"],
            open(200e3, 40, STEADY, closed(199.2e3, 180, vec![thread(0.8, 0.01)], redis(0.96))),
        ),
        case(
            "open loop over capacity, the server the limit",
            Limit::Server,
            &["server 98 %"],
            open(500e3, 900_000, RISING, closed(205e3, 240, vec![thread(0.72, 0.03)], redis(0.98))),
        ),
        case(
            "open loop over capacity, the client the limit",
            Limit::Client,
            &["load-0 98 % of a core; server 70 %", "run rbench on another machine or core"],
            open(500e3, 900_000, RISING, closed(260e3, 190, vec![thread(0.98, 0.01)], redis(0.7))),
        ),
        case(
            "recorded: open loop over capacity, two neighbours on the client's core",
            Limit::Client,
            &["without a processor for 55 %"],
            open(150e3, 443_000, RISING, closed(39_200.0, 1_185, vec![thread(0.245, 0.552)], redis(0.253))),
        ),
        case(
            "recorded: open loop over capacity, neighbours taking a seventh of each core",
            Limit::Client,
            &["without a processor for 14 %"],
            open(
                500e3,
                1_500_000,
                RISING,
                Facts { clients: 200, ..closed(124_887.0, 1_460, vec![thread(0.718, 0.142)], redis(0.831)) },
            ),
        ),
        case(
            "recorded: server at -P 16 between busy neighbours",
            Limit::Server,
            &["server 80 %; load-0 43 % of a core, and without a processor for 19 %", "nothing else to do"],
            Facts { pipeline: 16, ..closed(875_096.0, 915, vec![thread(0.432, 0.194)], waiting(0.033, redis(0.797))) },
        ),
        case(
            "recorded: the same with twenty neighbours",
            Limit::Server,
            &["server 81 %; load-0 52 % of a core, and without a processor for 17 %"],
            Facts {
                pipeline: 16,
                ..closed(1_269_272.0, 630, vec![thread(0.516, 0.166)], waiting(0.047, redis(0.813)))
            },
        ),
        case(
            "a server that is wanted far more than the client, which has neighbours, too",
            Limit::Server,
            &["server 81 %, and without a processor for 5 %; load-0 55 %"],
            Facts { pipeline: 16, ..closed(1.2e6, 660, vec![thread(0.55, 0.166)], waiting(0.054, redis(0.813))) },
        ),
        case(
            "recorded: proxy of one thread between busy neighbours",
            Limit::Proxy,
            &["proxy 71 % of 1 thread, and without a processor for 18 %", "processors of its own"],
            Facts {
                proxies: vec![ProxyFacts { run_queue_wait: Some(0.183), ..haproxy(0.713, 1).remove(0) }],
                ..closed(56_612.0, 884, vec![thread(0.351, 0.258)], waiting(0.237, redis(0.409)))
            },
        ),
        case(
            "recorded: the same with seven neighbours",
            Limit::Proxy,
            &["proxy 12 % of 1 thread, and without a processor for 70 %"],
            Facts {
                proxies: vec![ProxyFacts { run_queue_wait: Some(0.704), ..haproxy(0.117, 1).remove(0) }],
                ..closed(8_935.0, 5_599, vec![thread(0.063, 0.231)], waiting(0.234, redis(0.07)))
            },
        ),
        case(
            "open loop over a path with delay: all clients wait",
            Limit::Path,
            &["50 x 1 / 10.1 ms = 4950/s"],
            open(20e3, 75_000, RISING, closed(4_930.0, 10_100, vec![thread(0.06, 0.01)], redis(0.04))),
        ),
        case(
            "slip rising while clients are free and everybody has room",
            Limit::Client,
            &["slip p99 2.5 s and rising"],
            open(20e3, 20_000, RISING, closed(15e3, 200, vec![thread(0.3, 0.02)], redis(0.2))),
        ),
        case(
            "a path with a delay of a millisecond",
            Limit::Path,
            &[
                "nobody is busy",
                "raise -c or -P: at most 50 x 1 / 1.2 ms = 41.7 k/s are in flight",
                "83 % of it is what the fastest took: the way",
            ],
            Facts { latency_min: Some(micros(1_000)), ..closed(41.2e3, 1_200, vec![thread(0.2, 0.01)], redis(0.15)) },
        ),
        case(
            "recorded: replies held back by 1 ms by a server on the client's cores",
            Limit::Path,
            &["without a processor for 13 %", "is what the fastest took: the way"],
            Facts {
                clients: 20,
                latency_min: Some(micros(1_000)),
                ..closed(18_000.0, 1_100, vec![thread(0.16, 0.13)], redis(0.41))
            },
        ),
        case(
            "a server that holds requests back",
            Limit::Path,
            &["look for what holds requests back", "at least 40 µs", "the fastest took 1 % of it"],
            Facts { latency_min: Some(micros(40)), ..closed(9.9e3, 5_000, vec![thread(0.05, 0.01)], redis(0.05)) },
        ),
        case(
            "one client: one request in flight",
            Limit::Path,
            &["at most 1 x 1 / 45 µs = 22.2 k/s"],
            Facts { clients: 1, ..closed(21.5e3, 45, vec![thread(0.48, 0.02)], redis(0.46)) },
        ),
        case(
            "large values over a full line",
            Limit::Path,
            &["a line of 1 Gbit/s would be full"],
            Facts {
                bytes_received_per_second: Some(117.5e6),
                ..closed(1_790.0, 27_900, vec![thread(0.12, 0.01)], far(redis(0.09).remove(0)))
            },
        ),
        case(
            "packets that are lost",
            Limit::Path,
            &["2100 of 60000 segments sent again", "loses packets"],
            Facts { segments: Some((60_000, 2_100)), ..closed(6e3, 8_300, vec![thread(0.05, 0.01)], redis(0.04)) },
        ),
        case(
            "clients that think",
            Limit::Rate,
            &["clients think for 1.0 ms", "lower --think-time"],
            Facts { think_time: Nanos::from_millis(1), ..closed(45e3, 100, vec![thread(0.35, 0.01)], redis(0.3)) },
        ),
        case(
            "steal",
            Limit::Client,
            &["the hypervisor gave 30 % to others"],
            Facts { steal: Some(0.3), ..closed(70e3, 700, vec![thread(0.5, 0.03)], far(redis(0.35).remove(0))) },
        ),
        case(
            "throttled to half a core",
            Limit::Client,
            &["stopped by its quota for 49 % of the time", "cpu.max"],
            Facts { throttled: Some(0.49), ..closed(70e3, 700, vec![thread(0.5, 0.0)], far(redis(0.35).remove(0))) },
        ),
        case(
            "two threads, of which one is busy",
            Limit::Client,
            &["load-1 97 %", "spread unevenly"],
            Facts { cores: Some(8), ..closed(150e3, 330, vec![thread(0.2, 0.0), thread(0.97, 0.01)], redis(0.65)) },
        ),
        case(
            "both ends busy",
            Limit::Server,
            &["server 98 %; load-0 97 % of a core"],
            closed(220e3, 220, vec![thread(0.97, 0.02)], redis(0.98)),
        ),
        case(
            "both ends busy, the client without a processor for a third of the time",
            Limit::Client,
            &["without a processor for 33 %", "server 96 %"],
            closed(150e3, 330, vec![thread(0.64, 0.33)], redis(0.96)),
        ),
        case(
            "near what rbench itself reaches",
            Limit::Client,
            &["is 97 % of the 206.2 k/s that rbench itself reaches here"],
            Facts { ceiling: Some(Rate(206_200.0)), ..closed(200e3, 240, vec![thread(0.86, 0.02)], redis(0.7)) },
        ),
        case(
            "near a ceiling that was one of round trips",
            Limit::Path,
            &["load-0 41 %"],
            Facts {
                ceiling: Some(Rate(40_000.0)),
                clients: 1,
                ..closed(39e3, 25, vec![thread(0.41, 0.0)], redis(0.5))
            },
        ),
        case(
            "a cluster with a hot master",
            Limit::Server,
            &["server b 99 %", "spread the keys"],
            Facts {
                servers: vec![
                    ServerFacts { name: "a".to_owned(), ..redis(0.3).remove(0) },
                    ServerFacts { name: "b".to_owned(), ..redis(0.99).remove(0) },
                ],
                ..closed(250e3, 200, vec![thread(0.8, 0.01)], Vec::new())
            },
        ),
        case(
            "a server that does not tell its main thread apart",
            Limit::Server,
            &["server 98 %"],
            Facts {
                servers: vec![ServerFacts { main_thread_busy: None, io_threads: None, ..redis(0.98).remove(0) }],
                ..closed(200e3, 200, vec![thread(0.7, 0.01)], Vec::new())
            },
        ),
        case(
            "nothing known of the server",
            Limit::Unknown,
            &["load-0 50 %", "--observe"],
            closed(100e3, 500, vec![thread(0.5, 0.01)], Vec::new()),
        ),
        case(
            "nothing known of one of two servers, and of the proxy",
            Limit::Unknown,
            &["--observe", "--haproxy-stats"],
            Facts {
                has_unseen_proxy: true,
                servers: vec![redis(0.5).remove(0), ServerFacts::default()],
                ..closed(100e3, 500, vec![thread(0.5, 0.01)], Vec::new())
            },
        ),
        case(
            "recorded: one client between busy neighbours",
            Limit::Unknown,
            &["without a processor for 22 %", "run again while the machine has nothing else to do"],
            Facts { clients: 1, ..closed(7_894.0, 127, vec![thread(0.451, 0.216)], waiting(0.18, redis(0.441))) },
        ),
        case(
            "a client that would be busy, with a processor all the time",
            Limit::Client,
            &["without a processor for 15 %", "a processor of its own"],
            Facts { cores: Some(8), ..closed(130e3, 380, vec![thread(0.78, 0.15)], redis(0.6)) },
        ),
        case(
            "throttled a little, and nobody busy",
            Limit::Client,
            &["stopped by its quota for 8 % of the time"],
            Facts { throttled: Some(0.08), ..closed(70e3, 700, vec![thread(0.5, 0.0)], far(redis(0.35).remove(0))) },
        ),
        case(
            "all but given, and later and later",
            Limit::Server,
            &["server 97 %"],
            open(200e3, 0, RISING, closed(198e3, 250, vec![thread(0.7, 0.01)], redis(0.97))),
        ),
        case(
            "all but given, and some left over",
            Limit::Server,
            &["server 97 %"],
            open(200e3, 14_000, STEADY, closed(197e3, 250, vec![thread(0.7, 0.01)], redis(0.97))),
        ),
        case(
            "just a proxy that has some room",
            Limit::Unknown,
            &["nobody is at an end", "proxy 85 %"],
            Facts { proxies: haproxy(0.85, 2), ..closed(120e3, 410, vec![thread(0.5, 0.02)], redis(0.6)) },
        ),
        case(
            "just a client that has some room",
            Limit::Unknown,
            &["nobody is at an end; mean latency 400 µs; load-0 80 %"],
            closed(120e3, 400, vec![thread(0.80, 0.02)], redis(0.5)),
        ),
        case(
            "just a server that wants the processor no more than the client",
            Limit::Unknown,
            &["nobody is at an end"],
            closed(120e3, 400, vec![thread(0.66, 0.09)], waiting(0.1, redis(0.75))),
        ),
        case(
            "just not at an end",
            Limit::Unknown,
            &["nobody is at an end", "raise -c or -P until somebody is"],
            closed(120e3, 80, vec![thread(0.75, 0.02)], redis(0.88)),
        ),
        case(
            "too short",
            Limit::Unknown,
            &["the run took 300.0 ms", "run for a second at least"],
            Facts { elapsed: Nanos::from_millis(300), ..closed(150e3, 330, vec![thread(0.97, 0.01)], redis(0.61)) },
        ),
    ]
}

#[test]
fn the_limit_is_found_in_every_staged_case() {
    let cases = cases();
    assert!(cases.len() >= 20);
    let mut wrong = Vec::new();
    for Case { what, facts, limit, says } in cases {
        let verdict = bottleneck(&facts);
        let line = format!("{} ({}): {}", verdict.limit, verdict.text, verdict.advice);
        let is_told = says.iter().all(|words| line.contains(words)) && !line.contains('\n');
        if verdict.limit != limit || !is_told || verdict.text.is_empty() || verdict.advice.is_empty() {
            wrong.push(format!("{what}: {limit} {says:?}, and not: {line}"));
        }
        assert!(verdict.evidence.iter().all(|figure| figure.value.is_finite()), "{what}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The machine at hand is noisy: a verdict must not hang on a few percent.
#[test]
fn figures_that_are_off_by_two_percent_change_no_clear_verdict() {
    for Case { what, facts, limit, .. } in cases().into_iter().filter(|case| !case.what.starts_with("just")) {
        for factor in [0.98, 1.0 / 0.98] {
            let mut off = facts.clone();
            let scale = |share: &mut Option<f64>| *share = share.map(|share| share * factor);
            off.threads.iter_mut().for_each(|thread| (scale(&mut thread.busy), scale(&mut thread.run_queue_wait)).1);
            off.proxies.iter_mut().for_each(|proxy| scale(&mut proxy.busy));
            assert_eq!(bottleneck(&off).limit, limit, "{what}, x {factor}");
        }
    }
}

#[test]
fn a_stall_is_no_rise_and_a_slow_rise_is_one() {
    let rising = |seconds: &[u64]| {
        let p99_by_second: Vec<Nanos> = seconds.iter().map(|at| micros(*at)).collect();
        Slip { p99_by_second, ..Slip::default() }.is_rising(Nanos::from_secs(seconds.len() as u64))
    };
    assert!(!rising(&[60, 60, 60, 900_000, 60, 60, 60, 60, 60]), "one stall");
    assert!(!rising(&[900_000, 60, 60, 60, 60, 60, 60, 60, 60]), "in the beginning");
    assert!(!rising(&[60, 60, 60, 60, 60, 60, 60, 60, 900_000]), "in the end");
    assert!(!rising(&[50, 60, 70, 80, 90, 200, 300, 400, 500]), "of less than a millisecond");
    assert!(rising(&[5_000, 10_000, 15_000, 20_000, 25_000, 30_000, 35_000, 40_000, 45_000]), "by half a percent");
}

/// Too few seconds for a trend: the median tells.
#[test]
fn in_a_short_run_the_median_tells_of_a_backlog() {
    let slip = |p50_us| Slip { p50: micros(p50_us), p99: micros(2 * p50_us), p99_by_second: Vec::new() };
    assert!(slip(50_000).is_rising(Nanos::from_secs(2)));
    assert!(!slip(5_000).is_rising(Nanos::from_secs(2)));
}

#[test]
fn threads_are_added_where_there_are_cores_for_them() {
    let advice = |cores, servers: Vec<ServerFacts>| {
        bottleneck(&Facts { cores: Some(cores), ..closed(150e3, 330, vec![thread(0.97, 0.01)], servers) }).advice
    };
    assert_eq!(advice(4, redis(0.61)), "add --threads 2");
    assert_eq!(advice(2, redis(0.61)), "run rbench on another machine or core", "the server has the other one");
    let far = ServerFacts { is_local: false, ..redis(0.61).remove(0) };
    assert_eq!(advice(2, vec![far]), "add --threads 2");
    assert_eq!(advice(1, Vec::new()), "run rbench on another machine or core");
}

/// Everything that a verdict rests on is in it, under a name and with a unit.
#[test]
fn the_evidence_holds_the_figures_of_all_parties() {
    let facts = Facts { proxies: haproxy(0.5, 2), ..closed(100e3, 500, vec![thread(0.95, 0.01)], redis(0.61)) };
    let evidence = bottleneck(&facts).evidence;
    for (name, value, unit) in [
        ("load-0 busy", 0.95, Unit::Cores),
        ("load-0 run queue wait", 0.01, Unit::Share),
        ("server 127.0.0.1:6379 main thread busy", 0.61, Unit::Cores),
        ("proxy 127.0.0.1:7000 busy", 0.5, Unit::Share),
        ("achieved rate", 100e3, Unit::PerSecond),
        ("in flight limit", 100e3, Unit::PerSecond),
    ] {
        assert!(evidence.contains(&Figure::new(name, value, unit)), "{name}: {evidence:#?}");
    }
    assert!(!evidence.iter().any(|figure| figure.name == "offered rate"), "what is not known is not there");
}
