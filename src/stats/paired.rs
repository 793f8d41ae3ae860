//! What is sure about the middle of a few paired differences, without believing anything of their distribution but that
//! it is symmetric: the estimate of Hodges and Lehmann, and the exact interval of Wilcoxon's signed-rank test.
//!
//! Source: Hollander, Wolfe and Chicken, "Nonparametric statistical methods", 3rd edition, 2014, sections 3.1 to 3.3.

use serde::{Deserialize, Serialize};

/// What may be wrong: an interval misses the truth in no more than one case of twenty.
pub const ALPHA: f64 = 0.05;

/// A value with its doubt.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    pub value: f64,
    /// The ends of the 95 % interval. None where there are too few values for one.
    pub low: Option<f64>,
    pub high: Option<f64>,
}

impl Estimate {
    /// Of the middle of `values`. None of no values at all.
    ///
    /// The value is the median of the Walsh averages; the interval is between the k-th smallest and the k-th greatest of
    /// them, with k from the exact distribution of the signed-rank statistic. There is one from six values on.
    pub fn of(values: &[f64]) -> Option<Estimate> {
        let walsh = walsh_averages(values);
        let value = median(&walsh)?;
        let ends = critical_value(values.len(), ALPHA).map(|k| (walsh[k], walsh[walsh.len() - 1 - k]));
        Some(Estimate { value, low: ends.map(|(low, _)| low), high: ends.map(|(_, high)| high) })
    }

    /// The mean of `values` with Student's interval: believes in a normal distribution, and serves as a check.
    pub fn student(values: &[f64]) -> Option<Estimate> {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let half = (values.len() > 1).then(|| t_quantile(values.len() - 1) * (squares / (count - 1.0) / count).sqrt());
        (!values.is_empty()).then_some(Estimate {
            value: mean,
            low: half.map(|half| mean - half),
            high: half.map(|half| mean + half),
        })
    }

    /// The same on another scale, which keeps the order.
    #[must_use]
    pub fn map(self, scale: impl Fn(f64) -> f64) -> Estimate {
        Estimate { value: scale(self.value), low: self.low.map(&scale), high: self.high.map(&scale) }
    }
}

/// The means of all pairs, each value paired with itself, too; in order.
fn walsh_averages(values: &[f64]) -> Vec<f64> {
    let mut averages: Vec<f64> = (0..values.len())
        .flat_map(|first| (first..values.len()).map(move |second| f64::midpoint(values[first], values[second])))
        .collect();
    averages.sort_by(f64::total_cmp);
    averages
}

/// Of values in order.
fn median(sorted: &[f64]) -> Option<f64> {
    let half = sorted.len() / 2;
    match sorted.len() % 2 {
        _ if sorted.is_empty() => None,
        1 => Some(sorted[half]),
        _ => Some(f64::midpoint(sorted[half - 1], sorted[half])),
    }
}

/// In how many of the `2^n` choices of signs the ranks with a plus add up to each sum: ranks are `ranks`.
fn sums(ranks: impl Iterator<Item = usize>) -> Vec<f64> {
    let mut ways = vec![1.0];
    for rank in ranks {
        let mut next = ways.clone();
        next.resize(ways.len() + rank, 0.0);
        for (sum, count) in ways.iter().enumerate() {
            next[sum + rank] += count;
        }
        ways = next;
    }
    ways
}

/// The greatest sum of ranks W with `P(sum <= W) <= alpha / 2`, when `n` differences have no middle but zero. None when
/// there is no such sum, as with fewer than six differences at 5 %.
pub fn critical_value(n: usize, alpha: f64) -> Option<usize> {
    let ways = sums(1..=n);
    let all = 2f64.powi(i32::try_from(n).ok()?);
    let mut below = 0.0;
    let beyond = ways.iter().position(|count| {
        below += count;
        below / all > alpha / 2.0
    });
    beyond?.checked_sub(1)
}

/// How likely differences like these, or further from zero to either side, are when their middle is zero: the exact
/// two-sided p of the signed-rank test. Zeros are left out, as Wilcoxon did; ties share the mean of their ranks, and the
/// distribution is that of the ranks as they are. 1 when nothing is left.
pub fn p_value(differences: &[f64]) -> f64 {
    let mut sorted: Vec<f64> = differences.iter().copied().filter(|difference| *difference != 0.0).collect();
    sorted.sort_by(|one, other| one.abs().total_cmp(&other.abs()));
    // Twice the ranks are whole numbers also where ties share them.
    let doubled: Vec<usize> = sorted
        .iter()
        .map(|value| {
            let first = sorted.iter().position(|it| it.abs() == value.abs()).unwrap_or(0);
            let last = sorted.iter().rposition(|it| it.abs() == value.abs()).unwrap_or(0);
            first + last + 2
        })
        .collect();
    let of_plus: usize = sorted.iter().zip(&doubled).filter(|(value, _)| **value > 0.0).map(|(_, rank)| rank).sum();
    let ways = sums(doubled.iter().copied());
    let all: f64 = ways.iter().sum();
    let lower: f64 = ways[..=of_plus].iter().sum();
    let upper: f64 = ways[of_plus..].iter().sum();
    (2.0 * lower.min(upper) / all).min(1.0)
}

