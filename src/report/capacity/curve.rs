//! The curve of a search: each rate that was tried, with what came of it.

use crate::result::capacity::Step;
use crate::units::Nanos;

/// Columns of the chart.
const WIDTH: usize = 48;

/// The column of the mark where the promise ends.
const MARK: usize = 24;

/// The steps in the order of their rates; of those that are the same the later one last.
pub fn by_rate(steps: &[Step]) -> Vec<&Step> {
    let mut sorted: Vec<&Step> = steps.iter().collect();
    sorted.sort_by(|one, other| one.offered.0.total_cmp(&other.offered.0));
    sorted
}

/// Milliseconds, or a dash.
pub fn ms(latency: Option<Nanos>) -> String {
    latency.map_or_else(|| "-".to_owned(), |it| format!("{:.3}", it.0 as f64 / 1e6))
}

/// A share of a core in percent, or a dash.
pub fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.0}%", share * 100.0))
}

/// What there is to tell of a rate, in columns. The last says what came of it.
pub const COLUMNS: [&str; 10] =
    ["offered", "answered", "p50 (ms)", "p99", "p99.9", "errors", "server", "proxy", "client", ""];

pub fn cells(step: &Step) -> [String; COLUMNS.len()] {
    [
        rate(step.offered.0),
        rate(step.achieved.0),
        ms(step.p50_ns),
        ms(step.p99_ns),
        ms(step.p999_ns),
        step.errors.to_string(),
        percent(step.server_busy),
        percent(step.proxy_busy),
        percent(step.client_busy),
        step.verdict.clone(),
    ]
}

/// A rate, its thousands apart.
pub fn rate(rate: f64) -> String {
    let digits = format!("{rate:.0}");
    let mut told = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            told.push(',');
        }
        told.push(digit);
    }
    told
}

/// A bar that reaches the mark where the promise is just kept; one that does not fit ends in an arrow.
pub fn bar(strain: Option<f64>) -> String {
    let Some(strain) = strain else { return String::new() };
    let length = ((strain * MARK as f64).round().max(1.0) as usize).min(WIDTH);
    let symbol = |column: usize| match column {
        MARK => '|',
        _ if column >= length => ' ',
        _ if column == WIDTH - 1 => '>',
        _ => '#',
    };
    (0..length.max(MARK + 1)).map(symbol).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_reaches_the_mark_where_the_promise_ends() {
        assert_eq!(bar(Some(0.5)), format!("{}{}|", "#".repeat(12), " ".repeat(12)));
        assert_eq!(bar(Some(1.5)).matches('#').count(), 35, "the mark stands in its place");
        assert!(bar(Some(1e9)).ends_with('>') && bar(Some(1e9)).chars().count() == WIDTH);
        assert!(bar(Some(0.0)).starts_with('#'), "what was measured shows");
        assert_eq!(bar(None), "");
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([0.0, 999.6, 1000.0, 1_234_567.0].map(rate), ["0", "1,000", "1,000", "1,234,567"]);
    }
}
