//! A line about the test at hand, on stderr, for whoever sits before a terminal.

use crate::event::{Event, Goal, Observer};
use crate::units::{Nanos, Rate};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Draws how far a test has come: share done, rate, median and 99th percentile of the last moments, time left.
#[derive(Default)]
pub struct Progress {
    bar: Option<ProgressBar>,
    goal: Option<Goal>,
    elapsed: Nanos,
    completed: u64,
}

const TEMPLATE: &str = "{prefix} {bar:24} {percent:>3}%  {msg}  {eta} left";

impl Observer for Progress {
    fn observe(&mut self, event: &Event) {
        match event {
            Event::Started { title, goal } => {
                // Time is counted in milliseconds.
                let length = match goal {
                    Goal::Requests(requests) => *requests,
                    Goal::Time(time) => time.0 / 1_000_000,
                };
                let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
                bar.set_style(ProgressStyle::with_template(TEMPLATE).expect("the template is well formed"));
                bar.set_prefix((*title).to_owned());
                *self = Progress { bar: Some(bar), goal: Some(*goal), elapsed: Nanos::ZERO, completed: 0 };
            }
            Event::Progress { elapsed, completed, recent } => {
                let Some(bar) = &self.bar else { return };
                // Each load thread reports for itself; the rate is of all of them, whenever time has moved.
                if *elapsed > self.elapsed {
                    let rate = Rate::of(completed - self.completed, *elapsed - self.elapsed);
                    let millis = |percentile| {
                        recent.service.at(percentile).map_or("-".to_owned(), |at| format!("{:.3}", at.0 as f64 / 1e6))
                    };
                    bar.set_message(format!("{:.0} rps  p50 {} ms  p99 {} ms", rate.0, millis(50.0), millis(99.0)));
                    (self.elapsed, self.completed) = (*elapsed, *completed);
                }
                bar.set_position(match self.goal {
                    Some(Goal::Time(_)) => elapsed.0 / 1_000_000,
                    _ => *completed,
                });
            }
            Event::Sending { .. } | Event::Interval { .. } => {}
            Event::Ended { .. } => {
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                }
            }
        }
    }

    fn follows(&self) -> bool {
        true
    }
}
