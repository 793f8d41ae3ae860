//! The search beside servers whose limit is known.

use super::*;
use crate::experiment::capacity::reading::{HOPELESS, Reading};
use crate::experiment::capacity::{Batch, Figures, Flow};
use crate::recording::Latencies;
use crate::units::{Draws, Seed};

/// What a second at a rate is like.
struct Second {
    completed: u64,
    unsent: u64,
    client_busy: f64,
    evicted: u64,
    reading: Reading,
}

/// A server that answers as mathematics says.
trait Oracle {
    /// What a closed loop reaches.
    fn peak(&mut self) -> f64;
    /// The `index`-th second at `rate`.
    fn second(&mut self, rate: f64, index: u64) -> Second;
}

/// The search at its end, and how many seconds it took, with half a second for each step to settle in.
fn searched(settings: Settings, oracle: &mut impl Oracle) -> (Search, f64) {
    let mut search = Search::new(settings);
    let mut spent = 0.0;
    loop {
        match search.next() {
            Action::Done => return (search, spent),
            Action::Peak(span) => {
                spent += span.as_secs();
                search.tell_peak(Rate(oracle.peak()));
            }
            Action::Step(planned) => {
                let step = measured(&search, planned, oracle);
                spent += 0.5 + step.figures.span_ns.as_secs();
                search.tell(step);
            }
        }
    }
}

fn measured(search: &Search, planned: Planned, oracle: &mut impl Oracle) -> Step {
    let mut judge = search.judge(&planned);
    let none = Latencies::default();
    for index in 0.. {
        assert!(Nanos::from_secs(index) < planned.most, "{planned:?} does not end");
        let Second { completed, unsent, client_busy, evicted, reading } = oracle.second(planned.rate.0, index);
        let batch = Batch {
            span: Nanos::from_secs(1),
            offered: completed + unsent,
            completed,
            errors: 0,
            unsent,
            response: &none,
            slip_ns_p99: None,
            client_busy: Some(client_busy),
            evicted,
            replica_lag_bytes: None,
            clients_refused: 0,
        };
        if judge.tell_read(&batch, reading) == Flow::Stop {
            break;
        }
    }
    judge.finish()
}

/// A second in which `count` requests are answered, the share `beyond(limit)` of them not within a limit in seconds. For
/// promises of one percentile.
fn second(settings: &Settings, count: f64, beyond: impl Fn(f64) -> f64) -> Second {
    let condition = settings.promise.conditions()[0];
    let excess = |times: f64| vec![count * (beyond(condition.limit / 1e9 * times) - condition.allowance())];
    let reading = Reading { excess: excess(1.0), hopeless: excess(HOPELESS), strain: None };
    Second { completed: count as u64, unsent: 0, client_busy: 0.4, evicted: 0, reading }
}

fn settings(promise: &str) -> Settings {
    Settings::new(promise.parse().unwrap())
}

fn answer(search: &Search) -> f64 {
    search.capacity(Seed(1)).rate.expect("there is an answer").0
}

const MU: f64 = 50_000.0;

/// One queue, one server, exponential times. Seconds are alike, but for a common factor of a few per cent: near its limit
/// a queue remembers for long. In some of them the server stands still for a while.
/// Source: Kleinrock, "Queueing systems", volume 1, 1975, section 3.2: response times are exponential with rate µ - λ.
struct Queue {
    settings: Settings,
    draws: Draws,
    /// The share of seconds with a stall.
    stalls: f64,
    backlog: f64,
}

impl Queue {
    fn new(settings: &Settings, seed: u64, stalls: f64) -> Queue {
        Queue { settings: settings.clone(), draws: Seed(seed).draws(0), stalls, backlog: 0.0 }
    }
}

/// By Box and Muller: of mean 0 and deviation 1.
fn normal(draws: &mut Draws) -> f64 {
    (-2.0 * draws.unit().ln()).sqrt() * (std::f64::consts::TAU * draws.unit()).cos()
}

impl Oracle for Queue {
    fn peak(&mut self) -> f64 {
        MU * (0.9 + 0.2 * self.draws.unit())
    }

