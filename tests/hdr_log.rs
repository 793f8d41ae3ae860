//! The log of histograms, read back as its viewers read it and held against the document.

mod support;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use support::{Scratch, document, rbench, start, wait_until, words};

/// What is in a log for one tag.
struct Series {
    /// All intervals together.
    merged: Histogram<u64>,
    /// Start, length and count of each.
    intervals: Vec<(Duration, Duration, u64)>,
}

/// A log: when it began, and its series by tag.
struct Log {
    start: Duration,
    series: BTreeMap<String, Series>,
}

impl Log {
    #[track_caller]
    fn read(path: &Path) -> Log {
        let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (mut start, mut base, mut series) = (None, None, BTreeMap::<String, Series>::new());
        for entry in IntervalLogIterator::new(&text) {
            match entry.expect("a line of a log") {
                LogEntry::StartTime(time) => start = Some(time),
                LogEntry::BaseTime(time) => base = Some(time),
                LogEntry::Interval(line) => {
                    let bytes = BASE64.decode(line.encoded_histogram()).expect("base64");
                    let histogram: Histogram<u64> =
                        Deserializer::new().deserialize(&mut bytes.as_slice()).expect("a histogram");
                    let max_ms = histogram.max() as f64 / 1e6;
                    assert!((line.max() - max_ms).abs() <= 0.0005, "{} is not {max_ms}", line.max());
                    let tag = line.tag().expect("every line has a tag").as_str().to_owned();
                    let series = series.entry(tag).or_insert_with(|| Series {
                        merged: Histogram::new(histogram.sigfig()).expect("as exact as what is in it"),
                        intervals: Vec::new(),
                    });
                    series.merged.add(&histogram).expect("it grows");
                    series.intervals.push((line.start_timestamp(), line.duration(), histogram.len()));
                }
            }
        }
        assert_eq!(start, base);
        Log { start: start.expect("a log says when it began"), series }
    }

    fn tags(&self) -> Vec<&str> {
        self.series.keys().map(String::as_str).collect()
    }
}

impl Series {
    /// The same count and the same percentiles as the histogram that the document has of the whole test.
    #[track_caller]
    fn is(&self, kept: &Value) {
        assert_eq!(self.intervals.iter().map(|interval| interval.2).sum::<u64>(), kept["count"], "{kept:#}");
        for (name, nanos) in kept["percentiles"].as_object().expect("percentiles") {
            let percentile: f64 = name.parse().expect("a percentile");
            assert_eq!(self.merged.value_at_percentile(percentile), *nanos, "p{name}");
        }
        for ((start, length, _), (next, ..)) in self.intervals.iter().zip(self.intervals.iter().skip(1)) {
            // Both are told to the millisecond.
            let gap = next.as_secs_f64() - (*start + *length).as_secs_f64();
            assert!(gap > -0.0025, "one begins {gap} s before the end of the other");
        }
    }
}

/// The document and the log of a run.
fn run(line: &str) -> (Value, Log) {
    let scratch = Scratch::new();
    let (json, log) = (scratch.path("result.json"), scratch.path("run.hlog"));
    let kept = format!("--embedded --json {} --hdr-log {}", json.display(), log.display());
    rbench(&words(&format!("{kept} {line}"))).succeeded();
    assert_eq!(fs::read_dir(json.parent().unwrap()).unwrap().count(), 2, "nothing half-written is left");
    (document(&json), Log::read(&log))
}

#[test]
fn every_reply_is_in_the_log_once() {
    for shape in ["", "-P 16", "--threads 2", "--warmup 150ms"] {
        let (document, log) = run(&format!("-t set -n 20000 -c 5 --interval 50ms {shape}"));
        assert_eq!(log.tags(), ["service"], "{shape}");
        let result = &document["results"][0];
        assert_eq!(result["completed"], 20_000);
        log.series["service"].is(&result["service_time"]);
    }
}

#[test]
fn an_open_loop_is_logged_from_sent_and_from_due() {
    let (document, log) =
        run("-t set -c 5 --rate 2000 --duration 500ms --warmup 200ms --cooldown 200ms --interval 100ms");
    assert_eq!(log.tags(), ["response", "service"]);
    let result = &document["results"][0];
    log.series["service"].is(&result["service_time"]);
    log.series["response"].is(&result["response_time"]);
    // The part of 500 ms that is measured, in slices of 100 ms; perhaps one more for the last replies.
    let intervals = &log.series["service"].intervals;
    assert!((5..=6).contains(&intervals.len()), "{intervals:?}");
    let (first, last) = (intervals[0], intervals[intervals.len() - 1]);
    let length = last.0 + last.1 - first.0;
    assert!((0.499..0.65).contains(&length.as_secs_f64()), "{intervals:?}");
    // Connections are made in no time; then there is the warm-up.
    assert!((0.2..2.0).contains(&first.0.as_secs_f64()), "{intervals:?}");
    let start = Duration::from_nanos(document["time"]["start_unix_ns"].as_u64().unwrap());
    assert!(log.start.abs_diff(start) < Duration::from_millis(1), "{:?} is not {start:?}", log.start);
    let end = UNIX_EPOCH + log.start + last.0;
    assert!(end < SystemTime::now() && end > SystemTime::now() - Duration::from_secs(60));
}

