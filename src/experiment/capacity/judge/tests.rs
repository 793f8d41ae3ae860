//! Judging with real histograms.

use super::*;
use crate::experiment::capacity::{Guard, Stage};
use crate::units::{Rate, Seed};

const RATE: u64 = 1000;

fn planned(seconds: u64) -> Planned {
    let (span, most) = (Nanos::from_secs(seconds), Nanos::from_secs(4 * seconds));
    Planned { rate: Rate(RATE as f64), stage: Stage::Bisect, attempt: 1, span, most }
}

/// A second's worth of replies, `slow` of which take `millis`.
fn replies(slow: u64, millis: u64) -> Latencies {
    let mut latencies = Latencies::default();
    latencies.record(Nanos(100_000), RATE - slow);
    latencies.record(Nanos::from_millis(millis), slow);
    latencies
}

fn batch(response: &Latencies) -> Batch<'_> {
    Batch {
        span: Nanos::from_secs(1),
        offered: RATE,
        completed: response.count(),
        errors: 0,
        unsent: 0,
        response,
        slip_ns_p99: None,
        client_busy: None,
        evicted: 0,
        replica_lag_bytes: None,
        clients_refused: 0,
    }
}

/// A step of ten seconds whose seconds are made by `second`, until it is judged.
fn judged<'a>(promise: &str, second: impl FnMut(u64) -> Batch<'a>) -> Step {
    judged_as(planned(10), promise, second)
}

fn judged_as<'a>(planned: Planned, promise: &str, mut second: impl FnMut(u64) -> Batch<'a>) -> Step {
    let mut judge = Judge::new(&promise.parse().unwrap(), Guards::default(), planned);
    let seconds = (0..).position(|index| judge.tell(&second(index)) == Flow::Stop);
    assert!(seconds.is_some_and(|last| last < 40), "a step ends");
    judge.finish()
}

fn outcome(step: &Step) -> (Verdict, u64) {
    (step.verdict, step.figures.span_ns.as_secs() as u64)
}

#[test]
fn a_promise_that_is_kept_passes_after_the_span_that_was_planned() {
    let quick = replies(9, 3);
    let step = judged("p99<2ms,errors<0.1%", |_| batch(&quick));
    assert_eq!((outcome(&step), step.why), ((Verdict::Pass, 10), None));
    let figures = step.figures;
    assert_eq!((figures.offered, figures.completed, figures.achieved), (10_000, 10_000, Rate(1000.0)));
    assert_eq!(figures.response_ns_p99, step.response.at(99.0));
    assert_eq!(step.strains.len(), 10);
}

/// Twelve of a thousand, where ten may be: with nine of ten seconds over, the tenth does not mend it. Three of ten: the
/// second second decides, because the first might have been an accident.
#[test]
fn a_failure_ends_the_step_as_soon_as_the_rest_cannot_mend_it() {
    let (slightly, hardly) = (replies(12, 3), replies(300, 3));
    assert_eq!(outcome(&judged("p99<2ms", |_| batch(&slightly))), (Verdict::Fail, 9));
    let step = judged("p99<2ms", |_| batch(&hardly));
    assert_eq!(outcome(&step), (Verdict::Fail, 2));
    assert!(matches!(step.why, Some(Why::Broken(broken)) if broken[0].condition.to_string() == "p99<2ms"));
}

/// Thirteen of a thousand, where ten may be: at the end that is a failure of anything, and of a hold it is one sooner.
#[test]
fn what_is_held_is_given_up_after_a_quarter_that_promises_no_good() {
    let (slightly, hardly) = (replies(13, 3), replies(12, 3));
    let hold = Planned { stage: Stage::Hold, most: Nanos::from_secs(30), ..planned(30) };
    let after = |planned, slow: &Latencies| outcome(&judged_as(planned, "p99<2ms", |_| batch(slow)));
    assert_eq!(after(hold, &slightly), (Verdict::Fail, 8));
    assert_eq!(after(hold, &hardly), (Verdict::Fail, 26), "it may get better yet");
    assert_eq!(after(Planned { stage: Stage::Bisect, ..hold }, &slightly), (Verdict::Fail, 24));
    // One bad second is left out.
    let (quick, bad) = (replies(2, 3), replies(300, 80));
    let step = judged_as(hold, "p99<2ms", |index| batch(if index == 3 { &bad } else { &quick }));
    assert_eq!(outcome(&step), (Verdict::Unclear, 30));
}

