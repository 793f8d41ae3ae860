//! What the program prints, read as other programs read it, and printed again from a document.

mod support;

use rustix::process::Signal;
use serde_json::Value as Json;
use support::{RedisServer, Scratch, document, rbench, start, wait_until, words};

const FORMATS: [&str; 7] = ["redis-7", "redis-6", "redis-5", "table", "quiet", "csv", "json"];

const SUITE: [&str; 21] = [
    "PING_INLINE",
    "PING_MBULK",
    "SET",
    "GET",
    "INCR",
    "LPUSH",
    "RPUSH",
    "LPOP",
    "RPOP",
    "SADD",
    "HSET",
    "SPOP",
    "ZADD",
    "ZPOPMIN",
    "LPUSH (needed to benchmark LRANGE)",
    "LRANGE_100 (first 100 elements)",
    "LRANGE_300 (first 300 elements)",
    "LRANGE_500 (first 500 elements)",
    "LRANGE_600 (first 600 elements)",
    "MSET (10 keys)",
    "XADD",
];

#[test]
fn a_document_is_reported_byte_for_byte_as_the_run_was() {
    let (server, scratch) = (RedisServer::start(), Scratch::new());
    let json = scratch.path("result.json");
    let path = json.to_str().unwrap();
    for load in [
        "-n 103 -P 16 --threads 2 -r 100 -t set,lrange_100",
        "-n 30 -c 3 -k 0 --precision 1 set a __data__ ; get a",
        "-n 103 -r 10 --mix get:8,set:2 --prefill --repeat 2",
        "--rate 1000 --duration 50ms -t set",
    ] {
        for format in FORMATS {
            for style in ["", "-q", "--csv"] {
                let output = format!("--format {format} {style}");
                let ran = rbench(&server.arguments(&format!("{output} --json {path} {load}"))).succeeded();
                let again = rbench(&words(&format!("report {path} {output}"))).succeeded();
                assert!(!ran.stdout.is_empty());
                assert_eq!(again.stdout, ran.stdout, "{output} {load}");
            }
        }
    }
}

#[test]
fn the_document_on_stdout_is_the_document_in_the_file() {
    let (server, scratch) = (RedisServer::start(), Scratch::new());
    let json = scratch.path("result.json");
    let ran = rbench(&server.arguments(&format!("-n 50 -t set --format json --json {}", json.display()))).succeeded();
    assert_eq!(ran.stdout, std::fs::read_to_string(&json).unwrap());
    let files = std::fs::read_dir(json.parent().unwrap()).unwrap().count();
    assert_eq!(files, 1, "nothing half-written is left beside it");
}

/// A number with this many decimals and nothing else: no sign, no exponent, no `inf`, no `nan`.
#[track_caller]
fn number(text: &str, decimals: usize) -> f64 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    assert!(!whole.is_empty() && digits(whole) && digits(fraction) && fraction.len() == decimals, "{text:?}");
    text.parse().unwrap()
}

/// What stands between `before` and `after` on a line, blanks aside.
#[track_caller]
fn between<'a>(line: &'a str, before: &str, after: &str) -> &'a str {
    let found = line.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    found.unwrap_or_else(|| panic!("{line:?} is not {before:?} ... {after:?}")).trim()
}

/// A line such as `99.000% <= 0.207 milliseconds (cumulative count 990)`.
#[track_caller]
fn latency_line(line: &str) -> (f64, f64, u64) {
    let (percent, rest) = line.split_once("% <= ").unwrap_or_else(|| panic!("{line:?}"));
    let (millis, rest) = rest.split_once(" milliseconds (cumulative count ").unwrap_or_else(|| panic!("{line:?}"));
    (number(percent, 3), number(millis, 3), between(rest, "", ")").parse().unwrap())
}

