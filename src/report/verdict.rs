//! Who was the limit, and what to know before the figures are believed.

use crate::result::TestResult;
use crate::stats::Bottleneck;
use crate::stats::warning::{Code, Warning};
use std::io::{self, Write};

/// The lines under the row of a result. Nothing when nobody judged it.
pub fn write(result: &TestResult, out: &mut dyn Write) -> io::Result<()> {
    told(result).try_for_each(|line| writeln!(out, "  {line}"))
}

/// The same for stderr, beside a report that has no room for them: each line with the `label` of the test.
pub fn lines(label: &str, result: &TestResult) -> Vec<String> {
    told(result).map(|line| format!("{label}: {line}")).collect()
}

fn told(result: &TestResult) -> impl Iterator<Item = String> {
    let warnings = result.warnings.iter().filter(|warning| !is_told_at_the_end(warning));
    result.verdict.iter().map(limit).chain(warnings.map(|warning| format!("warning: {}", warning.text)))
}

/// Such as `limit: client (load-0 97 % of a core; server 61 %): add --threads 2`.
fn limit(verdict: &Bottleneck) -> String {
    let Bottleneck { limit, text, advice, .. } = verdict;
    let because = if text.is_empty() { String::new() } else { format!(" ({text})") };
    format!("limit: {limit}{because}: {advice}")
}

/// [`reads::warnings`](super::reads::warnings) tells of reads that found nothing, of all tests at once.
fn is_told_at_the_end(warning: &Warning) -> bool {
    warning.code == Code::LowHitRate
}
