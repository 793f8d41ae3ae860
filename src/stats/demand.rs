//! Whether a demand fits into a capacity, and how many servers of that capacity it would take: arithmetic that can be
//! shown step by step.

use crate::units::Rate;
use serde::{Deserialize, Serialize};

/// Each figure comes from those above it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Demand {
    pub demand: Rate,
    /// What one server carried.
    pub capacity: Rate,
    /// Of the capacity, the share that is recommended.
    pub headroom: f64,
    /// `capacity * headroom`.
    pub recommended: Rate,
    /// `demand / capacity`: above 1 it breaks the promise.
    pub load: f64,
    /// `1 - load`: below zero, what is missing.
    pub left: f64,
    pub fit: Fit,
    /// `demand / recommended`, which need not be whole.
    pub shares: f64,
    /// `shares`, rounded up: masters that each take an equal part of the demand.
    pub masters: u64,
    /// `demand / masters`, for each of them.
    pub each: Rate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// Within what is recommended.
    Fits,
    /// Within the capacity, without the room that is recommended.
    Tight,
    No,
}

impl Demand {
    /// `headroom` is above 0 and no more than 1. None where a rate is not above zero.
    pub fn of(demand: Rate, capacity: Rate, headroom: f64) -> Option<Demand> {
        let recommended = Rate(capacity.0 * headroom);
        let (load, shares) = (demand.0 / capacity.0, demand.0 / recommended.0);
        let is_sound = |value: f64| value.is_finite() && value > 0.0;
        if ![demand.0, capacity.0, recommended.0, load, shares].into_iter().all(is_sound) {
            return None;
        }
        let fit = match () {
            () if demand.0 <= recommended.0 => Fit::Fits,
            () if demand.0 <= capacity.0 => Fit::Tight,
            () => Fit::No,
        };
        // A demand of exactly what two are recommended for is one for two, whatever the last digit of the quotient is.
        let masters = (shares - 1e-9).ceil().max(1.0);
        let each = Rate(demand.0 / masters);
        let left = 1.0 - load;
        Some(Demand { demand, capacity, headroom, recommended, load, left, fit, shares, masters: masters as u64, each })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demand_is_divided_by_what_is_recommended() {
        let asked = |demand: f64| Demand::of(Rate(demand), Rate(100_000.0), 0.7).unwrap();
        let four = asked(240_000.0);
        assert_eq!((four.fit, four.masters, four.each), (Fit::No, 4, Rate(60_000.0)));
        assert!((four.shares - 240.0 / 70.0).abs() < 1e-9 && (four.left - -1.4).abs() < 1e-9, "{four:?}");
        assert_eq!((asked(70_000.0).fit, asked(70_000.0).masters), (Fit::Fits, 1));
        assert_eq!((asked(70_001.0).fit, asked(70_001.0).masters), (Fit::Tight, 2));
        assert_eq!((asked(100_001.0).fit, asked(1.0).masters), (Fit::No, 1));
        for masters in 1..500u32 {
            assert_eq!(asked(70_000.0 * f64::from(masters)).masters, u64::from(masters));
        }
    }

    #[test]
    fn what_is_no_rate_has_no_answer() {
        for (demand, capacity, headroom) in [(0.0, 1.0, 0.7), (1.0, 0.0, 0.7), (1.0, 1.0, 0.0), (f64::NAN, 1.0, 0.7)] {
            assert_eq!(Demand::of(Rate(demand), Rate(capacity), headroom), None);
        }
    }
}
