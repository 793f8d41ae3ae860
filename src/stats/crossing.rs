//! At which rate the latency of a server crosses what is promised of it.
//!
//! Latency does not fall as load grows, and no more than that is believed of the curve: it is the isotonic regression of
//! the logarithm of latency on rate, by pooling adjacent violators, and a straight line between neighbours where it
//! crosses. The interval is that of a bootstrap over the batches within each step.
//!
//! Sources: Ayer, Brunk, Ewing, Reid and Silverman, "An empirical distribution function for sampling with incomplete
//! information", Annals of Mathematical Statistics 26, 1955; Efron and Tibshirani, "An introduction to the bootstrap",
//! 1993, chapter 13.

use super::paired::Estimate;
use crate::units::{Draws, Seed};
use std::ops::Range;

/// A step at a rate. The same rate may come several times.
#[derive(Debug, Clone, Copy)]
pub struct Point<'a> {
    pub rate: f64,
    /// Of each batch, how many times what is promised its latency was: 1 is at the limit.
    pub strains: &'a [f64],
}

const RESAMPLES: usize = 1000;

/// The rate at which the strain crosses 1, with the 95 % interval. None when the curve does not cross it. Without an
/// interval when more than one resample of forty does not cross it either.
pub fn crossing(points: &[Point], seed: Seed) -> Option<Estimate> {
    let rates = pooled(points);
    let value = crossing_of(&rates, |logarithms| logarithms.to_vec())?;
    let mut draws = seed.draws(0);
    let mut crossings: Vec<f64> =
        (0..RESAMPLES).filter_map(|_| crossing_of(&rates, |logarithms| resampled(logarithms, &mut draws))).collect();
    crossings.sort_by(f64::total_cmp);
    let tail = RESAMPLES / 40;
    let has_interval = RESAMPLES - crossings.len() <= tail && rates.iter().any(|(_, batches)| batches.len() > 1);
    let ends = has_interval.then(|| (crossings[tail], crossings[crossings.len() - 1 - tail]));
    Some(Estimate { value, low: ends.map(|(low, _)| low), high: ends.map(|(_, high)| high) })
}

/// Rates in order, each with the logarithms of all its strains.
fn pooled(points: &[Point]) -> Vec<(f64, Vec<f64>)> {
    let mut sorted: Vec<&Point> = points.iter().collect();
    sorted.sort_by(|one, other| one.rate.total_cmp(&other.rate));
    let mut rates: Vec<(f64, Vec<f64>)> = Vec::new();
    for point in sorted {
        let logarithms = point.strains.iter().filter(|strain| **strain > 0.0).map(|strain| strain.ln());
        match rates.last_mut() {
            Some((rate, batches)) if *rate == point.rate => batches.extend(logarithms),
            _ => rates.push((point.rate, logarithms.collect())),
        }
    }
    rates.retain(|(_, batches)| !batches.is_empty());
    rates
}

fn resampled(values: &[f64], draws: &mut Draws) -> Vec<f64> {
    values.iter().map(|_| values[draws.below(values.len() as u64) as usize]).collect()
}

/// Where the curve through what `sample` takes of each rate crosses zero.
fn crossing_of(rates: &[(f64, Vec<f64>)], mut sample: impl FnMut(&[f64]) -> Vec<f64>) -> Option<f64> {
    let levels: Vec<(f64, f64)> = rates
        .iter()
        .map(|(_, batches)| {
            let mut taken = sample(batches);
            taken.sort_by(f64::total_cmp);
            // The median: one batch with an accident in it moves a mean by much.
            (f64::midpoint(taken[taken.len() / 2], taken[(taken.len() - 1) / 2]), taken.len() as f64)
        })
        .collect();
    let at: Vec<f64> = rates.iter().map(|(rate, _)| *rate).collect();
    zero(&at, &levels)
}

/// The rate at which the share of a promise's allowance that requests use is 1, by the isotonic regression of its
/// logarithm. `steps` are rates with the share that each used and the number of its requests, in any order; of the same
/// rate the requests are put together. Means follow accidents, which a long time at a rate has its part of. None when the
/// curve does not cross 1.
pub fn mean_crossing(steps: &[(f64, f64, f64)]) -> Option<f64> {
    let mut sorted = steps.to_vec();
    sorted.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut rates, mut levels): (Vec<f64>, Vec<(f64, f64)>) = (Vec::new(), Vec::new());
    for of_rate in sorted.chunk_by(|one, other| one.0 == other.0) {
        let requests: f64 = of_rate.iter().map(|step| step.2).sum();
        let used: f64 = of_rate.iter().map(|step| step.1 * step.2).sum();
        if requests > 0.0 {
            rates.push(of_rate[0].0);
            // Of one request in its place, if none was beyond: it would never be put together with others again.
            levels.push(((used / requests).max(1.0 / requests).ln(), requests));
        }
    }
    zero(&rates, &levels)
}