/// Two of a thousand are late in each second, where ten may be, so a second outweighs eight of those that a stall made late.
#[test]
fn what_is_held_is_extended_by_what_outweighs_a_stall() {
    let quick = replies(2, 3);
    let hold = Planned { stage: Stage::Hold, most: Nanos::from_secs(60), ..planned(30) };
    let stalled = |stalls: &[u64], count: u64| {
        let bad = replies(count, 3);
        outcome(&judged_as(hold, "p99<2ms", |index| batch(if stalls.contains(&index) { &bad } else { &quick })))
    };
    assert_eq!(stalled(&[3], 200), (Verdict::Pass, 30), "the hold is long enough for it");
    assert_eq!(stalled(&[3], 300), (Verdict::Pass, 38), "290 too many are 58 too many after 30 s");
    assert_eq!(stalled(&[3], 900), (Verdict::Unclear, 30), "a minute would not do");
    let (full, bad) = (replies(10, 3), replies(300, 3));
    let step = judged_as(hold, "p99<2ms", |index| batch(if index == 3 { &bad } else { &full }));
    assert_eq!(outcome(&step), (Verdict::Unclear, 30), "others that spare nothing never outweigh it");
    assert_eq!(stalled(&[3, 32], 300), (Verdict::Fail, 38), "two are no accident");
}

#[test]
fn a_step_tells_how_much_of_its_allowance_it_used() {
    let (slow, quick) = (replies(5, 3), replies(0, 3));
    let used = |promise: &str| judged(promise, |index| batch(if index < 4 { &slow } else { &quick })).used;
    assert!((used("p99<2ms").unwrap() - 0.2).abs() < 1e-9);
    assert!((used("p99<2ms,p99.5<2ms").unwrap() - 0.4).abs() < 1e-9, "of the condition that is nearest to its end");
    assert_eq!(used("max<20ms"), None, "nothing is allowed");
}

#[test]
fn one_bad_batch_is_unclear_until_more_of_the_others_outweigh_it() {
    let (quick, bad) = (replies(2, 3), replies(200, 80));
    let step = judged("p99<2ms", |index| batch(if index == 3 { &bad } else { &quick }));
    assert_eq!((outcome(&step), step.why), ((Verdict::Pass, 40), None));
    // So bad that forty seconds do not outweigh it.
    let worse = replies(900, 80);
    let step = judged("p99<2ms", |index| batch(if index == 3 { &worse } else { &quick }));
    assert_eq!((outcome(&step), step.why), ((Verdict::Unclear, 40), Some(Why::OneBatch)));
    // Two are no accident.
    let step = judged("p99<2ms", |index| batch(if index % 4 == 3 { &bad } else { &quick }));
    assert_eq!(step.verdict, Verdict::Fail);
}

#[test]
fn what_gets_worse_is_looked_at_for_longer() {
    let (quick, slower) = (replies(0, 3), replies(15, 3));
    let step = judged("p99<2ms", |index| batch(if index < 5 { &quick } else { &slower }));
    assert_eq!(outcome(&step), (Verdict::Fail, 19));
    let step = judged("p99<2ms", |index| batch(if (5..10).contains(&index) { &slower } else { &quick }));
    assert_eq!(outcome(&step), (Verdict::Pass, 20));
}

#[test]
fn what_is_hopeless_is_ended_at_once_and_one_stall_is_not() {
    // Three of two hundred, thirty times as late as promised.
    let late = replies(15, 60);
    let step = judged("p99<2ms", |_| batch(&late));
    assert!(outcome(&step).1 <= 4, "{:?}", outcome(&step));
    let quick = replies(0, 3);
    let step = judged("p99<2ms", |index| batch(if index == 0 { &late } else { &quick }));
    assert_eq!(outcome(&step), (Verdict::Pass, 10));
}

#[test]
fn a_backlog_that_grows_or_stays_deep_is_lost() {
    let quick = replies(0, 3);
    let with = |unsent: u64| Batch { unsent, ..batch(&quick) };
    let step = judged("p99<2ms", |index| with(3 + index));
    assert_eq!((outcome(&step), step.why), ((Verdict::Fail, 3), Some(Why::Backlog(5))));
    let step = judged("p99<2ms", |_| with(50));
    assert_eq!((outcome(&step), step.why), ((Verdict::Fail, 2), Some(Why::Backlog(50))));
    // A stall at the end of a batch, and what a queue holds that keeps its promise.
    let step = judged("p99<2ms", |index| with(if index == 4 { 400 } else { index % 2 }));
    assert_eq!(outcome(&step), (Verdict::Pass, 10));
}

#[test]
fn errors_and_maxima_are_not_forgiven() {
    let quick = replies(0, 3);
    let step = judged("p99<2ms,errors<0.1%", |index| Batch { errors: 20 * u64::from(index == 1), ..batch(&quick) });
    assert_eq!(outcome(&step), (Verdict::Fail, 2));
    assert!(matches!(step.why, Some(Why::Broken(broken)) if broken[0].condition.to_string() == "errors<0.1%"));
    let late = replies(1, 30);
    assert_eq!(
        outcome(&judged("max<20ms", |index| batch(if index == 6 { &late } else { &quick }))),
        (Verdict::Fail, 7)
    );
    assert_eq!(outcome(&judged("errors<=0", |_| batch(&quick))), (Verdict::Pass, 10));
}