/// Reads a section of a report of 6.2 and later as a parser would that knows nothing but the order of lines.
fn read_section<'a>(lines: &mut impl Iterator<Item = &'a str>, title: &str, requests: u64, threads: Option<u32>) {
    let mut next = || lines.next().unwrap_or_else(|| panic!("{title} ends early"));
    assert_eq!(next(), format!("====== {title} ======"));
    let seconds = between(next(), &format!("  {requests} requests completed in "), " seconds");
    number(seconds, 2);
    assert_eq!(next(), "  5 parallel clients");
    assert_eq!(next(), "  3 bytes payload");
    assert_eq!(next(), "  keep alive: 1");
    assert_eq!(next(), "  host configuration \"save\": ");
    assert_eq!(next(), "  host configuration \"appendonly\": no");
    match threads {
        None => assert_eq!(next(), "  multi-thread: no"),
        Some(threads) => {
            assert_eq!(next(), "  multi-thread: yes");
            assert_eq!(next(), format!("  threads: {threads}"));
        }
    }
    assert_eq!(next(), "");
    for (heading, last_lines) in
        [("Latency by percentile distribution:", 2), ("Cumulative distribution of latencies:", 1)]
    {
        assert_eq!(next(), heading);
        let mut rows = Vec::new();
        loop {
            match next() {
                "" => break,
                line => rows.push(latency_line(line)),
            }
        }
        let rising = |of: fn(&(f64, f64, u64)) -> f64| rows.is_sorted_by(|one, other| of(one) <= of(other));
        assert!(rising(|row| row.0) && rising(|row| row.1) && rising(|row| row.2 as f64), "{title}: {rows:?}");
        let whole = rows.iter().filter(|row| row.2 == requests).count();
        assert!(whole >= last_lines, "{title}: {rows:?}");
        assert_eq!(rows.last().map(|row| (row.0, row.2)), Some((100.0, requests)), "{title}");
    }
    assert_eq!(next(), "Summary:");
    assert!(number(between(next(), "  throughput summary: ", " requests per second"), 2) > 0.0);
    assert_eq!(next(), "  latency summary (msec):");
    assert_eq!(next(), "          avg       min       p50       p95       p99       max");
    let row = next();
    assert!(row.len() >= 63, "six columns of nine behind four blanks: {row:?}");
    let columns: Vec<f64> = row.split_whitespace().map(|column| number(column, 3)).collect();
    let [avg, min, p50, p95, p99, max] = columns[..] else { panic!("{row:?}") };
    assert!([min, p50, p95, p99, max].is_sorted() && min <= avg && avg <= max, "{row:?}");
}

#[test]
fn the_report_of_redis_7_has_its_lines_in_their_order() {
    let server = RedisServer::start();
    for (flags, threads) in [("", None), ("--threads 1", Some(1)), ("--threads 4", Some(4))] {
        let ran = rbench(&server.arguments(&format!("-n 123 -c 5 {flags}"))).succeeded();
        let mut lines = ran.stdout.lines();
        for title in SUITE {
            read_section(&mut lines, title, 123, threads);
        }
        assert_eq!(lines.collect::<Vec<_>>(), [""], "one empty line ends the suite");
    }
}

/// 5.0 and 6.0: latency lines in milliseconds, then the rate, then an empty line.
#[test]
fn the_reports_of_redis_5_and_6_have_their_lines_in_their_order() {
    let server = RedisServer::start();
    for (format, header_lines, decimals) in [("redis-5", 5, 0), ("redis-6", 8, 1)] {
        let ran = rbench(&server.arguments(&format!("-n 200 -c 5 -t set,get --format {format}"))).succeeded();
        let mut lines = ran.stdout.lines();
        for title in ["SET", "GET"] {
            let header: Vec<&str> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
            assert_eq!(header.len(), header_lines, "{header:?}");
            assert_eq!(header[0], format!("====== {title} ======"));
            number(between(header[1], "  200 requests completed in ", " seconds"), 2);
            let mut rows: Vec<&str> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
            let rate = rows.pop().unwrap();
            assert!(number(between(rate, "", " requests per second"), 2) > 0.0);
            for row in &rows {
                let (percent, millis) = row.split_once("% <= ").unwrap();
                number(percent, 2);
                let millis = between(millis, "", " milliseconds");
                // From 2 ms on redis 6.0 prints whole milliseconds.
                number(millis, if millis.contains('.') { decimals } else { 0 });
            }
            assert!(rows.last().unwrap().starts_with("100.00% <= "), "{rows:?}");
        }
        assert_eq!(lines.collect::<Vec<_>>(), [""]);
    }
}

