//! Which rate is offered next, and when the answer is found.
//!
//! A closed loop gives a first guess. The promise is tried at hardly any load, then at rates that climb by a quarter
//! until one fails, then between the highest that passed and the lowest that failed, and at last for long at the highest
//! that passed: only what is held is an answer. A failure is confirmed before it counts.

mod answer;
mod settings;
#[cfg(test)]
mod tests;

pub use answer::{Capacity, Ending};
pub use settings::Settings;

use super::batch::Guard;
use super::judge::Judge;
use super::step::{Planned, Stage, Step, Verdict, Why};
use crate::stats::crossing::{blur, mean_crossing};
use crate::units::{Nanos, Rate};

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Action {
    /// A closed loop for so long, as fast as it goes.
    Peak(Nanos),
    Step(Planned),
    Done,
}

/// Of the first guess: the load at which a promise that can be kept is kept.
const FLOOR: f64 = 0.05;

/// Of the first guess: where the climb begins.
const FOOT: f64 = 0.3;

const CLIMB: f64 = 1.25;

/// A rate that failed when it was held is followed by lower ones. On a machine that stalls now and then, what passes for
/// seconds may not be held for long.
const HOLDS_MAX: u32 = 8;

/// How far below a rate that was not held the next one is at least, in resolutions: a search that has failed to hold
/// several is to find one before it knows which is the highest.
const DOWN: [f64; 4] = [0.5, 1.0, 2.0, 4.0];

/// How many holds fail before the next of them counts.
const HOLDS_EACH: u32 = 2;

/// How far below it is at most, in resolutions, where the least is not more.
const DOWN_MAX: f64 = 1.5;

/// How far below the crossing what is held first is at least, in resolutions.
const SURE: f64 = 0.25;

/// How blurred the crossing is taken to be at most, in resolutions.
const BLUR_MAX: f64 = 0.9;

/// From this share of the crossing on, steps are near enough to it to contradict each other.
const NEAR: f64 = 0.85;

/// After the time of so many bisections, what is known of the rate to be held has to do.
const NARROWING: u64 = 7;

/// After so many passes in a row, a ceiling that failed in the climb is asked again: those who look for it below may look
/// in vain.
const PASSES_IN_VAIN: u32 = 2;

/// Of the resolution, what floor and ceiling may be apart: the rest is for the noise in the verdicts on them.
const APART: f64 = 0.9;

/// Whatever the server is like, a search ends. A climb of a hundred steps goes from one request a second to a billion.
const STEPS_MAX: usize = 150;

/// A failure that took less than so many steps is measured once more.
const CONFIRMED_STEPS: u64 = 3;

const PEAK_SPAN: Nanos = Nanos::from_secs(3);

#[derive(Debug)]
pub struct Search {
    settings: Settings,
    next: Action,
    peak: Option<Rate>,
    /// Where the climb begins.
    foot: f64,
    /// The highest rate that passed, and the lowest that failed.
    floor: Option<f64>,
    /// Whether the lowest rate of all is only taken to pass, because it failed by our own doing.
    is_floor_assumed: bool,
    ceiling: Option<f64>,
    /// Whether the ceiling failed in a short step of the climb, and in no longer one.
    is_ceiling_rough: bool,
    /// Steps that passed since the ceiling was found.
    passes: u32,
    /// Whether the ceiling is the client's.
    is_client_limited: bool,
    /// The time of all bisections.
    narrowed: Nanos,
    failed_holds: u32,
    /// The place of the step that was held.
    held: Option<usize>,
    ending: Option<Ending>,
    steps: Vec<Step>,
}

impl Search {
    pub fn new(settings: Settings) -> Search {
        let mut search = Search {
            next: Action::Peak(PEAK_SPAN),
            peak: None,
            foot: 0.0,
            floor: None,
            is_floor_assumed: false,
            ceiling: None,
            is_ceiling_rough: false,
            passes: 0,
            is_client_limited: false,
            narrowed: Nanos::ZERO,
            failed_holds: 0,
            held: None,
            ending: None,
            steps: Vec::new(),
            settings,
        };
        // A closed loop knows no limit of its rate, so where one is set there is none.
        match (search.settings.from, search.settings.max_rate) {
            (Some(from), _) => search.begin(from, 1.0),
            (None, Some(max)) => search.begin(max, FOOT),
            (None, None) => {}
        }
        search
    }

    pub fn next(&self) -> Action {
        self.next
    }

