//! How far the same measurement falls apart when it is made several times.

use serde::{Deserialize, Serialize};

/// The numbers that a handful of values is told by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    pub min: f64,
    /// The one in the middle, or the mean of the two that are.
    pub median: f64,
    pub max: f64,
    pub mean: f64,
    /// The standard deviation of the sample, with n - 1 below the line. None of a single value, which has no spread.
    pub stdev: Option<f64>,
}

impl Spread {
    /// None of no values at all. Values must be finite.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let (count, half) = (sorted.len(), sorted.len() / 2);
        let median = if count % 2 == 1 { sorted[half] } else { f64::midpoint(sorted[half - 1], sorted[half]) };
        let mean = sorted.iter().sum::<f64>() / count as f64;
        let squares: f64 = sorted.iter().map(|value| (value - mean).powi(2)).sum();
        let stdev = (count > 1).then(|| (squares / (count - 1) as f64).sqrt());
        Some(Spread { min, median, max, mean, stdev })
    }

    /// The same in another unit, of which the one at hand is `factor`.
    pub fn scaled(&self, factor: f64) -> Spread {
        let Spread { min, median, max, mean, stdev } = self;
        let [min, median, max, mean] = [min, median, max, mean].map(|value| value * factor);
        Spread { min, median, max, mean, stdev: stdev.map(|stdev| stdev * factor) }
    }

    /// The standard deviation as a share of the mean. None where there is none.
    pub fn coefficient_of_variation(&self) -> Option<f64> {
        self.stdev.filter(|_| self.mean > 0.0).map(|stdev| stdev / self.mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_of_the_values_whatever_their_order() {
        let spread = Spread::of([4.0, 2.0, 9.0, 5.0, 5.0, 4.0, 7.0, 4.0]).unwrap();
        assert_eq!((spread.min, spread.median, spread.max, spread.mean), (2.0, 4.5, 9.0, 5.0));
        // The squares of the distances from 5 sum up to 32.
        assert_eq!(spread.stdev, Some((32.0_f64 / 7.0).sqrt()));
        assert_eq!(Spread::of([3.0, 1.0, 2.0]).unwrap().median, 2.0);
    }

    #[test]
    fn one_value_has_no_spread_and_none_is_none() {
        let one = Spread::of([3.0]).unwrap();
        assert_eq!((one.min, one.median, one.max, one.mean, one.stdev), (3.0, 3.0, 3.0, 3.0, None));
        assert_eq!(one.coefficient_of_variation(), None);
        assert_eq!(Spread::of([]), None);
    }
}