#[test]
fn a_line_of_the_quiet_report_is_title_rate_and_median() {
    let server = RedisServer::start();
    let read = |flags: &str, after: &str| {
        let ran = rbench(&server.arguments(&format!("-n 200 -c 5 {flags}"))).succeeded();
        let mut lines: Vec<&str> = ran.stdout.lines().collect();
        assert_eq!(lines.pop(), Some(""), "the end of the suite");
        assert_eq!(lines.len(), SUITE.len());
        for (line, title) in lines.into_iter().zip(SUITE) {
            // Parsers take what follows the last CR.
            let line = line.rsplit('\r').next().unwrap();
            let rest = between(line, &format!("{title}: "), after);
            match rest.split_once(" requests per second, p50=") {
                Some((rate, median)) => assert!(number(rate, 2) > 0.0 && number(median, 3) >= 0.0),
                None => assert!(number(rest, 2) > 0.0),
            }
        }
    };
    read("-q", " msec");
    read("--format quiet", " msec");
    read("-q --format redis-6", " requests per second");
    read("-q --format redis-5", " requests per second");
}

#[test]
fn comma_separated_values_are_quoted_and_alone() {
    let server = RedisServer::start();
    let header = "\"test\",\"rps\",\"avg_latency_ms\",\"min_latency_ms\",\"p50_latency_ms\",\"p95_latency_ms\",\
                  \"p99_latency_ms\",\"max_latency_ms\"";
    for (flags, columns) in
        [("--csv", 8), ("-q --csv", 8), ("--csv --format redis-5", 2), ("--csv --format redis-6", 2)]
    {
        let ran = rbench(&server.arguments(&format!("-n 100 -c 5 {flags}"))).succeeded();
        let mut lines: Vec<&str> = ran.stdout.lines().collect();
        if columns == 8 {
            assert_eq!(lines.remove(0), header);
        }
        assert_eq!(lines.len(), SUITE.len(), "{}", ran.stdout);
        for (line, title) in lines.into_iter().zip(SUITE) {
            let fields: Vec<&str> = between(line, "\"", "\"").split("\",\"").collect();
            assert_eq!((fields.len(), fields[0]), (columns, title));
            assert!(number(fields[1], 2) > 0.0);
            for field in &fields[2..] {
                number(field, 3);
            }
        }
    }
}

/// The original prints `inf` for what takes less than a millisecond, and rounds up to 250 ms with threads.
#[test]
fn the_rate_of_a_short_run_is_requests_by_time() {
    let (server, scratch) = (RedisServer::start(), Scratch::new());
    let json = scratch.path("result.json");
    let mut elapsed_ns_min = u64::MAX;
    for load in ["-n 1 -c 1", "-n 20 --threads 4", "-n 2000 -c 5 --threads 4", "-n 1 -c 50 --threads 2"] {
        for _ in 0..5 {
            let ran = rbench(&server.arguments(&format!("{load} -t set -q --json {}", json.display()))).succeeded();
            let result = &document(&json)["results"][0];
            let (completed, elapsed_ns) =
                (result["completed"].as_f64().unwrap(), result["elapsed_ns"].as_u64().unwrap());
            let rate = completed * 1e9 / elapsed_ns as f64;
            let printed = number(ran.stdout[5..].split(' ').next().unwrap(), 2);
            assert!((printed - rate).abs() <= 0.01 + rate * 1e-6, "{printed} is not {rate}");
            // Nothing but the slowest request can be longer than the run.
            assert!(result["service_time"]["min"].as_u64().unwrap() <= elapsed_ns);
            if load.contains("-n 20 ") {
                elapsed_ns_min = elapsed_ns_min.min(elapsed_ns);
            }
        }
    }
    // Twenty requests, five times: if all of them took a quarter of a second, it was not the server.
    assert!(elapsed_ns_min < 250_000_000, "{elapsed_ns_min}");
}

/// Five clients wait for a server that sleeps 0.7 s for each: the last of them waits 3.5 s. The original cuts off at 3 s,
/// and so do the reports that are made in its likeness; the document does not.
#[test]
fn a_stall_of_more_than_three_seconds_is_told_in_full() {
    let (server, scratch) = (RedisServer::start(), Scratch::new());
    let json = scratch.path("result.json");
    let line = format!("-n 5 -c 5 --json {} debug sleep 0.7", json.display());
    rbench(&server.arguments(&line)).succeeded();
    let service = &document(&json)["results"][0]["service_time"];
    assert_eq!(service["count"], 5);
    assert!(service["max"].as_u64().unwrap() >= 3_500_000_000, "{service:#}");
}