    fn second(&mut self, rate: f64, index: u64) -> Second {
        if index == 0 {
            self.backlog = 0.0;
        }
        if rate >= MU {
            // A queue without an end wanders as arrivals and services do, each by the root of its number.
            let wait = self.backlog / MU;
            self.backlog = (self.backlog + rate - MU + (2.0 * MU).sqrt() * normal(&mut self.draws)).abs();
            let late = second(&self.settings, MU, |limit| f64::from(wait > limit));
            return Second { unsent: self.backlog as u64, ..late };
        }
        let per_second = (MU - rate) * (0.05 * normal(&mut self.draws)).exp();
        // Who comes while the server stands still waits for the rest of that time at least.
        let is_stalled = self.draws.unit() < self.stalls;
        let stall = if is_stalled { 0.02 + 0.06 * self.draws.unit() } else { 0.0 };
        let mut met = second(&self.settings, rate, |limit| {
            let stalled = (stall - limit).max(0.0);
            stalled + (1.0 - stalled) * (-per_second * limit).exp()
        });
        // The 99th percentile over the limit of 2 ms; in a stall it is about as long as the stall.
        met.reading.strain = Some((100f64.ln() / per_second).max(stall) / 0.002);
        met
    }
}

/// Four minutes are what a search may take at its defaults.
#[test]
fn two_hundred_searches_with_stalls_in_them_find_the_limit_of_a_queue() {
    let limit = MU - 100f64.ln() / 0.002;
    let settings = settings("p99<2ms");
    for seed in 0..200 {
        let (search, spent) = searched(settings.clone(), &mut Queue::new(&settings, seed, 0.03));
        let off = answer(&search) / limit - 1.0;
        assert!(off.abs() < 0.03, "seed {seed}: {off}\n{}", told(&search));
        assert!(spent <= 240.0, "seed {seed}: {spent} s\n{}", told(&search));
        assert_eq!(search.ending, Some(Ending::Found));
    }
}

#[test]
fn the_curve_of_a_search_tells_where_the_limit_is_and_how_surely() {
    let limit = MU - 100f64.ln() / 0.002;
    let settings = settings("p99<2ms");
    let crossings = (0..6).map(|seed| {
        let (search, _) = searched(settings.clone(), &mut Queue::new(&settings, seed, 0.03));
        search.capacity(Seed(seed)).crossing.expect("the steps are on both sides of it")
    });
    for crossing in crossings {
        assert!((crossing.value / limit - 1.0).abs() < 0.02, "{crossing:?}");
        assert!(crossing.low.unwrap() <= crossing.value && crossing.value <= crossing.high.unwrap(), "{crossing:?}");
        assert!(crossing.high.unwrap() - crossing.low.unwrap() < limit * 0.1, "{crossing:?}");
    }
}