/// How far from `crossing`, as a share of it, a step may be that uses all of its allowance: how far apart steps near it are
/// in the logarithm of what they used, by the standard deviation from the straight line through those of all neighbours,
/// divided by its slope. `steps` are those of [`mean_crossing`]. None when there are too few, or they do not rise.
pub fn blur(steps: &[(f64, f64, f64)], crossing: f64) -> Option<f64> {
    let points: Vec<(f64, f64)> = steps
        .iter()
        .filter(|(rate, used, _)| (rate / crossing).ln().abs() < NEIGHBOURS && *used < NEAR.end)
        .map(|(rate, used, requests)| ((rate / crossing).ln(), used.max(1.0 / requests).ln()))
        .collect();
    let slope = slope(&points).filter(|slope| *slope > 0.0)?;
    // What is hardly used at all says where the line goes, and nothing of what is usual near the limit.
    let is_near = |used: &f64| *used > NEAR.start.ln();
    let off: Vec<f64> =
        points.iter().filter(|(_, used)| is_near(used)).map(|(rate, used)| used - slope * rate).collect();
    let count = off.len() as f64;
    let mean = off.iter().sum::<f64>() / count;
    let variance = off.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (off.len() >= NEAR_MIN).then(|| variance.sqrt() / slope)
}

/// Of the logarithm of the ratio of rates: neighbours of the crossing are less apart.
const NEIGHBOURS: f64 = 0.2;

/// What steps near the limit use of their allowance.
const NEAR: Range<f64> = 0.2..5.0;

/// So many of them tell how far apart they are.
const NEAR_MIN: usize = 3;

/// Of the straight line of least squares. None when it has none.
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let count = points.len() as f64;
    let (mean_x, mean_y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0 / count, y + point.1 / count));
    let sum = |of: fn(f64, f64) -> f64| points.iter().map(|(x, y)| of(x - mean_x, y - mean_y)).sum::<f64>();
    let (covariance, variance) = (sum(|x, y| x * y), sum(|x, _| x * x));
    (variance > 0.0).then(|| covariance / variance)
}

/// Where the isotonic regression of `levels`, which come with their weights, crosses zero between two of `rates`.
fn zero(rates: &[f64], levels: &[(f64, f64)]) -> Option<f64> {
    let fitted = isotonic(levels);
    let above = fitted.iter().position(|level| *level >= 0.0)?;
    let below = above.checked_sub(1)?;
    let share = -fitted[below] / (fitted[above] - fitted[below]);
    Some(rates[below] + share * (rates[above] - rates[below]))
}

