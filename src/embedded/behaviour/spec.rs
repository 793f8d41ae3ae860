//! How a server is told to behave: the words of the command line, and what they mean.

use super::departures::Stall;
use crate::units::{Nanos, Seed};
use std::str::FromStr;

/// What a server is told to do on purpose. The default is to serve as well as it can.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Behaviours {
    pub service: Option<Service>,
    pub delays: Vec<Delay>,
    pub stall: Option<Stall>,
    pub errors: Vec<Errors>,
    /// The share of requests whose connection is closed instead of a reply.
    pub drop: Option<f64>,
    pub seed: Option<Seed>,
}

/// How long the one server of the queue is busy with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    Constant(Nanos),
    /// Exponentially distributed, with this mean.
    Exponential(Nanos),
}

/// A share of replies that is held back, and for how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Delay {
    pub lasts: Nanos,
    pub share: f64,
}

/// A share of requests that get an error reply, and the first word of that reply.
#[derive(Debug, Clone, PartialEq)]
pub struct Errors {
    pub code: String,
    pub share: f64,
}

/// Why a text is no behaviour, in one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(String);

const GRAMMAR: &str = "expected service:exp:TIME, service:const:TIME, delay:TIME[:SHARE], stall:TIME@every:TIME, \
                       error:CODE:SHARE, drop:SHARE or seed:NUMBER, comma-separated";

fn refused<T>(why: impl Into<String>) -> Result<T, Refused> {
    Err(Refused(why.into()))
}

impl FromStr for Behaviours {
    type Err = Refused;

    fn from_str(text: &str) -> Result<Behaviours, Refused> {
        text.split(',').try_fold(Behaviours::default(), |all, item| all.and(behaviour(item)?))
    }
}

impl Behaviours {
    /// Both at once.
    ///
    /// # Errors
    /// [`Refused`] when both say what can be said only once, or give away more than all requests.
    pub fn and(mut self, other: Behaviours) -> Result<Behaviours, Refused> {
        self.service = once(self.service, other.service, "service")?;
        self.stall = once(self.stall, other.stall, "stall")?;
        self.drop = once(self.drop, other.drop, "drop")?;
        self.seed = once(self.seed, other.seed, "seed")?;
        self.delays.extend(other.delays);
        self.errors.extend(other.errors);
        let shares: f64 = self.errors.iter().map(|errors| errors.share).chain(self.drop).sum();
        // Tenths do not add up to one exactly.
        if shares > 1.0 + 1e-9 {
            return refused(format!("error and drop take {shares:.3} of the requests, which is more than all"));
        }
        Ok(self)
    }
}

fn once<T>(ours: Option<T>, theirs: Option<T>, name: &str) -> Result<Option<T>, Refused> {
    match (ours, theirs) {
        (Some(_), Some(_)) => refused(format!("{name} is given twice")),
        (ours, theirs) => Ok(ours.or(theirs)),
    }
}

/// One behaviour by itself.
fn behaviour(text: &str) -> Result<Behaviours, Refused> {
    let none = Behaviours::default();
    let fields: Vec<&str> = text.split(':').collect();
    Ok(match fields[..] {
        ["service", "const", lasts] => Behaviours { service: Some(Service::Constant(time(lasts)?)), ..none },
        ["service", "exp", mean] => Behaviours { service: Some(Service::Exponential(time(mean)?)), ..none },
        ["delay", lasts] => Behaviours { delays: vec![Delay { lasts: time(lasts)?, share: 1.0 }], ..none },
        ["delay", lasts, part] => {
            Behaviours { delays: vec![Delay { lasts: time(lasts)?, share: share(part)? }], ..none }
        }
        ["stall", middle, every] => match middle.strip_suffix("@every") {
            Some(lasts) => Behaviours { stall: Some(stall(time(lasts)?, time(every)?)?), ..none },
            None => return refused(format!("'{text}': {GRAMMAR}")),
        },
        ["error", word, part] => Behaviours { errors: vec![Errors { code: code(word)?, share: share(part)? }], ..none },
        ["drop", part] => Behaviours { drop: Some(share(part)?), ..none },
        ["seed", number] => match number.parse() {
            Ok(seed) => Behaviours { seed: Some(Seed(seed)), ..none },
            Err(_) => return refused(format!("'{number}': expected a whole number, such as seed:42")),
        },
        _ => return refused(format!("'{text}': {GRAMMAR}")),
    })
}

fn stall(lasts: Nanos, every: Nanos) -> Result<Stall, Refused> {
    if lasts >= every {
        return refused("a stall must be shorter than the time from one to the next");
    }
    Ok(Stall { lasts, every })
}

