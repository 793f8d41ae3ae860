//! Grammars of values that flags share.

use crate::report::{FORMATS, Format};
use std::time::Duration;

/// A whole number in `min..=max`.
pub fn whole(text: &str, min: u64, max: u64) -> Result<u64, String> {
    let range = || format!("expected a whole number from {min} to {max}");
    match text.parse::<u64>() {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        _ => Err(range()),
    }
}

/// A time: `5`, `0.5`, `5s`, `500ms`, `2m`. Without a unit it is in seconds.
pub fn time(text: &str) -> Result<Duration, String> {
    let split = text.find(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let seconds = match unit {
        "" | "s" => 1.0,
        "ms" => 1e-3,
        "us" => 1e-6,
        "m" => 60.0,
        "h" => 3600.0,
        _ => f64::NAN,
    } * number.parse().unwrap_or(f64::NAN);
    // The upper bound keeps sums of times within 64 bits of nanoseconds.
    if seconds > 0.0 && seconds <= 86_400.0 * 365.0 {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("expected a time above zero, such as 5, 0.5, 500ms or 2m".to_owned())
    }
}

/// The name of a report.
pub fn format(text: &str) -> Result<&'static Format, String> {
    let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
    Format::named(text).ok_or_else(|| format!("known formats: {}", names.join(", ")))
}

/// What `--help` says of formats.
pub fn formats_help() -> String {
    let about: Vec<String> = FORMATS.iter().map(|format| format!("{}: {}", format.name, format.about)).collect();
    format!("How to print results [default: {}]\n{}", FORMATS[0].name, about.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_whole_and_in_range() {
        assert_eq!(whole("100", 1, 100), Ok(100));
        for junk in ["0", "101", "-1", "1e3", "10k", "", " 5", "99999999999999999999"] {
            assert!(whole(junk, 1, 100).is_err(), "{junk:?}");
        }
    }

    #[test]
    fn times_have_units() {
        for (text, millis) in [("5", 5000), ("0.5", 500), ("500ms", 500), ("2m", 120_000), ("1h", 3_600_000)] {
            assert_eq!(time(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for junk in ["0", "-1", "abc", "5x", "", "nan", "inf", "1e300"] {
            assert!(time(junk).is_err(), "{junk:?}");
        }
    }
}
