//! A schedule that does not wait for the server, and what it shows that a closed loop hides.

mod support;

use rustix::process::Signal;
use serde_json::Value;
use std::thread;
use std::time::Duration;
use support::fake::recorder;
use support::{RedisServer, Scratch, document, rbench, start, wait_until, words};

/// The first result of a run, and the calls of SET that the server has seen.
fn run(server: &RedisServer, line: &str) -> (Value, u64) {
    server.reset();
    let scratch = Scratch::new();
    let json = scratch.path("result.json");
    rbench(&server.arguments(&format!("-t set -c 5 {line} --json {}", json.display()))).succeeded();
    (document(&json)["results"][0].clone(), server.calls_of("set"))
}

fn percentile(result: &Value, histogram: &str, percentile: &str) -> Duration {
    let nanos = result[histogram]["percentiles"][percentile].as_u64();
    Duration::from_nanos(nanos.unwrap_or_else(|| panic!("no {percentile} of {histogram}: {result:#}")))
}

#[test]
fn as_much_is_sent_as_was_asked_for() {
    let server = RedisServer::start();
    let (result, calls) = run(&server, "--rate 2000 --duration 1s --arrivals constant");
    let number = |result: &Value, name: &str| result[name].as_u64().unwrap();
    let (sent, unsent) = (number(&result, "sent"), number(&result, "unsent"));
    // What falls due in the very last turn is sent, and begins after the end. A machine that was busy just then may
    // have left something, too.
    assert!((1999..=2001).contains(&(sent + unsent)) && unsent < 1000, "{sent} {unsent}");
    assert!(calls >= sent && calls < sent + 100, "{sent} {calls}");
    // Poisson: within five standard deviations.
    for shape in
        ["--rate 2000", "--rps 2000 --threads 3", "--rate 2000 -P 4", "--ramp 1000:3000", "--steps 1000,2000,3000"]
    {
        let (result, _) = run(&server, &format!("{shape} --duration 1s"));
        let sent = (number(&result, "sent") + number(&result, "unsent")) as f64;
        let bound = 5.0 * 2000f64.sqrt() * if shape.contains("-P") { 2.0 } else { 1.0 };
        assert!((sent - 2000.0).abs() < bound, "{shape}: {sent}");
        for histogram in ["service_time", "response_time", "slip"] {
            assert_eq!(result[histogram]["count"], result["completed"], "{shape} {histogram}");
        }
    }
}

#[test]
fn a_number_of_requests_is_exact_on_a_schedule_too() {
    let server = RedisServer::start();
    for shape in ["", "-P 3", "--threads 2", "--warmup 200ms", "-k 0", "--threads 2 -P 7 --warmup 100ms"] {
        let (result, calls) = run(&server, &format!("-n 1003 --rate 5000 {shape}"));
        assert_eq!(result["completed"], 1003, "{shape}");
        assert!(calls == 1003 || shape.contains("--warmup"), "{shape}: {calls}");
    }
}

/// The server does nothing for half a second. Whoever came in that time waited, whether or not a connection was free to
/// send for them; the five requests that were on their way are all that a closed loop would have seen of it.
#[test]
fn a_stall_is_charged_to_every_request_it_delays() {
    let (server, scratch) = (RedisServer::start(), Scratch::new());
    let json = scratch.path("result.json");
    let line = format!("-t set -c 5 --rate 1000 --duration 3s --json {}", json.display());
    let running = start(&server.arguments(&line));
    wait_until("the load is on its way", || server.calls_of("set") > 500);
    server.signal(Signal::STOP);
    // The length of the stall is what the test is about.
    thread::sleep(Duration::from_millis(500));
    server.signal(Signal::CONT);
    running.end().succeeded();
    let result = &document(&json)["results"][0];
    // A sixth of all arrivals fell into the stall, and waited for a quarter of a second on average.
    assert!(percentile(result, "response_time", "95") >= Duration::from_millis(200), "{result:#}");
    assert!(percentile(result, "response_time", "100") >= Duration::from_millis(450), "{result:#}");
    assert!(percentile(result, "service_time", "99") < percentile(result, "response_time", "95"), "{result:#}");
    assert!(percentile(result, "slip", "95") >= Duration::from_millis(200), "nobody was free: {result:#}");
}