/// A time with its unit. A bare number, seconds to other flags, is more likely to be a slip where microseconds are usual.
fn time(text: &str) -> Result<Nanos, Refused> {
    const HOUR: f64 = 3600e9;
    let split = text.find(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit {
        "ns" => 1.0,
        "us" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" => 60e9,
        _ => f64::NAN,
    };
    let nanos = (decimal(number).unwrap_or(f64::NAN) * factor).round();
    // The upper bound keeps sums of times within 64 bits.
    if (1.0..=HOUR).contains(&nanos) {
        Ok(Nanos(nanos as u64))
    } else {
        refused(format!("'{text}': expected a time with its unit, up to an hour, such as 200us, 1.5ms or 1s"))
    }
}

fn share(text: &str) -> Result<f64, Refused> {
    match decimal(text) {
        Some(share) if share <= 1.0 => Ok(share),
        _ => refused(format!("'{text}': expected a share from 0 to 1, such as 0.001")),
    }
}

/// Digits with or without a point among them, and nothing else that Rust would read as a number.
fn decimal(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if plain { text.parse().ok() } else { None }
}

fn code(text: &str) -> Result<String, Refused> {
    let plain = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    if plain && text.starts_with(|first: char| first.is_ascii_uppercase()) {
        Ok(text.to_owned())
    } else {
        refused(format!("'{text}': expected the code of an error in upper case, such as READONLY"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Behaviours, String> {
        text.parse().map_err(|refused: Refused| refused.to_string())
    }

    #[test]
    fn behaviours_are_read_from_their_words() {
        let none = Behaviours::default;
        let delay = |nanos, share| Delay { lasts: Nanos(nanos), share };
        for (text, expected) in [
            ("service:exp:200us", Behaviours { service: Some(Service::Exponential(Nanos(200_000))), ..none() }),
            ("service:const:1.5ms", Behaviours { service: Some(Service::Constant(Nanos(1_500_000))), ..none() }),
            ("delay:1ms", Behaviours { delays: vec![delay(1_000_000, 1.0)], ..none() }),
            ("delay:1m:0", Behaviours { delays: vec![delay(60_000_000_000, 0.0)], ..none() }),
            ("delay:1ns:0.01", Behaviours { delays: vec![delay(1, 0.01)], ..none() }),
            (
                "stall:1s@every:5s",
                Behaviours { stall: Some(Stall { lasts: Nanos::from_secs(1), every: Nanos::from_secs(5) }), ..none() },
            ),
            (
                "error:READONLY:0.001",
                Behaviours { errors: vec![Errors { code: "READONLY".to_owned(), share: 0.001 }], ..none() },
            ),
            ("drop:0.0001", Behaviours { drop: Some(0.0001), ..none() }),
            ("seed:18446744073709551615", Behaviours { seed: Some(Seed(u64::MAX)), ..none() }),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn behaviours_combine() {
        let all = parse("delay:1ms:0.5,delay:5ms,error:OOM:0.5,drop:0.1,error:READONLY:0.4,seed:7").unwrap();
        assert_eq!((all.delays.len(), all.errors.len(), all.drop, all.seed), (2, 2, Some(0.1), Some(Seed(7))));
        assert_eq!(parse("drop:0.1").unwrap().and(parse("seed:1").unwrap()), Ok(parse("drop:0.1,seed:1").unwrap()));
    }

    #[test]
    fn what_is_no_behaviour_is_refused_in_one_line() {
        for (junk, what) in [
            ("", "expected service:exp:TIME"),
            ("service", "expected service:exp:TIME"),
            ("service:exp", "expected service:exp:TIME"),
            ("service:normal:1ms", "expected service:exp:TIME"),
            ("SERVICE:exp:1ms", "expected service:exp:TIME"),
            ("delay:1ms,", "expected service:exp:TIME"),
            ("delay:1ms;drop:1", "expected a time"),
            ("delay:1ms:0.5:x", "expected service:exp:TIME"),
            ("stall:1s:every:5s", "expected service:exp:TIME"),
            ("stall:1s@5s", "expected service:exp:TIME"),
            ("stall:1s@each:5s", "expected service:exp:TIME"),
            ("service:exp:200", "'200': expected a time with its unit"),
            ("service:exp:0us", "expected a time"),
            ("service:exp:0.4ns", "expected a time"),
            ("service:exp:-1us", "expected a time"),
            ("service:exp:61m", "expected a time"),
            ("service:exp:1h", "expected a time"),
            ("service:exp:us", "expected a time"),
            ("service:exp:1 us", "expected a time"),
            ("delay:nan", "expected a time"),
            ("delay:1e3us", "expected a time"),
            ("delay:1ms:2", "'2': expected a share from 0 to 1"),
            ("delay:1ms:1%", "expected a share"),
            ("drop:-0.1", "expected a share"),
            ("drop:", "expected a share"),
            ("drop:.", "expected a share"),
            ("error:readonly:0.1", "'readonly': expected the code of an error in upper case"),
            ("error::0.1", "upper case"),
            ("error:TWO WORDS:0.1", "upper case"),
            ("error:ERR\r:0.1", "upper case"),
            ("seed:x", "expected a whole number"),
            ("seed:-1", "expected a whole number"),
            ("stall:5s@every:5s", "shorter"),
            ("drop:0.1,drop:0.2", "drop is given twice"),
            ("seed:1,seed:1", "seed is given twice"),
            ("service:exp:1ms,service:const:1ms", "service is given twice"),
            ("stall:1s@every:5s,stall:1s@every:7s", "stall is given twice"),
            ("drop:0.5,error:OOM:0.4,error:ERR:0.2", "error and drop take 1.100 of the requests"),
        ] {
            let error = parse(junk).expect_err(junk);
            assert!(error.contains(what), "{junk:?}: {error}");
            assert!(!error.contains('\n'), "{junk:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_behaviour_or_is_refused(
            text in "((service|delay|stall|error|drop|seed|exp|const|@every|[A-Z]{1,9}|[0-9.]{1,6}(us|ms|s|m)?|\\PC)[:,]?){0,9}"
        ) {
            if let Ok(all) = text.parse::<Behaviours>() {
                prop_assert!(all.errors.iter().map(|errors| errors.share).chain(all.drop).sum::<f64>() < 1.001);
            }
        }
    }
}