/// A line for each step, for who has to see why a test fails.
fn told(search: &Search) -> String {
    let line = |step: &Step| {
        let Planned { stage, rate, attempt, .. } = step.planned;
        let seconds = step.figures.span_ns.as_secs();
        format!("{stage:?} {:.0}/s #{attempt}: {:?} after {seconds} s, {:?}", rate.0, step.verdict, step.why)
    };
    search.steps.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Answers at once up to its limit, and not in time beyond it.
struct Limited {
    settings: Settings,
    limit: f64,
    /// From the first of these seconds of a step on, at more than the second of the two, it is not in time either.
    tires: Option<(u64, f64)>,
    /// The rate at which a load thread of the client has no time left.
    client: f64,
    evicts_from: f64,
}

impl Limited {
    fn new(settings: &Settings, limit: f64) -> Limited {
        let settings = settings.clone();
        Limited { settings, limit, tires: None, client: f64::INFINITY, evicts_from: f64::INFINITY }
    }
}

impl Oracle for Limited {
    fn peak(&mut self) -> f64 {
        if self.limit.is_finite() && self.limit > 0.0 { self.limit * 1.1 } else { 1000.0 }
    }

    fn second(&mut self, rate: f64, index: u64) -> Second {
        let is_tired = self.tires.is_some_and(|(from, above)| index >= from && rate > above);
        let is_late = rate > self.limit.min(self.client) || is_tired;
        let met = second(&self.settings, rate.ceil(), |_| f64::from(is_late));
        let evicted = u64::from(rate >= self.evicts_from);
        Second { client_busy: (rate / self.client).min(1.0), evicted, ..met }
    }
}

/// An oracle server keeps the promise up to `limit`; the search must find it from below.
#[test]
fn finds_the_limit_from_below() {
    for limit in [1.0, 999.0, 1_000.0, 1_001.0, 7_000_000.0] {
        for from in [None, Some(Rate(limit / 10.0)), Some(Rate(limit * 3.0))] {
            let settings = Settings { from, ..settings("p99<2ms") };
            let (search, _) = searched(settings.clone(), &mut Limited::new(&settings, limit));
            let found = answer(&search);
            assert!(found <= limit && found >= limit / 1.03, "{limit} from {from:?}: {found}\n{}", told(&search));
            assert_eq!(search.ending, Some(Ending::Found));
        }
    }
}

#[test]
fn a_promise_that_is_broken_at_hardly_any_load_is_not_searched_for() {
    let settings = settings("p99<2ms");
    let (search, _) = searched(settings.clone(), &mut Limited::new(&settings, 0.0));
    let capacity = search.capacity(Seed(1));
    assert_eq!((capacity.ended, capacity.rate, capacity.recommended), (Ending::FloorBroken, None, None));
    assert_eq!(capacity.steps.len(), 2, "once, and once more to confirm it");
    assert!(!capacity.is_at_least);
}

#[test]
fn a_promise_that_is_kept_up_to_the_highest_rate_that_is_allowed_is_held_there() {
    for from in [None, Some(Rate(500.0)), Some(Rate(50_000.0))] {
        let settings = Settings { max_rate: Some(Rate(20_000.0)), from, ..settings("p99<2ms") };
        let (search, _) = searched(settings.clone(), &mut Limited::new(&settings, f64::INFINITY));
        let capacity = search.capacity(Seed(1));
        assert_eq!((capacity.ended, capacity.rate), (Ending::MaxRate, Some(Rate(20_000.0))));
        assert!(capacity.is_held && capacity.is_at_least && capacity.peak.is_none());
        assert_eq!(capacity.recommended, Some(Rate(14_000.0)));
        assert!(capacity.steps.iter().all(|step| step.planned.rate.0 <= 20_000.0));
    }
}

#[test]
fn a_server_without_a_limit_is_not_searched_for_ever() {
    let settings = settings("p99<2ms");
    let (search, _) = searched(settings.clone(), &mut Limited::new(&settings, f64::INFINITY));
    let capacity = search.capacity(Seed(1));
    assert_eq!(capacity.ended, Ending::TooManySteps);
    assert!(capacity.is_at_least && !capacity.is_held && capacity.steps.len() <= STEPS_MAX);
}

#[test]
fn what_the_client_cannot_offer_is_not_the_limit_of_the_server() {
    let settings = settings("p99<2ms");
    let mut oracle = Limited { client: 20_000.0, ..Limited::new(&settings, 90_000.0) };
    let (search, _) = searched(settings.clone(), &mut oracle);
    let capacity = search.capacity(Seed(1));
    assert_eq!(capacity.ended, Ending::Client, "{}", told(&search));
    assert!(capacity.is_held && capacity.is_at_least);
    assert!((19_400.0..=20_000.0).contains(&capacity.rate.unwrap().0), "{:?}", capacity.rate);
}

#[test]
fn a_guard_ends_the_search_at_once() {
    let settings = settings("p99<2ms");
    let mut oracle = Limited { evicts_from: 5_000.0, ..Limited::new(&settings, 10_000.0) };
    let (search, _) = searched(settings.clone(), &mut oracle);
    let capacity = search.capacity(Seed(1));
    assert_eq!(capacity.ended, Ending::Guard(Guard::Evicted(1)));
    assert!(capacity.is_at_least && !capacity.is_held && capacity.rate.unwrap().0 < 5_000.0);
    let last = capacity.steps.last().unwrap();
    assert_eq!(last.figures.span_ns, Nanos::from_secs(1), "after the first batch that shows it");
    assert_eq!(capacity.steps.iter().filter(|step| step.planned.rate.0 >= 5_000.0).count(), 1);
}

/// A server that writes its data to disk after half a minute, and is slower meanwhile.
#[test]
fn only_what_is_held_is_the_answer() {
    let settings = settings("p99<2ms");
    let mut oracle = Limited { tires: Some((30, 930.0)), ..Limited::new(&settings, 1000.0) };
    let (search, _) = searched(settings.clone(), &mut oracle);
    let capacity = search.capacity(Seed(1));
    let found = capacity.rate.unwrap().0;
    assert!(capacity.is_held && (880.0..=930.0).contains(&found), "{found}\n{}", told(&search));
    assert_eq!(capacity.steps[capacity.held_step.unwrap()].planned.rate.0, found);
    // At no rate is it as good for long as it is at first.
    oracle.tires = Some((45, 0.0));
    let (search, _) = searched(settings.clone(), &mut oracle);
    let capacity = search.capacity(Seed(1));
    assert_eq!((capacity.ended, capacity.rate), (Ending::NotHeld, None), "{}", told(&search));
}

/// Somebody else's work slows the server down for a few seconds of the climb, whatever the rate.
#[test]
fn a_ceiling_that_failed_in_the_climb_only_is_asked_again() {
    struct Visited(Limited, u32);
    impl Oracle for Visited {
        fn peak(&mut self) -> f64 {
            self.0.peak()
        }

        fn second(&mut self, rate: f64, index: u64) -> Second {
            self.1 += 1;
            // Three seconds for the floor, and three for each of the first two steps of the climb.
            let is_visited = (10..14).contains(&self.1);
            if is_visited { second(&self.0.settings, rate, |_| 0.5) } else { self.0.second(rate, index) }
        }
    }
    let settings = settings("p99<2ms");
    let (search, _) = searched(settings.clone(), &mut Visited(Limited::new(&settings, 100_000.0), 0));
    assert!(search.steps.iter().any(|step| step.verdict == Verdict::Fail && step.planned.rate.0 < 60_000.0));
    let found = answer(&search);
    assert!((97_000.0..=100_000.0).contains(&found), "{}", told(&search));
}

#[test]
fn an_interruption_leaves_what_is_known() {
    let settings = settings("p99<2ms");
    let mut search = Search::new(settings.clone());
    assert_eq!(search.capacity(Seed(1)).rate, None);
    search.tell_peak(Rate(1000.0));
    let mut oracle = Limited::new(&settings, 1000.0);
    for _ in 0..3 {
        let Action::Step(planned) = search.next() else { panic!("{:?}", search.next()) };
        let step = measured(&search, planned, &mut oracle);
        search.tell(step);
    }
    search.interrupt();
    let capacity = search.capacity(Seed(1));
    assert_eq!((search.next(), capacity.ended), (Action::Done, Ending::Interrupted));
    assert!(capacity.is_at_least && !capacity.is_held);
    assert_eq!(capacity.rate, Some(Rate(375.0)));
    let json = serde_json::to_string(&capacity).unwrap();
    assert_eq!(serde_json::from_str::<Capacity>(&json).unwrap(), capacity);
}

#[test]
fn a_closed_loop_without_replies_is_no_guess() {
    for peak in [0.0, f64::NAN, f64::INFINITY] {
        let mut search = Search::new(settings("p99<2ms"));
        search.tell_peak(Rate(peak));
        assert_eq!((search.next(), search.capacity(Seed(1)).ended), (Action::Done, Ending::NoReplies));
    }
}

#[test]
fn a_step_is_as_long_as_its_stage_and_its_percentile_ask_for() {
    let seconds = |promise: &str, stage, rate| {
        let (span, most) = settings(promise).span(stage, rate);
        (span.as_secs(), most.as_secs())
    };
    assert_eq!(seconds("p99<2ms", Stage::Climb, 50_000.0), (3.0, 10.0));
    assert_eq!(seconds("p99<2ms", Stage::Floor, 2_500.0), (4.0, 10.0));
    assert_eq!(seconds("p99<2ms", Stage::Climb, 1_000.0), (10.0, 10.0));
    assert_eq!(seconds("p99.9<2ms", Stage::Climb, 5_000.0), (20.0, 20.0));
    assert_eq!(seconds("p99.9<2ms", Stage::Climb, 1.0), (40.0, 40.0));
    assert_eq!(seconds("errors<1%", Stage::Bisect, 1.0), (10.0, 20.0));
    assert_eq!(seconds("p99<2ms", Stage::Hold, 50_000.0), (60.0, 120.0));
}

/// A step that took its time, and used that much of its allowance.
fn tell_used(search: &mut Search, verdict: Verdict, used: f64) -> Planned {
    let Action::Step(planned) = search.next() else { panic!("there is a step to tell of") };
    tell_after(search, planned.most, verdict, used)
}

/// A step that ended after `span`.
fn tell_after(search: &mut Search, span: Nanos, verdict: Verdict, used: f64) -> Planned {
    let Action::Step(planned) = search.next() else { panic!("there is a step to tell of") };
    let completed = (planned.rate.0 * span.min(planned.span).as_secs()) as u64;
    let figures = Figures { span_ns: span, completed, ..Figures::default() };
    let why = (verdict == Verdict::Fail).then(|| Why::Broken(Vec::new()));
    let (strains, response) = (Vec::new(), Latencies::default());
    search.tell(Step { planned, verdict, why, figures, strains, used: Some(used), response });
    planned
}

/// A search from 1000 on, up to the first rate that is held: 1250 has passed, having used this much.
fn up_to_hold(used_at_floor: f64) -> Search {
    let mut search = Search::new(Settings { from: Some(Rate(1000.0)), resolution: 0.06, ..settings("p99<2ms") });
    for used in [0.01, 0.2, used_at_floor] {
        tell_used(&mut search, Verdict::Pass, used);
    }
    while !matches!(search.next(), Action::Step(Planned { stage: Stage::Hold, .. })) {
        tell_used(&mut search, Verdict::Fail, 9.0);
    }
    search
}

#[test]
fn what_has_hardly_passed_is_not_what_is_held_first() {
    let held = |used: f64| tell_used(&mut up_to_hold(used), Verdict::Pass, used).rate.0;
    assert_eq!(held(0.02), 1250.0);
    assert!((1212.5..1240.0).contains(&held(0.99)), "{}", held(0.99));
}

#[test]
fn a_hold_that_fails_at_once_is_tried_once_more() {
    let mut search = up_to_hold(0.02);
    let first = tell_after(&mut search, Nanos::from_secs(2), Verdict::Fail, 30.0);
    let second = tell_after(&mut search, Nanos::from_secs(2), Verdict::Fail, 30.0);
    assert_eq!(second, Planned { attempt: 2, ..first });
    let third = tell_after(&mut search, Nanos::from_secs(20), Verdict::Fail, 1.5);
    assert!(third.rate.0 < first.rate.0 && third.attempt == 1);
    let fourth = tell_used(&mut search, Verdict::Pass, 0.9);
    assert!(fourth.rate.0 < third.rate.0, "what took its time is not repeated");
}

#[test]
fn after_a_hold_that_failed_the_next_is_where_all_steps_cross_the_promise() {
    let next = |used: f64| {
        let mut search = up_to_hold(0.02);
        tell_used(&mut search, Verdict::Fail, used);
        tell_used(&mut search, Verdict::Pass, 0.9).rate.0
    };
    // Half a resolution down at the least, and one and a half at the most.
    assert_eq!((next(1.01), next(30.0)), (1212.5, 1137.5));
    // Of 8 s with a fiftieth of the allowance and 60 s with three times as much, 2.65 times were used; at 1000/s, a fifth.
    let share = 5f64.ln() / (5f64.ln() + 2.65f64.ln());
    assert!((next(3.0) - (1000.0 + 250.0 * share)).abs() < 1.0, "{} {share}", next(3.0));
}

/// What came of a step in which requests were sent `slip` late, and answered `response` after they were due.
fn tell_late(search: &mut Search, verdict: Verdict, slip: Nanos, response: Nanos) {
    let Action::Step(planned) = search.next() else { panic!("there is a step to tell of") };
    let mut latencies = Latencies::default();
    latencies.record(response, 1000);
    let figures = Figures { slip_ns_p99: Some(slip), span_ns: planned.span, completed: 1000, ..Figures::default() };
    let why = (verdict == Verdict::Fail).then(|| Why::Broken(Vec::new()));
    search.tell(Step { planned, verdict, why, figures, strains: Vec::new(), used: None, response: latencies });
}

/// At the floor somebody is always free: when requests go out late there, a processor woke up late.
#[test]
fn lateness_of_our_own_at_the_floor_says_nothing_of_the_server() {
    let (late, in_time) = (Nanos::from_millis(5), Nanos(100_000));
    let quick = Nanos(200_000);
    let begun = || {
        let mut search = Search::new(settings("p99<2ms"));
        search.tell_peak(Rate(100_000.0));
        (0..2).for_each(|_| tell_late(&mut search, Verdict::Fail, late, late + quick));
        search
    };
    let mut search = begun();
    assert!(matches!(search.next(), Action::Step(Planned { stage: Stage::Climb, .. })), "the search goes on");
    tell_late(&mut search, Verdict::Pass, in_time, quick);
    assert!(matches!(search.next(), Action::Step(Planned { stage: Stage::Climb, .. })));
    // Late at more than hardly any load, too: nothing in between is tried.
    let mut search = begun();
    (0..2).for_each(|_| tell_late(&mut search, Verdict::Fail, late, late + quick));
    assert_eq!(search.next(), Action::Done);
    let capacity = search.capacity(Seed(1));
    assert_eq!((capacity.ended, capacity.rate), (Ending::Late, None));
    // In time, and broken: that is the server. Late, and broken by far more than that: the server, too.
    for (slip, response) in [(in_time, late), (late, Nanos::from_millis(20))] {
        let mut search = Search::new(settings("p99<2ms"));
        search.tell_peak(Rate(100_000.0));
        (0..2).for_each(|_| tell_late(&mut search, Verdict::Fail, slip, response));
        assert_eq!(search.capacity(Seed(1)).ended, Ending::FloorBroken);
    }
}

/// A server on a machine with neighbours: how many requests are beyond what is promised follows the rate as slowly as on
/// a redis-server whose processor is taken away now and then, and wanders, by seconds and by minutes.
struct Restless {
    settings: Settings,
    draws: Draws,
    limit: f64,
    /// Of the logarithm of that share: what is left of it for seconds, and for a minute.
    quick: f64,
    slow: f64,
}

impl Restless {
    /// How fast the share grows: by this power of the rate.
    const POWER: f64 = 7.0;
    /// Standard deviations of the two.
    const QUICK: f64 = 0.5;
    const SLOW: f64 = 0.2;

    fn new(settings: &Settings, seed: u64) -> Restless {
        Restless { settings: settings.clone(), draws: Seed(seed).draws(0), limit: 80_000.0, quick: 0.0, slow: 0.0 }
    }

    fn wander(&mut self) -> f64 {
        let mut step = |value: f64, deviation: f64, seconds: f64| {
            let kept = (-1.0 / seconds).exp();
            value * kept + deviation * (1.0 - kept * kept).sqrt() * normal(&mut self.draws)
        };
        self.quick = step(self.quick, Restless::QUICK, 3.0);
        self.slow = step(self.slow, Restless::SLOW, 60.0);
        self.quick + self.slow
    }
}

impl Oracle for Restless {
    fn peak(&mut self) -> f64 {
        2.0 * self.limit
    }

    fn second(&mut self, rate: f64, _: u64) -> Second {
        // Its mean is 1 where the promise is crossed.
        let mean = (Restless::QUICK.powi(2) + Restless::SLOW.powi(2)) / 2.0;
        let used = (Restless::POWER * (rate / self.limit).ln() + self.wander() - mean).exp();
        // Ten times as late are so many fewer.
        second(&self.settings, rate, |limit| (0.01 * used * if limit > 0.002 { 1e-3 } else { 1.0 }).min(1.0))
    }
}

/// What is held depends on when it is held, so no search is sure to be near another. Most are, in most of the time that a
/// search may take.
#[test]
fn searches_on_a_restless_machine_agree_and_end() {
    let settings = settings("p99<1ms");
    let searches: Vec<(f64, f64)> = (0..9000)
        .map(|seed| {
            let (search, spent) = searched(settings.clone(), &mut Restless::new(&settings, seed));
            assert_eq!(search.ending, Some(Ending::Found), "seed {seed}\n{}", told(&search));
            (answer(&search), spent)
        })
        .collect();
    let share = |count: usize, all: usize| count as f64 / all as f64;
    let in_time = share(searches.iter().filter(|(_, spent)| *spent <= 240.0).count(), searches.len());
    assert!(in_time > 0.84, "{in_time}");
    let near = searches.chunks(3).filter(|three| {
        let rates = || three.iter().map(|(rate, _)| *rate);
        rates().fold(0.0, f64::max) - rates().fold(f64::INFINITY, f64::min) < 0.08 * 80_000.0
    });
    let near = share(near.count(), searches.len() / 3);
    assert!(near > 0.84, "{near}");
}
