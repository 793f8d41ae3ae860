//! The due times of one load thread.

use super::{ArrivalProcess, Shape};
use crate::units::{Nanos, Seed};

/// The arrivals of one of several load threads, in order, without end. Nothing that happens in a run changes them.
#[derive(Debug, Clone)]
pub struct Schedule {
    process: ArrivalProcess,
    shape: Shape,
    thread: u64,
    threads: u64,
    seed: Seed,
    /// Number of the next arrival of this thread.
    number: u64,
    /// Of a Poisson process: the sum of the gaps so far, in arrivals of this thread.
    gaps: f64,
    next: Nanos,
}

impl Schedule {
    /// Of thread number `thread` of `threads`. Even arrivals are dealt out to threads in turn, so those of one thread lie
    /// between those of the others. Poisson processes of a part of the rate each add up to one of the whole rate.
    pub fn new(process: ArrivalProcess, shape: &Shape, thread: usize, threads: usize, seed: Seed) -> Schedule {
        let mut schedule = Schedule {
            process,
            shape: shape.clone(),
            thread: thread as u64,
            threads: threads as u64,
            seed: seed.child(thread as u64),
            number: 0,
            gaps: 0.0,
            next: Nanos::ZERO,
        };
        schedule.next = schedule.draw();
        schedule
    }

    /// When the next arrival is due, from the start of the run.
    #[inline]
    pub fn peek(&self) -> Nanos {
        self.next
    }

    /// The same, and goes on to the one after it.
    #[inline]
    #[expect(clippy::should_implement_trait, reason = "it has no end, and an Option would say that it could")]
    pub fn next(&mut self) -> Nanos {
        let due = self.next;
        self.number += 1;
        self.next = self.draw();
        due
    }

    fn draw(&mut self) -> Nanos {
        let arrivals = match self.process {
            ArrivalProcess::Constant => (self.number * self.threads + self.thread) as f64,
            ArrivalProcess::Poisson => {
                self.gaps += exponential(self.seed, self.number);
                self.gaps * self.threads as f64
            }
        };
        // Where one piece of a shape ends and the next begins, rounding may go back a nanosecond.
        Nanos(self.shape.due(arrivals).round() as u64).max(self.next)
    }
}

/// An exponential variate of mean 1, by inversion.
fn exponential(seed: Seed, number: u64) -> f64 {
    -seed.draws(number).unit().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(process: ArrivalProcess, rate: f64, thread: usize, threads: usize) -> Schedule {
        Schedule::new(process, &Shape::Fixed(rate), thread, threads, Seed(42))
    }

    /// The gaps between sorted arrivals, in seconds.
    fn gaps(mut arrivals: Vec<Nanos>) -> Vec<f64> {
        arrivals.sort_unstable();
        arrivals.windows(2).map(|pair| (pair[1] - pair[0]).as_secs()).collect()
    }

    /// The Kolmogorov–Smirnov statistic of `samples` against `distribution`, times the root of their number: below
    /// 1.63 for 99 % of all samples that are from it.
    fn kolmogorov_smirnov(mut samples: Vec<f64>, distribution: impl Fn(f64) -> f64) -> f64 {
        samples.sort_by(f64::total_cmp);
        let count = samples.len() as f64;
        let distances = samples.iter().enumerate().map(|(index, sample)| {
            let expected = distribution(*sample);
            (expected - index as f64 / count).abs().max((expected - (index + 1) as f64 / count).abs())
        });
        distances.fold(0.0, f64::max) * count.sqrt()
    }

    #[test]
    fn poisson_gaps_are_exponential_also_when_threads_share_the_rate() {
        for threads in [1, 4] {
            let arrivals = (0..threads).flat_map(|thread| {
                let mut schedule = schedule(ArrivalProcess::Poisson, 1000.0, thread, threads);
                (0..20_000 / threads).map(move |_| schedule.next()).collect::<Vec<_>>()
            });
            // Threads end at different times; what lies before the first end is complete.
            let arrivals: Vec<Nanos> = arrivals.filter(|due| *due < Nanos::from_secs(18)).collect();
            let statistic = kolmogorov_smirnov(gaps(arrivals), |gap| 1.0 - (-1000.0 * gap).exp());
            assert!(statistic < 1.63, "{threads} threads: {statistic}");
        }
    }

    #[test]
    fn even_arrivals_of_several_threads_are_even() {
        let arrivals = (0..4).flat_map(|thread| {
            let mut schedule = schedule(ArrivalProcess::Constant, 1000.0, thread, 4);
            (0..1000).map(move |_| schedule.next()).collect::<Vec<_>>()
        });
        assert!(gaps(arrivals.collect()).iter().all(|gap| (gap - 0.001).abs() < 2e-9));
    }

    #[test]
    fn even_arrivals_do_not_drift() {
        let mut schedule = schedule(ArrivalProcess::Constant, 3.0e6, 0, 1);
        schedule.number = 86_400 * 3_000_000 - 1;
        schedule.next();
        assert!(schedule.peek().0.abs_diff(86_400 * 1_000_000_000) <= 1);
    }

    #[test]
    fn a_schedule_follows_its_shape_and_never_goes_back() {
        let second = Nanos::from_secs(1);
        for shape in [
            Shape::Ramp { from: 100.0, to: 20_000.0, over: Nanos::from_secs(3) },
            Shape::Ramp { from: 20_000.0, to: 100.0, over: Nanos::from_secs(3) },
            Shape::Steps { rates: vec![1000.0, 30_000.0, 10.0], each: second },
        ] {
            for (process, doubt) in [(ArrivalProcess::Constant, 0.0), (ArrivalProcess::Poisson, 5.0)] {
                let (mut counts, mut last) = ([0u32; 3], Nanos::ZERO);
                for thread in 0..2 {
                    let mut schedule = Schedule::new(process, &shape, thread, 2, Seed(7));
                    last = Nanos::ZERO;
                    while schedule.peek() < Nanos::from_secs(3) {
                        let due = schedule.next();
                        assert!(due >= last, "{shape:?}");
                        last = due;
                        counts[(due.0 / second.0) as usize] += 1;
                    }
                }
                assert!(last > second, "{shape:?}");
                for (index, count) in counts.into_iter().enumerate() {
                    let before = |index: usize| shape.arrivals_before(Nanos::from_secs(index as u64));
                    let expected = before(index + 1) - before(index);
                    let bound = 2.0 + doubt * expected.sqrt();
                    assert!((f64::from(count) - expected).abs() <= bound, "{process:?} {shape:?}: {count} {expected}");
                }
            }
        }
    }

    #[test]
    fn a_schedule_is_the_same_again_and_another_with_another_seed() {
        let take = |seed| {
            let mut schedule = Schedule::new(ArrivalProcess::Poisson, &Shape::Fixed(10.0), 0, 1, Seed(seed));
            (0..50).map(|_| schedule.next()).collect::<Vec<_>>()
        };
        assert_eq!(take(1), take(1));
        assert_ne!(take(1), take(2));
    }
}