#[test]
fn tests_of_one_run_are_told_apart_by_their_tags() {
    let (document, log) = run("-t ping,lrange_100 -n 3000 -c 5 --interval 20ms");
    assert_eq!(
        log.tags(),
        [
            "LPUSH_(needed_to_benchmark_LRANGE).service",
            "LRANGE_100_(first_100_elements).service",
            "PING_INLINE.service",
            "PING_MBULK.service"
        ]
    );
    let mut ended = Duration::ZERO;
    for result in document["results"].as_array().unwrap() {
        let series = &log.series[&format!("{}.service", result["title"].as_str().unwrap().replace(' ', "_"))];
        series.is(&result["service_time"]);
        let (first, last) = (series.intervals[0], series.intervals[series.intervals.len() - 1]);
        assert!(first.0 + Duration::from_millis(2) >= ended, "tests follow each other");
        ended = last.0 + last.1;
    }
}

/// The server says nothing for 600 ms in every second: the slices in which no reply came are there, and are empty.
#[test]
fn a_silence_is_in_the_log() {
    let scratch = Scratch::new();
    let log = scratch.path("run.hlog");
    let line = format!(
        "--embedded=stall:600ms@every:1s -t set -c 2 --duration 2s --interval 100ms --hdr-log {}",
        log.display()
    );
    rbench(&words(&line)).succeeded();
    let log = Log::read(&log);
    let counts: Vec<u64> = log.series["service"].intervals.iter().map(|interval| interval.2).collect();
    assert!(counts.windows(4).any(|four| four == [0; 4]), "{counts:?}");
    assert!(counts.len() >= 20, "{counts:?}");
}

#[test]
fn an_interrupted_run_keeps_what_it_has() {
    let scratch = Scratch::new();
    let (json, log) = (scratch.path("result.json"), scratch.path("run.hlog"));
    fs::write(&log, "of another run").unwrap();
    let kept = format!("--json {} --hdr-log {}", json.display(), log.display());
    let running = start(&words(&format!("--embedded -t set,get -n 1000000000 -c 5 --interval 10ms {kept}")));
    let part = scratch.path(&format!("run.hlog.{}.part", running.id()));
    wait_until("lines are written", || fs::metadata(&part).is_ok_and(|part| part.len() > 0));
    assert_eq!(fs::read_to_string(&log).unwrap(), "of another run", "until there is a new one");
    running.signal(Signal::INT);
    running.end().ended(130);
    assert!(!part.exists());
    let (document, log) = (document(&json), Log::read(&log));
    assert_eq!(document["results"].as_array().map(Vec::len), Some(1));
    assert_eq!(log.tags(), ["SET.service"]);
    log.series["SET.service"].is(&document["results"][0]["service_time"]);
}

#[test]
fn a_failed_run_keeps_what_it_has() {
    let scratch = Scratch::new();
    let (json, log) = (scratch.path("result.json"), scratch.path("run.hlog"));
    let kept = format!("--json {} --hdr-log {}", json.display(), log.display());
    rbench(&words(&format!("--embedded=error:READONLY:0.001 -t set -n 1000000 -c 5 {kept}"))).failed(1, &["READONLY"]);
    Log::read(&log).series["service"].is(&document(&json)["results"][0]["service_time"]);
}

#[test]
fn a_log_that_could_not_be_written_is_known_before_anything_is_measured() {
    let scratch = Scratch::new();
    for path in [scratch.path("no/such/run.hlog"), scratch.path("")] {
        let path = path.to_str().unwrap();
        let ran = rbench(&words(&format!("--embedded -n 5 -t set --hdr-log {path}"))).failed(1, &[path]);
        assert_eq!(ran.stdout, "");
    }
    let path = scratch.path("same");
    let line = format!("--embedded --json {0} --hdr-log {0}", path.display());
    rbench(&words(&line)).failed(2, &["--json", "--hdr-log"]);
}

/// A disk that is full ends the run, and leaves no part of a log.
#[test]
fn a_log_that_cannot_be_written_any_more_ends_the_run() {
    let ran = rbench(&words("--embedded -t set,get -n 20000 -q --interval 10ms --hdr-log /dev/full"));
    ran.failed(1, &["/dev/full", "No space left"]);
}

#[test]
fn a_run_that_does_not_begin_leaves_the_log_of_another() {
    let scratch = Scratch::new();
    let log = scratch.path("run.hlog");
    fs::write(&log, "of another run").unwrap();
    rbench(&words(&format!("-p 1 -t set --hdr-log {}", log.display()))).ended(3);
    assert_eq!(fs::read_to_string(&log).unwrap(), "of another run");
}
