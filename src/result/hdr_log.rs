//! A run as a log of histograms, one for each interval, in the format of HdrHistogram's `HistogramLogWriter`: what its
//! viewers and `HistogramLogProcessor` read.

use crate::recording::{Counts, Latencies};
use crate::units::Nanos;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{
    IntervalLogWriter, IntervalLogWriterBuilder, IntervalLogWriterError, Tag,
};
use std::io::{self, Write};
use std::ops::Range;
use std::time::{Duration, UNIX_EPOCH};

/// The format that the first comment names, as the viewers' own writer does.
const FORMAT: &str = "[Histogram log format version 1.3]";

/// What is in the lines, for whoever reads the file itself.
const ABOUT: &str = "[Latencies in nanoseconds of replies that are no errors; Interval_Max in milliseconds; \
                     Tag=service: from sent, Tag=response: from due; warm-up and cool-down are left out]";

/// The line above the columns. The library that writes the others leaves it out, and readers pass over it.
const LEGEND: &str = "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"";

/// Interval_Max in milliseconds, as the viewers make of nanoseconds everywhere else.
const NANOS_PER_MAX: f64 = 1e6;

/// The shortest length that the three decimals of a line can tell from none, which viewers would divide by.
const LENGTH_MIN: Nanos = Nanos::from_millis(1);

/// What the lines of one test have in common.
#[derive(Debug)]
pub struct Series {
    /// The tag of each line, and which latencies are in it.
    tags: Vec<(String, Measure)>,
    /// The part of the run that is measured, from its first requests.
    measured: Range<Nanos>,
}

type Measure = fn(&Counts) -> Option<&Latencies>;

impl Series {
    /// The lines of a test that goes by `title` among others, or alone without one, and measures what begins within
    /// `measured`, counted from its first requests. In an open loop there is response time, too.
    pub fn new(title: Option<&str>, is_open_loop: bool, measured: Range<Nanos>) -> Series {
        let service: Measure = |counts| Some(&counts.service);
        let response: Measure = |counts| counts.response.as_ref();
        let tags = [("service", service), ("response", response)];
        let title = title.map_or(String::new(), |title| format!("{}.", tag_of(title)));
        let tags = tags.into_iter().take(if is_open_loop { 2 } else { 1 });
        Series { tags: tags.map(|(name, measure)| (format!("{title}{name}"), measure)).collect(), measured }
    }
}

/// `title` without what would end a tag.
fn tag_of(title: &str) -> String {
    title.replace(|letter: char| letter == ',' || letter.is_whitespace() || letter.is_control(), "_")
}

/// Lines on their way to `W`. Told what happens and when, it writes as it is told: nothing piles up in memory.
pub struct HdrLog<'a, W: Write> {
    writer: IntervalLogWriter<'a, 'a, W, V2DeflateSerializer>,
    /// The time since 1970 that lines are counted from.
    base: Nanos,
    /// Where the last line ended.
    reached: Nanos,
    underway: Option<Underway>,
    /// Whether a line could not be written: there are none after it.
    is_broken: bool,
    /// Why, until somebody asks.
    wrong: Option<io::Error>,
}

/// A test that is being logged.
struct Underway {
    series: Series,
    /// When its first requests were sent, from the base.
    began: Nanos,
    /// The latest slice: how long it is, is known when the next one comes, or the end.
    held: Option<Slice>,
}

struct Slice {
    start: Nanos,
    length: Nanos,
    counts: Counts,
}

