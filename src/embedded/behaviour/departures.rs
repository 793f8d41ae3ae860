//! When a request departs: one queue, one server, and the times at which that server does nothing. Pure arithmetic on
//! instants that others read.

use crate::units::Nanos;

/// A queue before one server, first come, first served.
#[derive(Debug, Clone, Default)]
pub struct Departures {
    stall: Option<Stall>,
    last: Nanos,
}

impl Departures {
    pub fn new(stall: Option<Stall>) -> Departures {
        Departures { stall, last: Nanos::ZERO }
    }

    /// When a request departs that arrives at `arrival` and takes `service` of the server's time. It is served after all
    /// that were told before it.
    pub fn depart(&mut self, arrival: Nanos, service: Nanos) -> Nanos {
        let start = arrival.max(self.last);
        self.last = match self.stall {
            None => start + service,
            Some(stall) => stall.finish(stall.resume(start), service),
        };
        self.last
    }

    /// `at`, or the end of the stall that it falls into.
    pub fn resume(&self, at: Nanos) -> Nanos {
        self.stall.map_or(at, |stall| stall.resume(at))
    }
}

/// A server that does nothing for `lasts`, again and again: in the spans `[k * every, k * every + lasts)` for k from 1.
/// `lasts` is the shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stall {
    pub lasts: Nanos,
    pub every: Nanos,
}

impl Stall {
    /// `at`, or the end of the stall that it falls into.
    fn resume(self, at: Nanos) -> Nanos {
        let (round, into) = (at.0 / self.every.0, at.0 % self.every.0);
        if round > 0 && into < self.lasts.0 { at + (self.lasts - Nanos(into)) } else { at }
    }

    /// When work is done that begins at `start`, in no stall, and takes `work`. Stalls interrupt it.
    fn finish(self, start: Nanos, work: Nanos) -> Nanos {
        self.when_worked(self.worked(start) + work)
    }

    /// How much of the time before `at` was no stall.
    fn worked(self, at: Nanos) -> Nanos {
        let (round, into) = (at.0 / self.every.0, at.0 % self.every.0);
        match round {
            0 => at,
            // The stall of this round has lasted for no more than it lasts.
            _ => at - Nanos((round - 1) * self.lasts.0 + into.min(self.lasts.0)),
        }
    }

    /// The last instant before which so much time was no stall, so that no work ends as a stall begins.
    fn when_worked(self, work: Nanos) -> Nanos {
        if work < self.every {
            return work;
        }
        let (rest, period) = (work - self.every, self.every - self.lasts);
        let stalls = rest.0 / period.0 + 1;
        work + Nanos(stalls.saturating_mul(self.lasts.0))
    }
}

#[cfg(test)]
mod tests {
    use super::super::chance::Chance;
    use super::*;
    use crate::units::Seed;

    const MICRO: u64 = 1000;

    #[test]
    fn a_request_waits_for_those_before_it_and_for_nobody_else() {
        let mut queue = Departures::default();
        for (arrival, service, departure) in [(10, 5, 15), (11, 5, 20), (19, 5, 25), (40, 5, 45), (40, 0, 45)] {
            assert_eq!(queue.depart(Nanos(arrival), Nanos(service)), Nanos(departure), "{arrival}");
        }
    }

    /// Mean time from arrival to departure, in nanoseconds, of Poisson arrivals.
    fn mean_response(gap: Nanos, service: impl Fn(u64) -> Nanos) -> f64 {
        const REQUESTS: u64 = 1_000_000;
        let gaps = Chance::new(Seed(1));
        let (mut queue, mut now, mut sum) = (Departures::default(), Nanos::ZERO, 0);
        for request in 0..REQUESTS {
            now = now + gaps.exponential(request, gap);
            sum += (queue.depart(now, service(request)) - now).0;
        }
        sum as f64 / REQUESTS as f64
    }

    fn assert_within_2_percent(measured: f64, expected: f64) {
        assert!((measured / expected - 1.0).abs() < 0.02, "{measured} instead of {expected}");
    }

    /// M/M/1: the mean response time is the service time divided by the idle share.
    #[test]
    fn exponential_service_responds_as_theory_has_it() {
        let services = Chance::new(Seed(2));
        for busy in [0.3, 0.5, 0.8] {
            let gap = Nanos((200_000.0 / busy) as u64);
            let measured = mean_response(gap, |request| services.exponential(request, Nanos(200 * MICRO)));
            assert_within_2_percent(measured, 200_000.0 / (1.0 - busy));
        }
    }

    /// M/D/1, by Pollaczek and Khinchine.
    #[test]
    fn constant_service_responds_as_theory_has_it() {
        for busy in [0.3, 0.5, 0.8] {
            let gap = Nanos((200_000.0 / busy) as u64);
            let measured = mean_response(gap, |_| Nanos(200 * MICRO));
            assert_within_2_percent(measured, 200_000.0 * (1.0 + busy / (2.0 * (1.0 - busy))));
        }
    }

    const STALL: Stall = Stall { lasts: Nanos(3), every: Nanos(10) };

    fn stalled(at: u64) -> bool {
        at >= 10 && at % 10 < 3
    }

    #[test]
    fn stalls_cover_exactly_their_windows() {
        for at in 0..100 {
            let end = (at..).find(|&at| !stalled(at)).unwrap();
            assert_eq!(STALL.resume(Nanos(at)), Nanos(end), "{at}");
        }
    }

    /// Counts the instants at which work was done one by one.
    #[test]
    fn a_stall_interrupts_the_service() {
        for arrival in 0..40 {
            for service in 0..40 {
                let working: Vec<u64> = (arrival..200).filter(|&at| !stalled(at)).take(service + 1).collect();
                let departure = Departures::new(Some(STALL)).depart(Nanos(arrival), Nanos(service as u64));
                assert_eq!(departure, Nanos(working[service]), "{arrival} {service}");
            }
        }
    }

    #[test]
    fn those_that_arrive_in_a_stall_depart_one_by_one_after_it() {
        let mut queue = Departures::new(Some(STALL));
        let departures = [9, 10, 11, 12].map(|arrival| queue.depart(Nanos(arrival), Nanos(2)).0);
        assert_eq!(departures, [14, 16, 18, 23]);
    }

    #[test]
    fn no_time_is_too_long() {
        let stall = Stall { lasts: Nanos(u64::MAX - 1), every: Nanos(u64::MAX) };
        for queue in [Departures::default(), Departures::new(Some(stall)), Departures::new(Some(STALL))] {
            let mut queue = queue;
            for at in [0, 1, u64::MAX / 2, u64::MAX] {
                assert!(queue.depart(Nanos(at), Nanos(u64::MAX)) >= Nanos(at), "{at}");
            }
        }
    }
}
