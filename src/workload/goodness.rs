//! How well draws fit what they are said to follow. For tests alone: seeds are fixed, so a test either always passes or
//! never does, and one in a thousand choices of a seed would have failed without a fault.

/// Whether `observed` counts are what chance makes of `weights`, as Pearson's chi-square judges at the 0.999 quantile.
/// Neighbours of which fewer than 10 are expected are counted as one.
#[track_caller]
pub fn assert_chi_square(observed: &[u64], weights: &[f64]) {
    assert_eq!(observed.len(), weights.len());
    let total: u64 = observed.iter().sum();
    let scale = total as f64 / weights.iter().sum::<f64>();
    let (mut bins, mut seen, mut expected) = (Vec::new(), 0.0, 0.0);
    for (&count, weight) in observed.iter().zip(weights) {
        seen += count as f64;
        expected += weight * scale;
        if expected >= 10.0 {
            bins.push((seen, expected));
            (seen, expected) = (0.0, 0.0);
        }
    }
    if let Some(last) = bins.last_mut() {
        *last = (last.0 + seen, last.1 + expected);
    }
    assert!(bins.len() > 1, "one bin says nothing");
    let statistic: f64 = bins.iter().map(|(seen, expected)| (seen - expected).powi(2) / expected).sum();
    let limit = chi_square_quantile(bins.len() - 1);
    assert!(statistic < limit, "chi-square is {statistic:.1}, limit {limit:.1}, of {} bins", bins.len());
}

/// The 0.999 quantile of the chi-square distribution.
/// Source: Wilson and Hilferty, "The distribution of chi-square", PNAS 17, 1931; off by less than 3 %, and 1 % from 9 degrees on.
fn chi_square_quantile(degrees: usize) -> f64 {
    // Of the normal distribution.
    const QUANTILE: f64 = 3.090_232;
    let part = 2.0 / (9.0 * degrees as f64);
    degrees as f64 * (1.0 - part + QUANTILE * part.sqrt()).powi(3)
}

/// From the printed tables.
#[test]
fn quantiles_are_those_of_the_tables() {
    for (degrees, expected) in [(2, 13.816), (9, 27.877), (19, 43.820), (99, 148.23), (999, 1142.8)] {
        let quantile = chi_square_quantile(degrees);
        assert!((quantile / expected - 1.0).abs() < if degrees < 9 { 0.03 } else { 0.01 }, "{degrees}: {quantile}");
    }
}