    /// For the step that is next.
    pub fn judge(&self, planned: &Planned) -> Judge {
        Judge::new(&self.settings.promise, self.settings.guards, *planned)
    }

    /// What a closed loop reached.
    pub fn tell_peak(&mut self, peak: Rate) {
        self.peak = Some(peak);
        self.begin(peak, FOOT);
    }

    /// What came of the step that was next.
    pub fn tell(&mut self, step: Step) {
        let (planned, verdict, why) = (step.planned, step.verdict, step.why.clone());
        let measured = step.figures.span_ns;
        if planned.stage == Stage::Bisect {
            self.narrowed = self.narrowed + measured;
        }
        let is_late = self.is_late(&step);
        self.steps.push(step);
        if let Some(Why::Guard(guard)) = why {
            return self.end(Ending::Guard(guard));
        }
        if self.steps.len() >= STEPS_MAX {
            return self.end(Ending::TooManySteps);
        }
        let rate = planned.rate.0;
        if verdict == Verdict::Pass {
            self.is_floor_assumed = false;
            self.floor = Some(self.floor.map_or(rate, |floor| floor.max(rate)));
            self.passes += 1;
            return self.passed(planned);
        }
        // A failure that took as long as several steps has had the time of its repetition already. What is held is lowered
        // rather than repeated, but for what failed in no time: that was an accident, or will fail as soon again.
        let steps = if planned.stage == Stage::Hold { 1 } else { CONFIRMED_STEPS };
        if planned.attempt == 1 && measured.0 < self.settings.step_ns.0.saturating_mul(steps) {
            self.next = Action::Step(Planned { attempt: 2, ..planned });
            return;
        }
        if is_late && planned.stage == Stage::Floor {
            // It says nothing of the server: whether the floor holds is left to the steps above it.
            self.is_floor_assumed = true;
            self.floor = Some(rate);
            return self.passed(planned);
        }
        if is_late && self.is_floor_assumed && self.floor == Some(self.steps[0].planned.rate.0) {
            // Late at hardly any load, and late at more: what lies between would be no better.
            return self.end(Ending::Late);
        }
        (self.ceiling, self.passes) = (Some(rate), 0);
        self.is_ceiling_rough = planned.stage == Stage::Climb;
        self.is_client_limited = matches!(why, Some(Why::Client(_)));
        self.failed(planned);
    }

    /// The steps so far, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Nothing more is done, and what is known is the answer.
    pub fn interrupt(&mut self) {
        if self.next != Action::Done {
            self.end(Ending::Interrupted);
        }
    }

    /// Whether a step failed because requests went out so late that the promise could hardly be kept. At the floor somebody
    /// is always free to send them: a processor that had gone to sleep was late to wake up, and that is no doing of the
    /// server. What would be broken if each had been answered earlier by as much is broken by the server.
    fn is_late(&self, step: &Step) -> bool {
        let promise = &self.settings.promise;
        let promised = promise.longest().unwrap_or_default();
        let (figures, slip) = (&step.figures, step.figures.slip_ns_p99.unwrap_or_default());
        let broken = promise.broken(&step.response, figures.errors, figures.completed + figures.errors);
        promised > Nanos::ZERO && slip.0 >= promised.0 / 2 && broken.iter().all(|broken| broken.is_within(slip))
    }

    fn begin(&mut self, guess: Rate, foot: f64) {
        if !guess.0.is_finite() || guess.0 <= 0.0 {
            return self.end(Ending::NoReplies);
        }
        self.foot = self.capped(guess.0 * foot);
        self.plan(Stage::Floor, self.capped(guess.0 * FLOOR));
    }

    fn passed(&mut self, planned: Planned) {
        let rate = planned.rate.0;
        match planned.stage {
            Stage::Floor => self.plan(Stage::Climb, self.foot.max(rate)),
            Stage::Bisect if self.ceiling.is_some_and(|ceiling| rate < ceiling) => self.narrow(),
            // Of the bisections, the one that asked the ceiling again.
            Stage::Climb | Stage::Bisect => {
                self.ceiling = None;
                let stage = if self.is_top(rate) { Stage::Hold } else { Stage::Climb };
                self.plan(stage, if stage == Stage::Hold { rate } else { self.capped(rate * CLIMB) });
            }
            Stage::Hold => {
                self.held = Some(self.steps.len() - 1);
                self.end(if self.is_top(rate) {
                    Ending::MaxRate
                } else if self.is_client_limited {
                    Ending::Client
                } else {
                    Ending::Found
                });
            }
        }
    }

