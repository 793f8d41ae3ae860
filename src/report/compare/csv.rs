//! For a spreadsheet: nanoseconds, and requests per second.

use super::figures::VOID;
use crate::result::Document;
use std::io::{self, Write};

const COLUMNS: [&str; 16] = [
    "test",
    "reference",
    "path",
    "metric",
    "is_primary",
    "rounds",
    "reference_value",
    "path_value",
    "ratio",
    "ratio_low",
    "ratio_high",
    "change",
    "change_low",
    "change_high",
    "verdict",
    "rounds_to_settle",
];

pub fn write(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\"{}\"", COLUMNS.join("\",\""))?;
    let Some(compare) = &document.compare else { return Ok(()) };
    for compared in &compare.comparisons {
        for metric in &compared.metrics {
            let comparison = &metric.comparison;
            let (ratio, change) = (&comparison.ratio, &comparison.difference);
            let texts = [
                compared.test.replace('"', "\"\""),
                compare.name(compare.reference).to_owned(),
                compare.name(compared.path).to_owned(),
                metric.metric.name().to_owned(),
                (metric.metric == compare.primary).to_string(),
                compared.rounds.to_string(),
            ];
            let values = [Some(metric.reference), Some(metric.other)];
            let numbers = values.into_iter().chain(
                [ratio, change].into_iter().flat_map(|estimate| [Some(estimate.value), estimate.low, estimate.high]),
            );
            let numbers = numbers.map(|number| number.map_or_else(String::new, |number| format!("{number:.6}")));
            let rest = [
                if compare.is_void() { VOID.to_owned() } else { comparison.verdict.to_string() },
                comparison.rounds_to_settle.map_or_else(String::new, |rounds| rounds.to_string()),
            ];
            let all: Vec<String> = texts.into_iter().chain(numbers).chain(rest).collect();
            writeln!(out, "\"{}\"", all.join("\",\""))?;
        }
    }
    Ok(())
}
