//! What a comparison must not find: `p99>+10%`.

use super::comparison::Comparison;
use super::metric::Metric;
use std::fmt;
use std::str::FromStr;

/// A limit to how much worse a metric may be than the reference's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    pub metric: Metric,
    /// The share by which the metric may change: above zero it may grow by no more, below zero it may shrink by no more.
    limit: f64,
}

impl Rule {
    /// Whether `comparison` found what the rule forbids: a change beyond the limit, and one that is no chance, which
    /// means that the interval leaves out "no change". None when there is no interval to say so.
    pub fn is_broken(&self, comparison: &Comparison) -> Option<bool> {
        let ratio = &comparison.ratio;
        let (low, high) = (ratio.low?, ratio.high?);
        Some(match self.limit > 0.0 {
            true => ratio.value > 1.0 + self.limit && low > 1.0,
            false => ratio.value < 1.0 + self.limit && high < 1.0,
        })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let sign = if self.limit > 0.0 { '>' } else { '<' };
        write!(f, "{}{sign}{:+}%", self.metric, (self.limit * 1e8).round() / 1e6)
    }
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Rule, String> {
        let shape = || format!("'{text}': expected METRIC>+PERCENT% or METRIC<-PERCENT%, such as p99>+10%");
        let at = text.find(['<', '>']).ok_or_else(shape)?;
        let (name, limit) = text.split_at(at);
        let metric = name.trim().parse().map_err(|known: String| format!("'{}' is no metric; {known}", name.trim()))?;
        let (grows, limit) = (limit.starts_with('>'), limit[1..].trim());
        let percent: f64 = limit.strip_suffix('%').and_then(|it| it.parse().ok()).ok_or_else(shape)?;
        if grows == (metric == Metric::Throughput) {
            let (way, sign) = if grows { ('<', '-') } else { ('>', '+') };
            return Err(format!("'{text}': that is no loss; {metric}{way}{sign}10% is"));
        }
        let is_sound = percent.is_finite() && if grows { percent > 0.0 } else { percent < 0.0 && percent > -100.0 };
        if is_sound { Ok(Rule { metric, limit: percent / 100.0 }) } else { Err(shape()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eight rounds in which the other is `ratio` times the reference, give or take `noise`.
    fn comparison(ratio: f64, noise: f64) -> Comparison {
        let off = |round: u32| 1.0 + noise * (f64::from(round) / 3.5 - 1.0);
        let pairs: Vec<(f64, f64)> = (0..8).map(|round| (100.0, 100.0 * ratio * off(round))).collect();
        Comparison::of(&pairs, false, 0.05).unwrap()
    }

    #[test]
    fn a_rule_is_broken_by_what_is_beyond_it_and_sure() {
        let rule: Rule = "p99>+10%".parse().unwrap();
        assert_eq!(rule.is_broken(&comparison(1.2, 0.02)), Some(true));
        assert_eq!(rule.is_broken(&comparison(1.08, 0.02)), Some(false), "within the limit");
        assert_eq!(rule.is_broken(&comparison(1.2, 0.9)), Some(false), "not sure");
        let less: Rule = "throughput<-5%".parse().unwrap();
        assert_eq!(less.is_broken(&comparison(0.9, 0.01)), Some(true));
        assert_eq!(less.is_broken(&comparison(0.97, 0.01)), Some(false));
        let few = Comparison::of(&[(1.0, 2.0)], false, 0.05).unwrap();
        assert_eq!(rule.is_broken(&few), None);
    }

    #[test]
    fn rules_are_read_as_they_are_written() {
        for text in ["p99>+10%", "throughput<-5%", "p99.9>+0.5%"] {
            assert_eq!(text.parse::<Rule>().unwrap().to_string(), text);
        }
        assert_eq!("p50 > 10%".parse::<Rule>().unwrap().to_string(), "p50>+10%");
        for text in [
            "p99",
            "p99>10",
            "p98>+10%",
            "p99>-10%",
            "p99<+10%",
            "p99>+x%",
            "p99<-100%",
            ">+1%",
            "p99<-5%",
            "throughput>+5%",
        ] {
            assert!(text.parse::<Rule>().is_err(), "{text}");
        }
    }
}