    fn failed(&mut self, planned: Planned) {
        match planned.stage {
            Stage::Floor if self.is_client_limited => self.end(Ending::Client),
            Stage::Floor => self.end(Ending::FloorBroken),
            Stage::Climb | Stage::Bisect => self.narrow(),
            Stage::Hold => {
                self.failed_holds += 1;
                if self.failed_holds >= HOLDS_MAX {
                    return self.end(Ending::NotHeld);
                }
                let rate = self.below(planned.rate.0);
                self.floor = Some(rate);
                self.plan(Stage::Hold, rate);
            }
        }
    }

    /// Where all steps together say that the promise is crossed, and how blurred that is, as a share. In a long time there are
    /// accidents that a step has no part of, or too great a part.
    fn crossing(&self) -> Option<(f64, f64)> {
        let requests = |step: &Step| (step.figures.completed + step.figures.errors) as f64;
        let of = |step: &Step| Some((step.planned.rate.0, step.used?, requests(step)));
        let steps: Vec<_> = self.steps.iter().filter_map(of).collect();
        let crossing = mean_crossing(&steps)?;
        let blur = blur(&steps, crossing).filter(|_| self.is_contradictory(crossing * NEAR)).unwrap_or(0.0);
        Some((crossing, blur.min(self.settings.resolution * BLUR_MAX)))
    }

    /// Whether a rate passed that is higher than one that failed, of rates above `from`.
    fn is_contradictory(&self, from: f64) -> bool {
        let rates = |verdict: Verdict| {
            self.steps.iter().filter(move |step| step.verdict == verdict).map(|step| step.planned.rate.0)
        };
        let lowest = rates(Verdict::Fail).filter(|rate| *rate > from).fold(f64::INFINITY, f64::min);
        rates(Verdict::Pass).any(|rate| rate > lowest)
    }

    /// What to hold after `rate` was not.
    fn below(&self, rate: f64) -> f64 {
        let least = DOWN[(((self.failed_holds - 1) / HOLDS_EACH) as usize).min(DOWN.len() - 1)];
        let [highest, lowest] = [least, DOWN_MAX.max(least)].map(|down| rate * (1.0 - self.settings.resolution * down));
        self.crossing().map_or(rate, |(crossing, blur)| crossing * (1.0 - blur)).clamp(lowest, highest)
    }

    /// What to hold when the floor is as high as it gets: not what has passed by luck alone.
    fn first_hold(&self, floor: f64) -> f64 {
        let Some((crossing, blur)) = self.crossing() else { return floor };
        let [sure, least] = [SURE, DOWN[0]].map(|down| blur.max(self.settings.resolution * down));
        (crossing * (1.0 - sure)).clamp(floor * (1.0 - least), floor)
    }

    /// Between floor and ceiling, or, when they are near enough or the time is over, to hold the floor.
    fn narrow(&mut self) {
        let (Some(floor), Some(ceiling)) = (self.floor, self.ceiling) else {
            return self.end(Ending::FloorBroken);
        };
        let is_apart = ceiling / floor - 1.0 > self.settings.resolution * APART;
        let (bisection, _) = self.settings.span(Stage::Bisect, floor);
        let is_time_over = self.narrowed.0 >= bisection.0.saturating_mul(NARROWING);
        if self.is_ceiling_rough && (!is_apart || self.passes >= PASSES_IN_VAIN) && !is_time_over {
            // What failed in the climb may have been an accident, twice.
            self.plan(Stage::Bisect, ceiling);
        } else if is_apart && !is_time_over {
            self.plan(Stage::Bisect, (floor * ceiling).sqrt());
        } else {
            self.plan(Stage::Hold, self.first_hold(floor));
        }
    }

    fn plan(&mut self, stage: Stage, rate: f64) {
        let (span, most) = self.settings.span(stage, rate);
        self.next = Action::Step(Planned { rate: Rate(rate), stage, attempt: 1, span, most });
    }

    fn end(&mut self, ending: Ending) {
        self.ending = Some(ending);
        self.next = Action::Done;
    }

    fn capped(&self, rate: f64) -> f64 {
        self.settings.max_rate.map_or(rate, |max| rate.min(max.0))
    }

    fn is_top(&self, rate: f64) -> bool {
        self.settings.max_rate.is_some_and(|max| rate >= max.0)
    }
}
