//! The embedded server as ground truth: what it is told to do is what is measured of it.

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use support::link::Link;
use support::measured::Measuring;
use support::{Measured, measure, program, rbench, words};

/// Measures a server in the same process.
#[track_caller]
fn measure_behaving(spec: &str, line: &str) -> Measured {
    let arguments: Vec<String> = words(line).into_iter().map(str::to_owned).collect();
    measure(&[&[format!("--embedded={spec}")], &arguments[..]].concat())
}

/// `rbench serve` with some behaviour. Killed when dropped.
struct Serving {
    process: Child,
    port: u16,
}

impl Serving {
    fn start(line: &str) -> Serving {
        let mut command = program::command(&[&["serve", "--port", "0"], &words(line)[..]].concat());
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let port = said.trim_end().rsplit(':').next().unwrap().parse().unwrap();
        Serving { process, port }
    }

    fn arguments(&self, line: &str) -> Vec<String> {
        words(&format!("-p {} {line}", self.port)).into_iter().map(str::to_owned).collect()
    }

    fn link(&self) -> Link {
        Link::tcp("127.0.0.1", self.port).unwrap()
    }

    /// A number from INFO stats.
    fn fact(&self, name: &str) -> f64 {
        let text = self.link().ask(&["INFO", "stats"]).unwrap().text();
        let fact = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        fact.unwrap_or_else(|| panic!("INFO has no {name}: {text}")).trim().parse().unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A percentile of the service times of the first result.
#[track_caller]
fn percentile(measured: &Measured, name: &str) -> Duration {
    let percentiles = &measured.result()["service_time"]["percentiles"];
    Duration::from_nanos(percentiles[name].as_u64().unwrap_or_else(|| panic!("no p{name}: {percentiles:#}")))
}

#[track_caller]
fn rate(measured: &Measured) -> f64 {
    measured.result()["requests_per_second"].as_f64().expect("a rate")
}

/// Within four standard deviations of a binomial distribution, or one request.
fn assert_share(count: u64, of: u64, share: f64) {
    let (count, of) = (count as f64, of as f64);
    let limit = 4.0 * (of * share * (1.0 - share)).sqrt();
    assert!((count - of * share).abs() <= limit.max(1.0), "{count} of {of} is not {share}");
}

const MILLI: Duration = Duration::from_millis(1);

#[test]
fn a_delay_shows_in_the_latency() {
    let measured = measure_behaving("delay:1ms", "-n 1000 -c 4 -t get").ended(0);
    assert!(percentile(&measured, "50") >= MILLI, "{:#}", measured.result());
    // Delays overlap, or this would take four milliseconds for each.
    let measured = measure_behaving("delay:100ms", "-n 8 -c 4 -t get").ended(0);
    assert!(percentile(&measured, "50") < 300 * MILLI, "{:#}", measured.result());
}

#[test]
fn a_share_of_delays_shows_in_as_many_latencies() {
    let measured = measure_behaving("delay:200ms:0.01", "-n 2000 -c 20 -t get").ended(0);
    assert!(percentile(&measured, "50") < 100 * MILLI, "{:#}", measured.result());
    assert!(percentile(&measured, "99.9") >= 200 * MILLI, "{:#}", measured.result());
}

#[test]
fn a_constant_service_time_is_what_one_client_sees() {
    let measured = measure_behaving("service:const:20ms", "-n 50 -c 1 -t set").ended(0);
    let p50 = percentile(&measured, "50");
    assert!(p50 >= 20 * MILLI && p50 < 40 * MILLI, "{p50:?}");
    assert!(rate(&measured) <= 50.0, "{:#}", measured.result());
}

/// One server for all: with ever the same clients in the queue, each waits for all.
#[test]
fn clients_are_served_one_at_a_time() {
    for shape in ["-c 8", "-c 1 -P 8", "-c 4 -P 2 --threads 2"] {
        let measured = measure_behaving("service:const:1ms", &format!("-n 800 {shape} -t set")).ended(0);
        // In a batch, some are answered sooner than the last of it.
        assert!(percentile(&measured, "50") >= 4 * MILLI, "{shape}: {:#}", measured.result());
        assert!(rate(&measured) <= 1000.0, "{shape}: {:#}", measured.result());
    }
}

#[test]
fn a_stall_shows_as_the_longest_latency() {
    let measured = measure_behaving("stall:300ms@every:1s,service:const:2ms", "-n 700 -c 1 -t set").ended(0);
    let longest = percentile(&measured, "100");
    assert!(longest >= 250 * MILLI, "{longest:?}");
    assert!(percentile(&measured, "50") < 100 * MILLI, "{:#}", measured.result());
}

#[test]
fn errors_are_counted_by_their_codes() {
    const REQUESTS: u64 = 20_000;
    let serving = Serving::start("--behave error:READONLY:0.01 --behave error:OOM:0.001");
    let line = format!("-n {REQUESTS} -c 10 -P 4 -t set --on-error continue");
    let measured = measure(&serving.arguments(&line)).went_on();
    let (readonly, oom) = (measured.replies("READONLY"), measured.replies("OOM"));
    assert_share(readonly, REQUESTS, 0.01);
    assert_share(oom, REQUESTS, 0.001);
    assert_eq!((readonly + oom) as f64, serving.fact("behaviour_failed"));
    assert_eq!(measured.number("completed") + readonly + oom, REQUESTS);
    assert_eq!(serving.fact("behaviour_requests"), REQUESTS as f64);
}

#[test]
fn drops_are_counted_as_lost_connections() {
    const REQUESTS: u64 = 5000;
    let serving = Serving::start("--behave drop:0.01");
    let measured = measure(&serving.arguments(&format!("-n {REQUESTS} -c 5 -t set --on-error reconnect"))).went_on();
    let lost = measured.errors("eof") + measured.errors("reset");
    assert_share(lost, REQUESTS, 0.01);
    assert_eq!(lost as f64, serving.fact("behaviour_dropped"));
    assert_eq!(measured.number("unknown"), lost);
    assert_eq!(measured.errors_in_all(), lost, "{:#}", measured.result());
}

/// The same requests meet the same fate, and with another seed another one.
#[test]
fn a_seed_repeats_a_run() {
    let errors = |spec: &str| {
        let measured = measure_behaving(spec, "-n 10000 -c 5 -t set --on-error continue").went_on();
        measured.replies("ERR")
    };
    let first = errors("error:ERR:0.1,seed:42");
    assert_eq!(first, errors("seed:42,error:ERR:0.1"));
    assert_ne!(first, errors("error:ERR:0.1,seed:43"));
}

#[test]
fn info_is_answered_at_once_while_others_wait() {
    let serving = Serving::start("--behave service:const:2ms,drop:0,seed:3");
    let mut going = Measuring::start(&serving.arguments("-n 1000000 -c 50 -t set"));
    going.until("the load is on its way", || serving.fact("behaviour_requests") > 100.0);
    let mut link = serving.link();
    let mut fastest = |command: &str| {
        let asked = (0..5).map(|_| {
            let since = Instant::now();
            assert!(!matches!(link.ask(&[command]), Err(_) | Ok(support::Value::Error(_))), "{command}");
            since.elapsed()
        });
        asked.min().expect("it was asked")
    };
    // A queue of fifty takes a hundred milliseconds.
    let (info, ping) = (fastest("INFO"), fastest("PING"));
    assert!(info < 20 * MILLI, "{info:?}");
    assert!(ping > 50 * MILLI, "{ping:?}");
    let measured = going.interrupt().ended(130);
    assert!(rate(&measured) <= 500.0, "{:#}", measured.result());
}

/// To the microsecond, and not when a poller that counts in milliseconds wakes. On a machine that is busy with other
/// things, the one that holds replies back may not be awake in time either: one time of five must do.
#[test]
fn replies_leave_when_they_are_due() {
    let late = || {
        let serving = Serving::start("--behave delay:1500us");
        measure(&serving.arguments("-n 200 -c 1 -t set")).ended(0);
        serving.fact("behaviour_late_usec_p50")
    };
    let seen: Vec<f64> = (0..5).map(|_| late()).take_while(|late| *late >= 400.0).collect();
    assert!(seen.len() < 5, "late by {seen:?} microseconds");
}

#[test]
fn a_bad_spec_is_one_line() {
    for (spec, what) in [
        ("service:exp", "expected service:exp:TIME"),
        ("nosuch", "'nosuch': expected service:exp:TIME"),
        ("service:exp:200", "'200': expected a time with its unit"),
        ("delay:1ms:2", "'2': expected a share from 0 to 1"),
        ("stall:5s@every:1s", "shorter"),
        ("error:readonly:0.1", "upper case"),
        ("drop:0.1,drop:0.1", "drop is given twice"),
        ("drop:0.6,error:ERR:0.6", "more than all"),
    ] {
        rbench(&[&format!("--embedded={spec}"), "-n", "1"]).failed(2, &["--embedded", what]);
        rbench(&["serve", "--port", "0", "--behave", spec]).failed(2, &["--behave", what]);
    }
    rbench(&words("serve --port 0 --behave drop:0.1 --behave drop:0.2")).failed(2, &["--behave", "given twice"]);
    rbench(&["--embedded="]).failed(2, &["--embedded"]);
    rbench(&["serve", "--behave", ""]).failed(2, &["--behave"]);
}

/// As before: what follows without an equals sign is a command.
#[test]
fn embedded_alone_takes_no_spec() {
    let ran = rbench(&words("-q -n 10 --embedded ping delay:1ms")).succeeded();
    assert!(ran.stdout.contains("ping delay:1ms"), "{}", ran.stdout);
    let help = rbench(&["serve", "--help"]).succeeded().stdout;
    for word in ["service:exp:TIME", "stall:TIME@every:TIME", "error:CODE:SHARE", "READONLY", "seed:NUMBER"] {
        assert!(help.contains(word), "{word}: {help}");
    }
}
