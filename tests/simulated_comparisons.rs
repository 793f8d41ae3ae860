//! Comparisons of slices whose truth is known, by the hundreds: how often equals are told apart, and how often an interval
//! has the truth in it.
//!
//! The slices are those of a redis-server beside itself on two cores that compilers were busy on, recorded by
//! `rbench compare --aa -t get` in rounds of 0.3 s in a closed loop, and of 0.5 s at `--rate 5000` (2026-11-27). A simulated
//! comparison takes a stretch of these rounds for how fast the machine was, and draws for every slice how far off that it
//! is from all that the recording has; a drift and spikes come on top.

use rbench::experiment::compare::{Order, Progress, Rounds, Turn};
use rbench::stats::{Comparison, Verdict};
use rbench::units::{Draws, Seed};

const RECORDED: &str = include_str!("data/slices-of-equals.csv");
const LOADS: [&str; 2] = ["closed loop", "open loop"];

/// A metric by its place among the three of a slice, and whether more of it is better.
type Metric = (usize, bool);
const P50: Metric = (0, false);
const P99: Metric = (1, false);
const THROUGHPUT: Metric = (2, true);

/// As many as a comparison has when nothing else is asked for.
const ROUNDS: Rounds = Rounds { least: 10, most: 10, tries: 3 };
const MARGIN: f64 = 0.05;
const COMPARISONS: u64 = 500;

/// What the recording has of a metric: for each round its level, and for each slice how far off it was, as logarithms.
struct Recorded {
    levels: Vec<f64>,
    deviations: Vec<f64>,
}

impl Recorded {
    fn of(load: &str, (place, _): Metric) -> Recorded {
        let (mut levels, mut deviations) = (Vec::new(), Vec::new());
        for line in RECORDED.lines().filter(|line| line.starts_with(load)) {
            let fields: Vec<f64> = line.split(',').skip(2).map(|field| field.parse().expect("a number")).collect();
            let (one, other) = (fields[place].ln(), fields[place + 3].ln());
            levels.push(f64::midpoint(one, other));
            // Two slices are off by this much more from each other than from what is behind both.
            deviations.push((other - one) / std::f64::consts::SQRT_2);
        }
        assert!(levels.len() >= 30, "{load}: {} rounds", levels.len());
        Recorded { levels, deviations }
    }

    /// The pairs of one comparison, taken in turns as live ones are: what is `reference` becomes `truth` of it on the other
    /// path.
    fn compared(&self, seed: Seed, truth: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
        let mut draws = seed.draws(0);
        let first = draws.below(self.levels.len() as u64) as usize;
        // By a fifth at the most, up or down, from the first turn to the last.
        let drift = (draws.unit() - 0.5) * 0.4 / f64::from(2 * ROUNDS.most);
        let mut turns = 0;
        let slice = |round: u32, path: usize| {
            let level = self.levels[(first + round as usize) % self.levels.len()];
            let value = (level + self.deviation(&mut draws) + drift * f64::from(turns) + spike(&mut draws)).exp();
            turns += 1;
            let slice = if path == 0 { value } else { truth(value) };
            Ok::<_, ()>(Turn { slice, disturbance: None, is_lasting: false })
        };
        let mut progress = Progress::default();
        ROUNDS.take(&mut Order::new(2, seed.child(1)), &mut progress, slice, |_| true).expect("nothing fails");
        progress.rounds.iter().map(|round| (round[0], round[1])).collect()
    }

    fn deviation(&self, draws: &mut Draws) -> f64 {
        let sign = if draws.unit() < 0.5 { -1.0 } else { 1.0 };
        sign * self.deviations[draws.below(self.deviations.len() as u64) as usize]
    }
}

/// One slice in twenty is off by up to three times on top.
fn spike(draws: &mut Draws) -> f64 {
    if draws.unit() < 0.05 { draws.unit() * 3f64.ln() } else { 0.0 }
}

/// Every comparison of a metric under a load, with a seed of its own.
fn comparisons(load: &str, metric: Metric, truth: impl Fn(f64) -> f64) -> Vec<Comparison> {
    let recorded = Recorded::of(load, metric);
    let compared = |number| Comparison::of(&recorded.compared(Seed(number), &truth), metric.1, MARGIN);
    (0..COMPARISONS).map(|number| compared(number).expect("all values are above zero")).collect()
}

#[test]
fn equals_are_told_apart_in_seven_of_a_hundred_at_the_most() {
    for load in LOADS {
        for metric in [P50, P99, THROUGHPUT] {
            let found = comparisons(load, metric, |value| value);
            let alarms =
                found.iter().filter(|it| matches!(it.verdict, Verdict::Slower | Verdict::Faster)).count() as u64;
            assert!(alarms * 100 <= 7 * COMPARISONS, "{load}, {metric:?}: {alarms} of {COMPARISONS}");
        }
    }
}

#[test]
fn the_truth_is_in_nine_of_ten_intervals() {
    for load in LOADS {
        for metric in [P50, P99, THROUGHPUT] {
            for truth in [1.03, 1.10] {
                let found = comparisons(load, metric, |value| value * truth);
                let has = |it: &&Comparison| it.ratio.low.unwrap() <= truth && truth <= it.ratio.high.unwrap();
                let covered = found.iter().filter(has).count() as u64;
                assert!(covered * 10 >= 9 * COMPARISONS, "{load}, {metric:?}, {truth}: {covered} of {COMPARISONS}");
            }
        }
        for metric in [P50, P99] {
            let by = 50_000.0;
            let found = comparisons(load, metric, |value| value + by);
            let has = |it: &&Comparison| it.difference.low.unwrap() <= by && by <= it.difference.high.unwrap();
            let covered = found.iter().filter(has).count() as u64;
            assert!(covered * 10 >= 9 * COMPARISONS, "{load}, {metric:?}, 50 us: {covered} of {COMPARISONS}");
        }
    }
}

/// An interval that has everything in it would pass the test above. Where slices are off by little, what is there is found,
/// unless a spike falls on one of the few slices.
#[test]
fn on_a_quiet_machine_the_truth_is_mostly_found() {
    let mut recorded = Recorded::of("closed loop", P50);
    recorded.deviations.iter_mut().for_each(|deviation| *deviation /= 20.0);
    let found = (0..COMPARISONS)
        .filter(|number| {
            let pairs = recorded.compared(Seed(*number), |value| value * 1.1);
            Comparison::of(&pairs, false, 0.01).unwrap().verdict == Verdict::Slower
        })
        .count() as u64;
    assert!(found * 10 >= 6 * COMPARISONS, "{found} of {COMPARISONS}");
}
