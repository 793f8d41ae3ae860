//! How a promise is written: conditions with commas between them, each a figure, `<` or `<=`, and a limit.

use super::{Condition, Figure, Promise};
use crate::units::kept_as_spelled;
use std::fmt;
use std::str::FromStr;

/// A year: sums of times stay within 64 bits of nanoseconds.
const LONGEST_NS: f64 = 365.0 * 86_400e9;

const UNITS: [(&str, f64); 4] = [("ns", 1.0), ("us", 1e3), ("ms", 1e6), ("s", 1e9)];

impl FromStr for Promise {
    type Err = String;

    fn from_str(text: &str) -> Result<Promise, String> {
        let conditions: Vec<Condition> = text.split(',').map(|it| it.trim().parse()).collect::<Result<_, _>>()?;
        for (index, condition) in conditions.iter().enumerate() {
            if conditions[..index].iter().any(|earlier| earlier.figure == condition.figure) {
                return Err(format!("'{}' is promised twice; say it once", condition.figure));
            }
        }
        Ok(Promise { conditions })
    }
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Condition, String> {
        let shape = || {
            format!(
                "'{text}': expected FIGURE<LIMIT or FIGURE<=LIMIT, such as p99<2ms, p99.9<=10ms, mean<1ms, max<50ms or \
                 errors<0.1%"
            )
        };
        let (name, limit) = text.split_once('<').ok_or_else(shape)?;
        let (or_equal, limit) = limit.strip_prefix('=').map_or((false, limit), |limit| (true, limit));
        let (figure, limit) = (name.trim().parse::<Figure>()?, limit.trim());
        let limit = match figure {
            Figure::Errors => share(limit),
            _ => time(limit),
        };
        let limit = limit.ok_or_else(shape)?;
        if figure == Figure::Errors && limit == 0.0 && !or_equal {
            return Err(format!("'{text}' cannot be kept; no errors at all are errors<=0"));
        }
        Ok(Condition { figure, limit, or_equal })
    }
}

impl FromStr for Figure {
    type Err = String;

    fn from_str(text: &str) -> Result<Figure, String> {
        match text {
            "mean" => return Ok(Figure::Mean),
            "max" => return Ok(Figure::Max),
            "errors" => return Ok(Figure::Errors),
            _ => {}
        }
        let percentile = text.strip_prefix('p').and_then(decimal).filter(|it| (50.0..=99.99).contains(it));
        let unknown = || format!("'{text}' cannot be promised; known: p50 to p99.99, mean, max, errors");
        percentile.map(Figure::Percentile).ok_or_else(unknown)
    }
}

/// A time with its unit, in nanoseconds: a bare number is milliseconds to some and seconds to others.
fn time(text: &str) -> Option<f64> {
    let (number, unit) = text.split_at(text.find(|letter: char| letter.is_ascii_alphabetic())?);
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    Some((decimal(number.trim())? * factor).round()).filter(|nanos| (1.0..=LONGEST_NS).contains(nanos))
}

/// A share of 1, written as per cent; zero needs no unit.
fn share(text: &str) -> Option<f64> {
    match text.strip_suffix('%') {
        Some(number) => decimal(number.trim()).map(|percent| percent / 100.0).filter(|share| *share < 1.0),
        None => decimal(text).filter(|share| *share == 0.0),
    }
}

/// Digits with or without a point among them, and nothing else that Rust would read as a number.
fn decimal(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if plain { text.parse().ok() } else { None }
}

/// Digits that are left of a decimal fraction after some arithmetic.
const WRITTEN_DIGITS: usize = 12;

impl Figure {
    /// A value of this figure with its unit, which is the largest that leaves a number of 1 or more.
    pub(super) fn text_of(self, value: f64, digits: usize) -> String {
        if self == Figure::Errors {
            return format!("{}%", rounded(value * 100.0, digits));
        }
        let value = rounded(value, digits);
        let (unit, factor) = UNITS.iter().rfind(|(_, factor)| value >= *factor).unwrap_or(&UNITS[0]);
        format!("{}{unit}", rounded(value / factor, digits))
    }
}

/// To so many significant digits.
fn rounded(value: f64, digits: usize) -> f64 {
    format!("{value:.0$e}", digits - 1).parse().unwrap_or(value)
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let conditions: Vec<String> = self.conditions.iter().map(Condition::to_string).collect();
        f.pad(&conditions.join(","))
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.or_equal { "<=" } else { "<" };
        write!(f, "{}{sign}{}", self.figure, self.figure.text_of(self.limit, WRITTEN_DIGITS))
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Figure::Percentile(percentile) => f.pad(&format!("p{percentile}")),
            Figure::Mean => f.pad("mean"),
            Figure::Max => f.pad("max"),
            Figure::Errors => f.pad("errors"),
        }
    }
}

kept_as_spelled!(Promise, Condition);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_read_as_it_is_written() {
        for text in [
            "p99<2ms",
            "p99<2ms,errors<0.1%",
            "p50<=150us,p99.99<1.5s,mean<1ms,max<50ms,errors<=0%",
            "p97.5<999ns,errors<0.07%",
        ] {
            let promise: Promise = text.parse().unwrap();
            assert_eq!(promise.to_string(), text);
            assert_eq!(promise.to_string().parse(), Ok(promise.clone()));
            let json = serde_json::to_string(&promise).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<Promise>(&json).unwrap(), promise);
        }
    }

    #[test]
    fn spaces_do_not_matter_and_zero_errors_need_no_unit() {
        let promise: Promise = " p99 < 2 ms , errors <= 0 ".parse().unwrap();
        assert_eq!(promise.to_string(), "p99<2ms,errors<=0%");
        assert_eq!("p99<0.002s".parse::<Promise>().unwrap().to_string(), "p99<2ms");
    }

    #[test]
    fn what_is_no_promise_is_refused_with_a_way_out() {
        for (text, says) in [
            ("", "p99<2ms"),
            ("p99", "'p99'"),
            ("p99<2", "such as p99<2ms"),
            ("p99>2ms", "FIGURE<LIMIT"),
            ("p99<0ms", "'p99<0ms'"),
            ("p99<-1ms", "such as"),
            ("p99<infms", "such as"),
            ("p99<2ms,", "such as"),
            ("p99<<2ms", "such as"),
            ("p49<2ms", "p50 to p99.99"),
            ("p100<2ms", "max"),
            ("pnan<2ms", "known"),
            ("q99<2ms", "known"),
            ("errors<5", "errors<0.1%"),
            ("errors<100%", "errors<0.1%"),
            ("errors<0", "errors<=0"),
            ("p99<2ms,p99.0<3ms", "twice"),
        ] {
            let refused = text.parse::<Promise>().unwrap_err();
            assert!(refused.contains(says), "{text}: {refused}");
        }
    }
}