/// A server that serves a thousand a second is asked for twice as much. Latency and rate do not show what was left out.
#[test]
fn what_was_due_and_could_not_be_sent_is_counted() {
    let scratch = Scratch::new();
    let json = scratch.path("result.json");
    for shape in ["-c 5", "-c 5 --threads 2", "-c 5 --cooldown 100ms"] {
        let line = "--embedded=service:const:1ms -t set --rate 2000 --duration 1s --arrivals constant";
        let ran = rbench(&words(&format!("{line} {shape} --json {}", json.display()))).succeeded();
        let result = &document(&json)["results"][0];
        let [sent, unsent] = ["sent", "unsent"].map(|name| result[name].as_u64().unwrap());
        let told = format!("  {unsent} requests were due and not sent by the end\n");
        assert!(ran.stdout.contains(&told), "{shape}: {}", ran.stdout);
        // With a cool-down, what is late is still sent in it, for a tenth of the time.
        assert!((1998..=2002).contains(&(sent + unsent)) && unsent >= 800, "{shape}: {sent} {unsent}");
        for (format, told) in [("-q", format!(", {unsent} not sent\n")), ("--format table", told)] {
            let kept = rbench(&words(&format!("report {} {format}", json.display()))).succeeded().stdout;
            assert!(kept.contains(&told), "{shape} {format}: {kept}");
        }
    }
}

#[test]
fn a_backlog_that_cannot_recover_ends_a_run_that_has_a_limit() {
    let (server, scratch) = (RedisServer::start(), Scratch::new());
    let json = scratch.path("result.json");
    let line = format!("-t set -c 5 --rate 1000 --duration 1m --latency-limit 200ms --json {}", json.display());
    let running = start(&server.arguments(&line));
    wait_until("the load is on its way", || server.calls_of("set") > 100);
    server.signal(Signal::STOP);
    let ran = running.end();
    server.signal(Signal::CONT);
    let ran = ran.failed(1, &["wait for a free connection", "0.2 s"]);
    assert!(ran.elapsed < Duration::from_secs(30), "{ran:?}");
    let result = &document(&json)["results"][0];
    assert_eq!(result["end"]["failed"]["kind"], "overload");
    assert!(result["unsent"].as_u64() > Some(1000), "{result:#}");
}

/// Whoever waits for the next request without going to sleep looks busy, and has all the time in the world.
#[test]
fn what_a_thread_spins_away_is_not_what_it_needs() {
    let server = RedisServer::start();
    let spent = |line: &str| {
        let (result, _) = run(&server, line);
        let nanos = |name: &str| result["load_threads"][0][name].as_u64().unwrap_or(0);
        let (spun, cpu) = (nanos("spun_ns"), nanos("cpu_ns"));
        let told = result["client_cpu_ns_per_request"].as_f64().unwrap() * result["completed"].as_f64().unwrap();
        assert!((told - cpu.saturating_sub(spun) as f64).abs() < 1.0, "{told} of {cpu} less {spun}");
        (spun, cpu)
    };
    let (spun, cpu) = spent("--rate 200 --duration 1s --spin");
    assert!(spun > cpu / 2, "{spun} of {cpu}");
    let (spun, cpu) = spent("--rate 200 --duration 1s");
    assert!(0 < spun && spun < 200_000_000, "{spun} of {cpu}: it sleeps until a moment before");
    assert_eq!(spent("-n 1000").0, 0, "a closed loop waits for replies");
}

#[test]
fn a_closed_loop_has_no_due_times() {
    let server = RedisServer::start();
    let (result, _) = run(&server, "-n 10");
    assert!(result["response_time"].is_null() && result["slip"].is_null());
}