#[test]
fn what_is_offered_has_to_be_completed() {
    let few = replies(0, 3);
    let step = judged("p99<2ms", |_| Batch { offered: RATE * 21 / 20, ..batch(&few) });
    assert!(matches!(step.why, Some(Why::Achieved(share)) if (share - 20.0 / 21.0).abs() < 1e-9), "{:?}", step.why);
    assert_eq!(
        outcome(&judged("p99<2ms", |_| Batch { offered: RATE * 101 / 100, ..batch(&few) })),
        (Verdict::Pass, 10)
    );
    let none = Latencies::default();
    let step = judged("p99<2ms", |_| batch(&none));
    assert_eq!((step.verdict, step.why), (Verdict::Fail, Some(Why::Achieved(0.0))));
}

/// Three in a hundred are error replies, where five may be: all of them were answered.
#[test]
fn errors_that_are_promised_are_not_missing() {
    let few = replies(0, 3);
    let third = |_| Batch { completed: RATE * 97 / 100, errors: RATE * 3 / 100, ..batch(&few) };
    assert_eq!(judged("p99<2ms,errors<5%", third).verdict, Verdict::Pass);
}

/// Without a closed loop nobody knows what a request costs until the step is over.
#[test]
fn a_client_without_time_is_named_when_its_step_is_over() {
    let told = |slow, busy| {
        let mut judge = Judge::new(&"p99<2ms".parse().unwrap(), Guards::default(), planned(10));
        let replies = replies(slow, 3);
        while judge.tell(&batch(&replies)) == Flow::Continue {}
        judge.tell_client(busy);
        let step = judge.finish();
        (step.verdict, step.why == Some(Why::Client(busy)), step.figures.client_busy)
    };
    assert_eq!(told(300, 0.97), (Verdict::Fail, true, Some(0.97)));
    assert_eq!(told(300, 0.5), (Verdict::Fail, false, Some(0.5)));
    assert_eq!(told(0, 0.97), (Verdict::Pass, false, Some(0.97)));
}

#[test]
fn a_client_without_time_is_named_for_a_failure_and_not_for_a_pass() {
    let (late, quick) = (replies(300, 3), replies(0, 3));
    let busy = |response| Batch { client_busy: Some(0.97), ..batch(response) };
    assert_eq!(judged("p99<2ms", |_| busy(&late)).why, Some(Why::Client(0.97)));
    assert_eq!(judged("p99<2ms", |_| busy(&quick)).verdict, Verdict::Pass);
}

#[test]
fn each_guard_ends_the_step_with_its_first_batch() {
    let quick = replies(0, 3);
    let stopped = |told: Batch<'_>| {
        let mut judge = Judge::new(&"p99<2ms".parse().unwrap(), Guards::default(), planned(10));
        (judge.tell(&told), judge.finish().why)
    };
    let guard = |guard| (Flow::Stop, Some(Why::Guard(guard)));
    assert_eq!(stopped(Batch { evicted: 7, ..batch(&quick) }), guard(Guard::Evicted(7)));
    assert_eq!(stopped(Batch { clients_refused: 2, ..batch(&quick) }), guard(Guard::ClientsRefused(2)));
    let lag = 17 << 20;
    assert_eq!(stopped(Batch { replica_lag_bytes: Some(lag), ..batch(&quick) }), guard(Guard::ReplicaLag(lag)));
    let behind = Batch { replica_lag_bytes: Some(1000), ..batch(&quick) };
    assert_eq!(stopped(behind), (Flow::Continue, Some(Why::CutShort)));
}

/// Whatever the batches are like.
#[test]
fn what_passes_keeps_the_promise_as_a_whole() {
    let promise: Promise = "p99<2ms,mean<300us".parse().unwrap();
    let mut draws = Seed(5).draws(0);
    let (mut passed, mut others) = (0, 0);
    for _ in 0..16 {
        let most = 5 + draws.below(20);
        let mut judge = Judge::new(&promise, Guards::default(), planned(4));
        while judge.tell(&batch(&replies(draws.below(most + 1), 2 + draws.below(20)))) == Flow::Continue {}
        let step = judge.finish();
        let is_kept = promise.broken(&step.response, 0, step.figures.completed).is_empty();
        match step.verdict {
            Verdict::Pass => assert!(is_kept, "{step:?}"),
            Verdict::Fail | Verdict::Unclear => others += 1,
        }
        passed += u32::from(step.verdict == Verdict::Pass);
    }
    assert!(passed > 2 && others > 2, "{passed} and {others}");
}
