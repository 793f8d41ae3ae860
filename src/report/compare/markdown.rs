//! For a pull request.

use super::figures::{change, how, interval, label, remarks, value, verdict};
use super::text::ends_of;
use crate::result::Document;
use std::io::{self, Write};

pub fn write(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    let Some(compare) = &document.compare else { return Ok(()) };
    for path in &compare.paths {
        for end in ends_of(document, path) {
            writeln!(out, "- {}: {end}", path.name)?;
        }
    }
    writeln!(out)?;
    for compared in &compare.comparisons {
        let (reference, other) = (compare.name(compare.reference), compare.name(compared.path));
        writeln!(out, "### {}: {other} beside {reference}\n", compared.test)?;
        writeln!(out, "{}\n", how(document, compare, compared.rounds))?;
        writeln!(out, "| | {reference} | {other} | ratio | 95 % interval | change | 95 % interval | verdict |")?;
        writeln!(out, "|---|--:|--:|--:|---|--:|---|---|")?;
        for metric in &compared.metrics {
            let (it, comparison) = (metric.metric, &metric.comparison);
            let name = if it == compare.primary { format!("**{}**", label(it)) } else { label(it) };
            let ratio = |ratio: f64| format!("{ratio:.3}");
            let by = |difference: f64| change(it, difference);
            writeln!(
                out,
                "| {name} | {} | {} | {} | {} | {} | {} | {} |",
                value(it, metric.reference),
                value(it, metric.other),
                ratio(comparison.ratio.value),
                interval(&comparison.ratio, ratio),
                by(comparison.difference.value),
                interval(&comparison.difference, by),
                verdict(metric, compare)
            )?;
        }
        writeln!(out)?;
    }
    writeln!(out, "In bold what the comparison is for; the others are exploratory.\n")?;
    for remark in remarks(document, compare) {
        writeln!(out, "- {remark}")?;
    }
    Ok(())
}