#[test]
fn a_schedule_shows_in_the_report_and_in_that_of_the_document() {
    let (server, scratch) = (RedisServer::start(), Scratch::new());
    let json = scratch.path("result.json");
    let line = format!("-t set -n 500 --rate 5000 --json {}", json.display());
    let ran = rbench(&server.arguments(&line)).succeeded();
    assert!(ran.stdout.contains("response time summary (msec), from when a request was due:"), "{}", ran.stdout);
    assert_eq!(rbench(&["report", json.to_str().unwrap()]).succeeded().stdout, ran.stdout);
    let closed = rbench(&server.arguments("-t set -n 500")).succeeded();
    assert!(!closed.stdout.contains("response time"), "{}", closed.stdout);
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (line, word) in [
        ("--rate 0", "--rate"),
        ("--rate x", "--rate"),
        ("--rate 5 --ramp 1:2", "--ramp"),
        ("--ramp 1:2", "--duration"),
        ("--ramp 1 --duration 1s", "colon"),
        ("--steps 1,2", "--duration"),
        ("--arrivals sometimes --rate 5", "poisson, constant"),
        ("--spin", "--rate"),
        ("--rate 5 --think-time 1s", "--think-time"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        rbench(&words).failed(2, &[word]);
    }
}

/// The times between the SETs that a server sees, in seconds and in their order.
fn gaps(count: usize, flags: &str) -> Vec<f64> {
    let server = RedisServer::start();
    let (port, notes) = recorder(server.name().parse().expect("an address"));
    let line = format!("-p {port} -t set -c 8 -n {count} -q {flags}");
    rbench(&words(&line)).succeeded();
    let mut times = notes.lock().unwrap().clone();
    times.sort();
    assert_eq!(times.len(), count, "each SET came by");
    times.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect()
}

/// What is seen from outside is seen late when the machine is busy, and proves nothing then. It is not busy four times in
/// turn, and what is wrong is wrong each time.
fn holds_once(what: &str, mut look: impl FnMut() -> Result<(), String>) {
    let failed: Vec<String> = (0..4).map_while(|_| look().err()).collect();
    assert!(failed.len() < 4, "{what}: {failed:?}");
}

/// Kolmogorov and Smirnov: the farthest that the shares of what was seen are from those of the process. Beyond 1.95 by
/// the root of the number in one case of a thousand. Arrivals are so far between that a busy machine is late by little of
/// that. Thousands of them are held against their process where the schedule is made, in `workload::arrivals`.
#[test]
fn arrivals_at_the_server_are_of_the_process_that_was_named() {
    for threads in ["--threads 1", "--threads 2"] {
        holds_once(threads, || {
            let mut seen = gaps(100, &format!("--rate 16 --arrivals poisson {threads}"));
            seen.sort_by(f64::total_cmp);
            let count = seen.len() as f64;
            let expected = |gap: f64| 1.0 - (-16.0 * gap).exp();
            let off = |(at, gap): (usize, &f64)| {
                (expected(*gap) - at as f64 / count).abs().max(((at + 1) as f64 / count - expected(*gap)).abs())
            };
            let farthest = seen.iter().enumerate().map(off).fold(0.0, f64::max);
            if farthest * count.sqrt() < 1.95 { Ok(()) } else { Err(farthest.to_string()) }
        });
    }
}

/// Threads that were in phase would send together, and leave half a second and more between them.
#[test]
fn threads_take_turns_when_arrivals_are_even() {
    for threads in ["--threads 1", "--threads 2", "--threads 4"] {
        holds_once(threads, || {
            let gaps = gaps(13, &format!("--rate 4 --arrivals constant {threads}"));
            let even = gaps.iter().filter(|gap| (0.17..0.33).contains(*gap)).count();
            if even * 4 >= gaps.len() * 3 { Ok(()) } else { Err(format!("{gaps:?} are not 250 ms each")) }
        });
    }
}
