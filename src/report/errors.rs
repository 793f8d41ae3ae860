//! What went wrong in a run that went on: a line for each test, with every kind and code.

use crate::recording::ErrorKind;
use crate::result::{Document, TestResult};

/// A line for each test that had errors, or requests of which nobody knows what became.
pub fn summary(document: &Document) -> Vec<String> {
    let told = document.results.iter().filter(|result| !result.errors.is_empty());
    told.map(|result| line(&document.label(result), result)).collect()
}

fn line(label: &str, result: &TestResult) -> String {
    let errors = &result.errors;
    let codes: Vec<String> = errors.by_reply_code.iter().map(|(code, count)| format!("{code} {count}")).collect();
    // Without replies to requests the codes are of connections that were refused.
    let of_codes = if errors.of_kind(ErrorKind::Reply) > 0 { ErrorKind::Reply } else { ErrorKind::ConnectFailed };
    let kind = |(kind, count): (&ErrorKind, &u64)| match *kind == of_codes && !codes.is_empty() {
        true => format!("{} {count} ({})", kind.name(), codes.join(", ")),
        false => format!("{} {count}", kind.name()),
    };
    let all: Vec<String> = errors.by_kind.iter().map(kind).collect();
    let unknown = match result.unknown {
        0 => String::new(),
        1 => "; what became of 1 request is unknown".to_owned(),
        unknown => format!("; what became of {unknown} requests is unknown"),
    };
    let wrong = errors.first_wrong_value.as_ref().map_or(String::new(), |told| format!("; the first: {told}"));
    let total = errors.total();
    let noun = if total == 1 { "error" } else { "errors" };
    format!("{label}: {total} {noun}: {}{unknown}{wrong}", all.join(", "))
}