/// The values that never fall and are nearest to those of `levels`, which come with their weights, in squares.
fn isotonic(levels: &[(f64, f64)]) -> Vec<f64> {
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for &(value, weight) in levels {
        let mut block = (value, weight, 1);
        while let Some(last) = blocks.pop_if(|last| last.0 >= block.0) {
            let weight = last.1 + block.1;
            block = ((last.0 * last.1 + block.0 * block.1) / weight, weight, last.2 + block.2);
        }
        blocks.push(block);
    }
    blocks.iter().flat_map(|(value, _, count)| std::iter::repeat_n(*value, *count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crossing_at(points: &[(f64, Vec<f64>)]) -> Option<Estimate> {
        let points: Vec<Point> = points.iter().map(|(rate, strains)| Point { rate: *rate, strains }).collect();
        crossing(&points, Seed(1))
    }

    /// Batches of a server whose strain is `(limit / 2) / (limit * 1.5 - rate)`, 1 at the limit, each a few per cent off.
    fn noisy(limit: f64, draws: &mut Draws) -> Vec<(f64, Vec<f64>)> {
        let rates = [0.5, 0.7, 0.9, 0.96, 0.99, 1.02, 1.1].map(|share| share * limit);
        let strain = |rate: f64| (limit / 2.0) / (limit * 1.5 - rate);
        let noise = |draws: &mut Draws| (0.1 * (draws.unit() + draws.unit() - 1.0)).exp();
        rates.map(|rate| (rate, (0..8).map(|_| strain(rate) * noise(draws)).collect())).to_vec()
    }

    #[test]
    fn neighbours_that_fall_are_pooled_by_their_weights() {
        assert_eq!(isotonic(&[(1.0, 1.0), (3.0, 1.0), (0.0, 2.0), (5.0, 1.0)]), [1.0, 1.0, 1.0, 5.0]);
        assert_eq!(isotonic(&[(3.0, 1.0), (2.0, 1.0), (1.0, 1.0)]), [2.0, 2.0, 2.0]);
        assert_eq!(isotonic(&[(1.0, 1.0), (2.0, 1.0)]), [1.0, 2.0]);
        assert!(isotonic(&[]).is_empty());
    }

    #[test]
    fn the_truth_is_within_nineteen_of_twenty_intervals() {
        let mut draws = Seed(3).draws(0);
        let limit = 40_000.0;
        let covered = (0..100).filter(|_| {
            let found = crossing_at(&noisy(limit, &mut draws)).unwrap();
            let (low, high) = (found.low.unwrap(), found.high.unwrap());
            assert!((found.value / limit - 1.0).abs() < 0.05 && high - low < limit * 0.1, "{found:?}");
            (low..=high).contains(&limit)
        });
        assert!(covered.count() >= 88);
    }

    #[test]
    fn one_batch_with_an_accident_moves_nothing() {
        let mut steps = noisy(1000.0, &mut Seed(4).draws(0));
        let calm = crossing_at(&steps).unwrap().value;
        steps[2].1[3] = 50.0;
        let found = crossing_at(&steps).unwrap().value;
        assert!((found / calm - 1.0).abs() < 0.02, "{calm} and {found}");
    }

    #[test]
    fn means_of_a_rate_are_of_all_its_requests() {
        // A queue's requests beyond a limit: e^(-(mu - rate) t), of which a hundredth is allowed.
        let used = |rate: f64| (-(50_000.0 - rate) * 0.002).exp() / 0.01;
        let step = |rate: f64, requests: f64| (rate, used(rate), requests);
        let limit = 50_000.0 - 100f64.ln() / 0.002;
        let found = mean_crossing(&[step(48_500.0, 9.0), step(47_000.0, 5.0), step(30_000.0, 5.0)]).unwrap();
        assert!((found / limit - 1.0).abs() < 1e-9, "{found}");
        // Nine times as many at the same rate weigh nine times as much.
        let twice = mean_crossing(&[(2.0, 0.1, 90.0), (2.0, 4.1, 10.0), (1.0, 0.25, 9.0), (3.0, 2.0, 5.0)]).unwrap();
        assert!((twice - 2.5).abs() < 1e-9, "{twice}");
        assert_eq!(mean_crossing(&[step(1.0, 9.0), step(2.0, 9.0)]), None);
        assert_eq!(mean_crossing(&[(1.0, 2.0, 1.0), (1.0, 0.5, 0.0)]), None);
    }

    #[test]
    fn the_crossing_is_as_blurred_as_steps_near_it_are_apart() {
        // Twice as much with each tenth of the rate, and every other step half as much again, or two thirds.
        let slope = 2f64.ln() / 1.1f64.ln();
        let step = |share: f64, off: f64| (1000.0 * share, share.powf(slope) * off, 1e6);
        let steps = |off: f64| [0.9, 0.95, 1.0, 1.05, 1.1].map(|at| [step(at, off), step(at, 1.0 / off)]).concat();
        let expected = 1.5f64.ln() * (10.0f64 / 9.0).sqrt() / slope;
        let found = blur(&steps(1.5), 1000.0).unwrap();
        assert!((found / expected - 1.0).abs() < 1e-6, "{found} {expected}");
        assert!(blur(&steps(1.0), 1000.0).unwrap() < 1e-9);
        // What is far away, or far beyond the limit, changes nothing.
        let far = [step(0.5, 9.0), step(1.3, 0.1), (1050.0, 50.0, 1e6)];
        assert_eq!(blur(&[&steps(1.5)[..], &far].concat(), 1000.0), Some(found));
        assert_eq!(blur(&steps(1.5)[..2], 1000.0), None, "one rate has no slope");
        assert_eq!(blur(&[step(1.1, 0.2), step(1.0, 1.0), step(0.9, 5.0)], 1000.0), None, "they fall");
    }

    #[test]
    fn data_on_one_side_of_the_limit_cannot_tell() {
        assert_eq!(crossing_at(&[]), None);
        assert_eq!(crossing_at(&[(1.0, vec![0.5]), (2.0, vec![0.9])]), None);
        assert_eq!(crossing_at(&[(1.0, vec![1.5, 1.2]), (2.0, vec![9.0])]), None);
        assert_eq!(crossing_at(&[(1.0, vec![]), (2.0, vec![])]), None);
        let single = crossing_at(&[(1.0, vec![0.5]), (3.0, vec![2.0])]).unwrap();
        assert_eq!((single.value, single.low, single.high), (2.0, None, None));
    }

    /// Half of the batches of the lower rate are beyond the limit: many resamples have no crossing.
    #[test]
    fn a_crossing_that_a_resample_may_lose_has_no_interval() {
        let found = crossing_at(&[(1.0, vec![0.5, 0.6, 1.4]), (2.0, vec![3.0, 3.0, 3.0])]).unwrap();
        assert!((1.0..2.0).contains(&found.value) && found.low.is_none() && found.high.is_none(), "{found:?}");
    }
}