/// The same from outside: whoever was in flight when the server stopped is charged with the whole stop.
#[test]
fn a_server_that_stops_and_goes_on_charges_every_client() {
    let (server, scratch) = (RedisServer::start(), Scratch::new());
    let json = scratch.path("result.json");
    let running = start(&server.arguments(&format!("-n 1000000000 -c 8 -t set --json {}", json.display())));
    wait_until("the load is on its way", || server.calls_of("set") > 100);
    server.signal(Signal::STOP);
    // Not a wait for something to happen: the length of the stop is what is measured.
    std::thread::sleep(std::time::Duration::from_secs(1));
    server.signal(Signal::CONT);
    let before = server.calls_of("set");
    wait_until("the load goes on", || server.calls_of("set") > before + 100);
    running.signal(Signal::INT);
    assert_eq!(running.end().code, Some(130));
    let result = &document(&json)["results"][0];
    assert!(result["service_time"]["max"].as_u64().unwrap() >= 900_000_000, "{}", result["service_time"]);
    let intervals = result["timeline"]["intervals"].as_array().unwrap();
    let counted: u64 = intervals.iter().map(|interval| interval["completed"].as_u64().unwrap()).sum();
    assert_eq!(Json::from(counted), result["completed"], "every reply is in some second");
    assert_eq!(result["service_time"]["count"], result["completed"]);
}

#[test]
fn the_document_says_what_was_run_and_against_whom() {
    let (server, scratch) = (RedisServer::start(), Scratch::new());
    let json = scratch.path("result.json");
    let line =
        format!("-n 64 -c 3 -P 2 --threads 2 -r 10 -d 7 --dbnum 1 --seed 42 -3 -t set,get --json {}", json.display());
    rbench(&server.arguments(&line)).succeeded();
    let document = document(&json);
    assert_eq!(document["seed"], 42);
    for (name, value) in [("clients", 3), ("pipeline", 2), ("threads", 2), ("key_count", 10), ("data_bytes", 7)] {
        assert_eq!(document["config"][name], value, "{name}");
    }
    assert_eq!(document["config"]["protocol"], "resp3");
    assert_eq!(document["targets"][0]["server"]["run_id"].as_str().map(str::len), Some(40));
    let version = document["targets"][0]["server"]["version"].as_str().unwrap();
    assert!(version.split('.').count() == 3, "{version}");
    for (result, title) in document["results"].as_array().unwrap().iter().zip(["SET", "GET"]) {
        assert_eq!(result["title"], title);
        for counted in [&result["requested"], &result["sent"], &result["completed"], &result["service_time"]["count"]] {
            assert_eq!(*counted, 64);
        }
        assert_eq!(result["end"], "completed");
    }
}

#[test]
fn the_embedded_server_runs_the_suite_with_nothing_else_installed() {
    let ran = rbench(&words("--embedded -q -n 100 -c 5")).succeeded();
    let titles: Vec<&str> = ran.stdout.lines().filter_map(|line| Some(line.split_once(": ")?.0)).collect();
    assert_eq!(titles, SUITE);
    let ran = rbench(&words("--embedded -n 1003 -P 16 -r 1000 --threads 2 -t set,get,mget --csv")).succeeded();
    assert_eq!(ran.stdout.lines().count(), 4);
}

#[test]
fn the_embedded_server_alone_keeps_what_it_is_given() {
    let mut serve = support::program::command(&words("serve --port 0"));
    let mut process = serve.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let served = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut line = String::new();
        let stdout = process.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
        let port = line.trim_end().rsplit(':').next().unwrap().to_owned();
        rbench(&["-p", &port, "-q", "-n", "50", "-d", "10", "set", "a", "__data__"]).succeeded();
        let said = std::process::Command::new("redis-cli").args(["-p", &port, "get", "a"]).output();
        let said = said.expect("these tests need redis-cli (scripts/test installs it)").stdout;
        assert_eq!(String::from_utf8(said).unwrap(), "VXKeHogKgJ\n");
        rustix::process::kill_process(rustix::process::Pid::from_child(&process), Signal::INT).unwrap();
        wait_until("the server ends", || process.try_wait().unwrap().is_some());
    }));
    let _ = process.kill();
    let _ = process.wait();
    served.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}