impl<'a, W: Write> HdrLog<'a, W> {
    /// Begins a log of a run that began `start` after 1970, by the program named in `about`.
    ///
    /// # Errors
    /// When `out` does not take it.
    pub fn begin(
        out: &'a mut W,
        serializer: &'a mut V2DeflateSerializer,
        about: &str,
        start: Nanos,
    ) -> io::Result<HdrLog<'a, W>> {
        let time = UNIX_EPOCH + Duration::from(start);
        IntervalLogWriterBuilder::new()
            .add_comment(FORMAT)
            .add_comment(&format!("[Logged with {about}]"))
            .add_comment(ABOUT)
            .with_start_time(time)
            // Readers need not guess what lines are counted from.
            .with_base_time(time)
            .begin_log_with(out, serializer)?;
        writeln!(out, "{LEGEND}")?;
        let writer =
            IntervalLogWriterBuilder::new().with_max_value_divisor(NANOS_PER_MAX).begin_log_with(out, serializer)?;
        Ok(HdrLog { writer, base: start, reached: Nanos::ZERO, underway: None, is_broken: false, wrong: None })
    }

    /// The next test is this one. What is told between the end of a test and the next one is not logged.
    pub fn expect(&mut self, series: Series) {
        self.underway = Some(Underway { series, began: self.reached, held: None });
    }

    /// Its first requests are sent, at `unix` since 1970.
    pub fn start(&mut self, unix: Nanos) {
        if let Some(underway) = &mut self.underway {
            // Lines are in order, also when the system's clock was set back.
            underway.began = unix.since(self.base).max(self.reached);
        }
    }

    /// A slice of its time is over, of which `counts` is what is measured.
    pub fn interval(&mut self, start: Nanos, length: Nanos, counts: &Counts) {
        let Some(mut underway) = self.underway.take() else { return };
        let measured = &underway.series.measured;
        let is_outside = start + length <= measured.start || start >= measured.end;
        if !is_outside || counts.has_requests() {
            // Time in which nothing happened at all is not told of: a silence is a line, too.
            let first = measured.start.0 / length.0 * length.0;
            let mut next = underway.held.as_ref().map_or(Nanos(first), |held| held.start + held.length);
            while next < start {
                self.hold(&mut underway, Slice { start: next, length, counts: Counts::default() });
                next = next + length;
            }
            self.hold(&mut underway, Slice { start, length, counts: counts.clone() });
        }
        self.underway = Some(underway);
    }

    /// The test is over, and what is measured of it was `measured_until`.
    pub fn end(&mut self, measured_until: Nanos) {
        let Some(mut underway) = self.underway.take() else { return };
        while let Some(held) = &underway.held
            && held.start + held.length < measured_until
        {
            let (start, length) = (held.start + held.length, held.length);
            self.hold(&mut underway, Slice { start, length, counts: Counts::default() });
        }
        if let Some(mut last) = underway.held.take() {
            // A rate is of the time that there was.
            if measured_until > last.start {
                last.length = last.length.min(measured_until - last.start);
            }
            self.write(&underway, last);
        }
    }

    /// Whether every line is there.
    pub fn is_whole(&self) -> bool {
        !self.is_broken
    }

    /// Why not every line is there, for whoever asks first.
    pub fn take_error(&mut self) -> Option<io::Error> {
        self.wrong.take()
    }

    fn hold(&mut self, underway: &mut Underway, slice: Slice) {
        if let Some(before) = underway.held.replace(slice) {
            self.write(underway, before);
        }
    }

    fn write(&mut self, underway: &Underway, slice: Slice) {
        if self.is_broken {
            return;
        }
        let end = slice.start + slice.length;
        let start = slice.start.max(underway.series.measured.start.min(end));
        let length = (end - start).max(LENGTH_MIN);
        let start = underway.began + start;
        self.reached = start + length;
        let nothing = Latencies::default();
        for (tag, measure) in &underway.series.tags {
            let histogram = measure(&slice.counts).unwrap_or(&nothing).histogram();
            let written = self.writer.write_histogram(histogram, start.into(), length.into(), Tag::new(tag));
            if let Err(error) = written {
                self.is_broken = true;
                self.wrong = Some(match error {
                    IntervalLogWriterError::IoError(error) => error,
                    IntervalLogWriterError::SerializeError(error) => io::Error::other(error),
                });
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    const BASE: Nanos = Nanos::from_secs(1_700_000_000);

    fn millis(millis: u64) -> Nanos {
        Nanos::from_millis(millis)
    }

    fn counts(replies: u64) -> Counts {
        let mut counts = Counts { sent: replies, completed: replies, ..Counts::fine() };
        counts.service.record(millis(2), replies);
        counts
    }

    /// What `tell` leaves in a log.
    fn log(tell: impl FnOnce(&mut HdrLog<Vec<u8>>)) -> String {
        let (mut out, mut serializer) = (Vec::new(), V2DeflateSerializer::new());
        let mut log = HdrLog::begin(&mut out, &mut serializer, "rbench 0", BASE).unwrap();
        tell(&mut log);
        assert!(log.take_error().is_none());
        String::from_utf8(out).unwrap()
    }

    /// Tag, start, length in milliseconds, and max, of each line.
    fn lines(text: &str) -> Vec<(String, u128, u128, f64)> {
        IntervalLogIterator::new(text.as_bytes())
            .filter_map(|entry| match entry.expect("a log") {
                LogEntry::Interval(line) => {
                    let tag = line.tag().expect("a tag").as_str().to_owned();
                    Some((tag, line.start_timestamp().as_millis(), line.duration().as_millis(), line.max()))
                }
                _ => None,
            })
            .collect()
    }

    fn starts_and_lengths(text: &str) -> Vec<(u128, u128)> {
        lines(text).into_iter().map(|(_, start, length, _)| (start, length)).collect()
    }

    fn whole() -> Range<Nanos> {
        Nanos::ZERO..Nanos(u64::MAX)
    }

    #[test]
    fn a_log_opens_with_what_its_readers_look_for() {
        let text = log(|log| {
            log.expect(Series::new(None, false, whole()));
            log.start(BASE + millis(5));
            log.interval(Nanos::ZERO, millis(100), &counts(3));
            log.end(millis(60));
        });
        let head: Vec<&str> = text.lines().collect();
        assert_eq!(head[0], "#[Histogram log format version 1.3]");
        assert_eq!(head[1], "#[Logged with rbench 0]");
        assert_eq!(head[3], "#[StartTime: 1700000000.000 (seconds since epoch)]");
        assert_eq!(head[4], "#[BaseTime: 1700000000.000 (seconds since epoch)]");
        assert_eq!(head[5], LEGEND);
        assert!(head[7].starts_with("Tag=service,0.005,0.060,2.000,HISTF"), "{}", head[7]);
        assert_eq!(head.len(), 8);
    }

    #[test]
    fn a_silence_is_lines_of_its_own_between_and_at_the_end() {
        let text = log(|log| {
            log.expect(Series::new(None, false, whole()));
            log.start(BASE);
            log.interval(Nanos::ZERO, millis(100), &counts(3));
            log.interval(millis(300), millis(100), &counts(1));
            log.end(millis(550));
        });
        assert_eq!(starts_and_lengths(&text), [(0, 100), (100, 100), (200, 100), (300, 100), (400, 100), (500, 50)]);
        let max: Vec<f64> = lines(&text).into_iter().map(|line| line.3).collect();
        assert_eq!(max, [2.0, 0.0, 0.0, 2.0, 0.0, 0.0]);
    }

    /// A warm-up of 150 ms, of which the second slice has a half; a cool-down from 350 ms on.
    #[test]
    fn warm_up_and_cool_down_have_no_lines() {
        let text = log(|log| {
            log.expect(Series::new(None, false, millis(150)..millis(350)));
            log.start(BASE);
            log.interval(Nanos::ZERO, millis(100), &counts(0));
            log.interval(millis(300), millis(100), &counts(1));
            log.interval(millis(400), millis(100), &counts(0));
            log.end(millis(350));
        });
        assert_eq!(starts_and_lengths(&text), [(150, 50), (200, 100), (300, 50)]);
    }

    /// A reply in the cool-down to what was sent before it counts.
    #[test]
    fn what_counts_has_a_line_wherever_it_comes() {
        let text = log(|log| {
            log.expect(Series::new(None, false, millis(0)..millis(100)));
            log.start(BASE);
            log.interval(Nanos::ZERO, millis(100), &counts(1));
            log.interval(millis(100), millis(100), &counts(1));
            log.end(millis(100) + Nanos(3));
        });
        assert_eq!(starts_and_lengths(&text), [(0, 100), (100, 1)]);
    }

    #[test]
    fn tests_follow_each_other_whatever_the_clock_does() {
        let text = log(|log| {
            for (title, unix) in [("SET", BASE + millis(10)), ("GET a,b\nc", BASE)] {
                log.expect(Series::new(Some(title), true, whole()));
                log.start(unix);
                log.interval(Nanos::ZERO, millis(100), &counts(1));
                log.end(millis(100));
                // Nobody asked for a log of this one.
                log.start(unix);
                log.interval(Nanos::ZERO, millis(100), &counts(1));
                log.end(millis(100));
            }
        });
        let told: Vec<(String, u128)> = lines(&text).into_iter().map(|(tag, start, ..)| (tag, start)).collect();
        let expected =
            [("SET.service", 10), ("SET.response", 10), ("GET_a_b_c.service", 110), ("GET_a_b_c.response", 110)];
        assert_eq!(told, expected.map(|(tag, start)| (tag.to_owned(), start)));
    }

    #[test]
    fn a_full_disk_is_told_of_once_asked() {
        /// Takes the head, and no line.
        struct Full(usize);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (mut out, mut serializer) = (Full(600), V2DeflateSerializer::new());
        let mut log = HdrLog::begin(&mut out, &mut serializer, "rbench 0", BASE).unwrap();
        log.expect(Series::new(None, false, whole()));
        for index in 0..100 {
            log.interval(millis(100 * index), millis(100), &counts(1));
        }
        log.end(millis(10_000));
        assert_eq!(log.take_error().map(|error| error.kind()), Some(io::ErrorKind::StorageFull));
        assert!(!log.is_whole());
    }
}