/// The 97.5 % quantile of Student's t, to three decimals.
/// Source: Abramowitz and Stegun, "Handbook of mathematical functions", table 26.10, and 26.7.5 beyond.
fn t_quantile(degrees: usize) -> f64 {
    const TABLE: [f64; 30] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
        2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
    ];
    const NORMAL: f64 = 1.959_964;
    let degrees = degrees.max(1);
    let beyond = || NORMAL + (NORMAL.powi(3) + NORMAL) / (4.0 * degrees as f64);
    TABLE.get(degrees - 1).copied().unwrap_or_else(beyond)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Critical values of the signed-rank statistic, two-sided at 5 %, from 6 to 30 pairs.
    /// Source: Wilcoxon and Wilcox, "Some rapid approximate statistical procedures", 1964, table 2, with the two
    /// corrections of McCornack, "Extended tables of the Wilcoxon matched pair signed rank statistic", JASA 60, 1965.
    const CRITICAL: [usize; 25] =
        [0, 2, 3, 5, 8, 10, 13, 17, 21, 25, 29, 34, 40, 46, 52, 58, 65, 73, 81, 89, 98, 107, 116, 126, 137];

    #[test]
    fn critical_values_are_those_of_the_published_tables() {
        let found: Vec<usize> = (6..=30).map(|n| critical_value(n, 0.05).unwrap()).collect();
        assert_eq!(found, CRITICAL);
        assert_eq!([1, 5].map(|n| critical_value(n, 0.05)), [None, None]);
        // One-sided at 0.5 %, which is two-sided at 1 %.
        assert_eq!([7, 8, 10, 20, 30].map(|n| critical_value(n, 0.01)), [None, Some(0), Some(3), Some(37), Some(109)]);
    }

    /// Nine patients before and after a tranquilizer: Hollander and Wolfe, table 3.1, examples 3.1, 3.3 and 3.4.
    const BEFORE: [f64; 9] = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30];
    #[allow(clippy::approx_constant)] // 3.14 was measured.
    const AFTER: [f64; 9] = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29];

    fn differences() -> Vec<f64> {
        AFTER.iter().zip(BEFORE).map(|(after, before)| after - before).collect()
    }

    #[test]
    fn the_example_of_the_textbook_comes_out() {
        let estimate = Estimate::of(&differences()).unwrap();
        assert!((estimate.value - -0.46).abs() < 1e-9, "{estimate:?}");
        // At 96.1 %, the nearest that nine pairs can do.
        assert!((estimate.low.unwrap() - -0.786).abs() < 1e-9, "{estimate:?}");
        assert!((estimate.high.unwrap() - -0.010).abs() < 1e-9, "{estimate:?}");
        assert!((p_value(&differences()) - 0.0390625).abs() < 1e-12);
    }

    #[test]
    fn ties_share_ranks_and_zeros_are_left_out() {
        // Ranks 1.5, 1.5, 3: all plus is one choice of eight, to either side.
        assert_eq!(p_value(&[1.0, 1.0, 2.0, 0.0]), 0.25);
        // Ranks 2, 2, 2, one with a minus: sums of 2 or less are 4 of 8 choices to either side.
        assert_eq!(p_value(&[1.0, -1.0, 1.0]), 1.0);
        assert_eq!(p_value(&[0.0, 0.0]), 1.0);
        assert_eq!(p_value(&[]), 1.0);
        let zeros = Estimate::of(&[0.0; 8]).unwrap();
        assert_eq!((zeros.value, zeros.low, zeros.high), (0.0, Some(0.0), Some(0.0)));
    }

    #[test]
    fn fewer_than_six_values_have_no_interval() {
        assert_eq!(Estimate::of(&[]), None);
        assert_eq!(Estimate::of(&[3.0]), Some(Estimate { value: 3.0, low: None, high: None }));
        // Walsh averages: 1, 1.5, 2, 3, 3.5, 5.
        assert_eq!(Estimate::of(&[1.0, 2.0, 5.0]).unwrap().value, 2.5);
        let six = Estimate::of(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        assert_eq!((six.value, six.low, six.high), (3.5, Some(1.0), Some(6.0)));
    }

    #[test]
    fn one_wild_value_moves_the_mean_and_not_the_estimate() {
        let mut values: Vec<f64> = (0..10).map(f64::from).collect();
        let calm = Estimate::of(&values).unwrap();
        values[9] = 1e9;
        assert!((Estimate::of(&values).unwrap().value - calm.value).abs() < 1.0);
        assert!(Estimate::student(&values).unwrap().value > 1e7);
    }

    /// Mean 4.5, standard deviation 3.0277, of ten: 4.5 +- 2.262 * 0.9574.
    #[test]
    fn the_interval_of_student_is_the_textbooks() {
        let values: Vec<f64> = (0..10).map(f64::from).collect();
        let student = Estimate::student(&values).unwrap();
        assert!((student.value - 4.5).abs() < 1e-12);
        assert!((student.high.unwrap() - 6.6657).abs() < 1e-3, "{student:?}");
        assert!((t_quantile(60) - 2.000).abs() < 2e-3 && (t_quantile(1000) - 1.962).abs() < 2e-3);
    }
}
