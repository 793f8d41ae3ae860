//! A run with the document that it left.

use super::program::{Ran, Running, start};
use super::{RedisServer, Scratch, document, wait_until};
use rustix::process::Signal;
use serde_json::Value;

/// A run that keeps a document, on its way.
pub struct Measuring {
    pub running: Running,
    scratch: Scratch,
}

/// A run that ended, and its document.
#[derive(Debug)]
pub struct Measured {
    pub ran: Ran,
    pub document: Value,
}

/// Runs the program with `arguments` to its end.
#[track_caller]
pub fn measure(arguments: &[String]) -> Measured {
    Measuring::start(arguments).end()
}

/// Runs the program against `server` to its end.
#[track_caller]
pub fn measure_on(server: &RedisServer, line: &str) -> Measured {
    measure(&server.arguments(line))
}

impl Measuring {
    pub fn start(arguments: &[String]) -> Measuring {
        let scratch = Scratch::new();
        let path = scratch.path("result.json").to_str().expect("our paths are text").to_owned();
        // In front: what follows a command belongs to it.
        let all = [&["--json".to_owned(), path], arguments].concat();
        Measuring { running: start(&all), scratch }
    }

    /// Waits until `fact` holds, for as long as the program runs.
    #[track_caller]
    pub fn until(&mut self, what: &str, mut fact: impl FnMut() -> bool) {
        wait_until(what, || {
            let running = self.running.is_running();
            // The program may have ended well, after what is waited for.
            let holds = fact();
            assert!(holds || running, "the program ended before this: {what}; {:?}", self.running.outputs());
            holds
        });
    }

    /// Waits for the end.
    #[track_caller]
    pub fn end(self) -> Measured {
        let ran = self.running.end();
        let path = self.scratch.path("result.json");
        assert!(path.exists(), "no document: {ran:?}");
        Measured { ran, document: document(&path) }
    }

    /// Ends a run that would go on for ever.
    #[track_caller]
    pub fn interrupt(self) -> Measured {
        self.running.signal(Signal::INT);
        self.end()
    }
}

impl Measured {
    /// The first result.
    pub fn result(&self) -> &Value {
        &self.document["results"][0]
    }

    /// A number in the first result.
    #[track_caller]
    pub fn number(&self, field: &str) -> u64 {
        self.result()[field].as_u64().unwrap_or_else(|| panic!("no number {field}: {:#}", self.result()))
    }

    /// Errors of one kind.
    pub fn errors(&self, kind: &str) -> u64 {
        self.result()["errors"]["by_kind"][kind].as_u64().unwrap_or(0)
    }

    /// Error replies with one code.
    pub fn replies(&self, code: &str) -> u64 {
        self.result()["errors"]["by_reply_code"][code].as_u64().unwrap_or(0)
    }

    /// All errors, by kind.
    pub fn errors_in_all(&self) -> u64 {
        sum(&self.result()["errors"]["by_kind"])
    }

    /// Values in a histogram of the first result.
    #[track_caller]
    pub fn count(&self, histogram: &str) -> u64 {
        let histogram = &self.result()[histogram];
        if histogram.is_null() {
            return 0;
        }
        histogram["count"].as_u64().unwrap_or_else(|| panic!("no histogram: {:#}", self.result()))
    }

    /// Ended with `code`, with each request accounted for once, and latencies of those that were answered only.
    #[track_caller]
    pub fn ended(self, code: i32) -> Measured {
        assert_eq!(self.ran.code, Some(code), "{}{}", self.ran.stdout, self.ran.stderr);
        for result in self.document["results"].as_array().expect("results") {
            let number = |field: &str| result[field].as_u64().unwrap_or_else(|| panic!("no {field}: {result:#}"));
            let errors = |kind: &str| result["errors"]["by_kind"][kind].as_u64().unwrap_or(0);
            let (replies, codes) = (errors("reply"), sum(&result["errors"]["by_reply_code"]));
            assert_eq!(number("sent"), number("completed") + replies + number("unknown"), "{result:#}");
            assert_eq!(result["service_time"]["count"], result["completed"], "{result:#}");
            // A connection may be refused with an error reply, too.
            assert!((replies..=replies + errors("connect_failed")).contains(&codes), "{result:#}");
        }
        self
    }

    /// The policy was to go on, there were errors, and the run went to its end: all requests are sent, and stderr
    /// tells how many errors of each kind there were.
    #[track_caller]
    pub fn went_on(self) -> Measured {
        let measured = self.ended(4);
        let result = measured.result();
        assert_eq!(result["end"], "completed", "{result:#}");
        assert_eq!(result["sent"], result["requested"], "{result:#}");
        assert!(measured.errors_in_all() > 0, "{result:#}");
        // Error replies are told by their code, or all together.
        let stderr = &measured.ran.stderr;
        let tells = |count: &Value| stderr.contains(&count.to_string());
        for (kind, count) in result["errors"]["by_kind"].as_object().expect("kinds") {
            let by_code = || result["errors"]["by_reply_code"].as_object().expect("codes").values().all(tells);
            let told = tells(count) || (kind == "reply" && by_code());
            assert!(told, "{stderr:?} does not tell of {count} times {kind}");
        }
        measured
    }
}

/// The sum of the numbers in an object.
fn sum(counts: &Value) -> u64 {
    counts.as_object().into_iter().flatten().filter_map(|(_, count)| count.as_u64()).sum()
}
