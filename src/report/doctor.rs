//! What the doctor found, in text: a line for each finding, and below it the remedy.

use crate::observe::doctor::{Finding, Level};
use std::io::{self, Write};

/// A line for each finding, begun by its mark. A remedy has a line of its own, so that it can be taken as it is.
pub fn text(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    for Finding { code, level, finding, remedy } in findings {
        writeln!(out, "{:<8} {code:<26} {finding}", level.name())?;
        if let Some(remedy) = remedy {
            writeln!(out, "{:36}{remedy}", "")?;
        }
    }
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let of = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    writeln!(out, "{}, {}", of(count(Level::Problem), "problem"), of(count(Level::Note), "note"))
}

/// The findings as a list of objects.
pub fn json(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, findings)?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remedy_stands_below_its_finding_and_can_be_pasted() {
        let finding = |level, remedy: Option<&str>| Finding {
            code: "swap",
            level,
            finding: "found".to_owned(),
            remedy: remedy.map(str::to_owned),
        };
        let mut told = Vec::new();
        text(&[finding(Level::Ok, None), finding(Level::Note, Some("sudo true"))], &mut told).unwrap();
        let expected = format!(
            "ok       swap                       found\nnote     swap                       found\n{:36}sudo true\n\
             0 problems, 1 note\n",
            ""
        );
        assert_eq!(String::from_utf8(told).unwrap(), expected);
    }
}
