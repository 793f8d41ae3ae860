//! Which key a request is about: key distributions, and what draws key indexes from them.
//!
//! What is drawn depends on the seed and the number of the draw alone, never on what was drawn before, so that one seed
//! replays the same keys however many threads share them out. A kind of distribution is a file, and two lines here.

mod gaussian;
mod hotspot;
mod recent;
mod scramble;
mod sequential;
mod uniform;
mod zipf;

use crate::units::{Draws, Seed, kept_as_spelled};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use thiserror::Error;

/// Every kind of key distribution, the default first.
pub static KINDS: &[Kind] = &[uniform::KIND, sequential::KIND, zipf::KIND, gaussian::KIND, hotspot::KIND, recent::KIND];

/// A kind of key distribution: how it is spelled, and what draws from it.
#[derive(Debug)]
pub struct Kind {
    pub name: &'static str,
    /// A phrase for a list of kinds, without a full stop.
    pub about: &'static str,
    /// What stands behind the name, each after a colon.
    pub parameters: &'static [Parameter],
    /// Makes what draws from `0..key_count`, which holds one key at least, given a value for each parameter.
    prepare: fn(&[f64], key_count: u64, Seed) -> Sampler,
}

/// A number in the spelling of a distribution: above `above`, and at most `most`.
#[derive(Debug)]
pub struct Parameter {
    pub name: &'static str,
    /// Taken when the number is left out. The last parameters alone have one.
    pub default: Option<f64>,
    pub above: f64,
    pub most: f64,
}

impl Kind {
    /// How it is spelled, such as `zipf[:EXPONENT]`.
    pub fn grammar(&self) -> String {
        let spell = |parameter: &Parameter| match parameter.default {
            Some(_) => format!("[:{}]", parameter.name),
            None => format!(":{}", parameter.name),
        };
        self.name.to_owned() + &self.parameters.iter().map(spell).collect::<String>()
    }
}

/// The most parameters that a kind has.
const PARAMETERS_MAX: usize = 2;

/// A key distribution: which keys are likely, and how likely. Spelled, shown and kept as `zipf:0.99`.
#[derive(Debug, Clone, Copy)]
pub struct KeyDistribution {
    kind: &'static Kind,
    /// As many as the kind has; the rest are zero.
    values: [f64; PARAMETERS_MAX],
}

/// What can be wrong with the spelling of a key distribution.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyDistributionError {
    #[error("unknown key distribution '{name}'; known: {}", known())]
    Unknown { name: String },
    #[error("'{text}': expected {expected}")]
    Parameters { text: String, expected: String },
    #[error("'{text}': {parameter} must be a number above {above} and at most {most}")]
    Parameter { text: String, parameter: &'static str, above: String, most: String },
}

/// Every kind as it is spelled.
pub fn known() -> String {
    KINDS.iter().map(Kind::grammar).collect::<Vec<_>>().join(", ")
}

impl KeyDistribution {
    pub fn kind(&self) -> &'static Kind {
        self.kind
    }

    /// One key after the other.
    pub fn sequential() -> KeyDistribution {
        KeyDistribution { kind: &sequential::KIND, values: [0.0; PARAMETERS_MAX] }
    }

    fn values(&self) -> &[f64] {
        &self.values[..self.kind.parameters.len()]
    }
}

impl Default for KeyDistribution {
    fn default() -> KeyDistribution {
        KINDS[0].name.parse().expect("the default kind has no parameter without a default")
    }
}

impl PartialEq for KeyDistribution {
    fn eq(&self, other: &KeyDistribution) -> bool {
        self.kind.name == other.kind.name && self.values == other.values
    }
}

impl FromStr for KeyDistribution {
    type Err = KeyDistributionError;

    fn from_str(text: &str) -> Result<KeyDistribution, KeyDistributionError> {
        let mut fields = text.split(':');
        let name = fields.next().unwrap_or_default();
        let kind = KINDS.iter().find(|kind| kind.name == name);
        let kind = kind.ok_or_else(|| KeyDistributionError::Unknown { name: name.to_owned() })?;
        let refused = || KeyDistributionError::Parameters { text: text.to_owned(), expected: kind.grammar() };
        let mut values = [0.0; PARAMETERS_MAX];
        for (value, parameter) in values.iter_mut().zip(kind.parameters) {
            *value = match fields.next() {
                Some(field) => parameter.parse(field).ok_or_else(|| parameter.refuse(text))?,
                None => parameter.default.ok_or_else(refused)?,
            };
        }
        if fields.next().is_some() {
            return Err(refused());
        }
        Ok(KeyDistribution { kind, values })
    }
}

impl Parameter {
    fn parse(&self, text: &str) -> Option<f64> {
        text.parse().ok().filter(|&number| self.above < number && number <= self.most)
    }

    fn refuse(&self, text: &str) -> KeyDistributionError {
        KeyDistributionError::Parameter {
            text: text.to_owned(),
            parameter: self.name,
            above: self.above.to_string(),
            most: self.most.to_string(),
        }
    }
}

impl fmt::Display for KeyDistribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name)?;
        self.values().iter().try_for_each(|value| write!(f, ":{value}"))
    }
}

kept_as_spelled!(KeyDistribution);

/// Draws key indexes from a distribution. Cheap to clone; clones draw the same.
#[derive(Debug, Clone)]
pub struct Keys {
    key_count: u64,
    sampler: Sampler,
}

#[derive(Debug, Clone)]
enum Sampler {
    /// All keys alike: without a detour, because it is the default and costs a nanosecond.
    Uniform,
    Other(Arc<dyn Sample>),
}

/// What draws from a distribution other than the uniform one.
trait Sample: fmt::Debug + Send + Sync {
    /// As [`Keys::index`].
    fn index(&self, draws: &mut Draws, number: u64) -> u64;
}

impl Sampler {
    fn other(sample: impl Sample + 'static) -> Sampler {
        Sampler::Other(Arc::new(sample))
    }
}

impl Keys {
    /// Prepares to draw from `0..key_count`; from no keys at all, 0 is drawn. Which keys are hot depends on `seed`.
    pub fn new(distribution: &KeyDistribution, key_count: u64, seed: Seed) -> Keys {
        let key_count = key_count.max(1);
        Keys { key_count, sampler: (distribution.kind.prepare)(distribution.values(), key_count, seed) }
    }

    pub fn key_count(&self) -> u64 {
        self.key_count
    }

    /// The index, in `0..key_count`, of the key for draw `number`, which may move with the number, as `sequential` does,
    /// or be random, from `draws`. Who draws several keys for one request counts each of them as a number.
    #[inline]
    pub fn index(&self, draws: &mut Draws, number: u64) -> u64 {
        match &self.sampler {
            Sampler::Uniform => draws.below(self.key_count),
            Sampler::Other(sample) => sample.index(draws, number),
        }
    }
}

/// The number of draws that fell on each key index.
#[cfg(test)]
fn counted(spelling: &str, key_count: u64, count: u64) -> Vec<u64> {
    let keys = Keys::new(&spelling.parse().unwrap(), key_count, Seed(42));
    let mut counts = vec![0; key_count as usize];
    for number in 0..count {
        counts[keys.index(&mut Seed(7).draws(number), number) as usize] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<String, String> {
        text.parse::<KeyDistribution>().map(|it| it.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_distribution_is_shown_as_it_is_spelled_with_what_was_left_out() {
        for (text, shown) in [
            ("uniform", "uniform"),
            ("sequential", "sequential"),
            ("zipf", "zipf:0.99"),
            ("zipf:0.99", "zipf:0.99"),
            ("zipf:1", "zipf:1"),
            ("zipf:1.0", "zipf:1"),
            ("zipf:1e-3", "zipf:0.001"),
            ("gaussian", "gaussian:0.167"),
            ("gaussian:0.05", "gaussian:0.05"),
            ("hotspot:0.9:0.1", "hotspot:0.9:0.1"),
            ("hotspot:1:1", "hotspot:1:1"),
            ("recent", "recent:0.99"),
            ("recent:0.5", "recent:0.5"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(shown), "{text}");
            assert_eq!(parse(shown).as_deref(), Ok(shown), "{shown}");
        }
    }

    #[test]
    fn what_is_no_distribution_is_refused_with_what_would_be_one() {
        let known = "uniform, sequential, zipf[:EXPONENT], gaussian[:STDDEV], \
                     hotspot:SHARE_OF_REQUESTS:SHARE_OF_KEYS, recent[:EXPONENT]";
        for (text, message) in [
            ("zip", format!("unknown key distribution 'zip'; known: {known}")),
            ("", format!("unknown key distribution ''; known: {known}")),
            ("Zipf", format!("unknown key distribution 'Zipf'; known: {known}")),
            ("uniform:", "'uniform:': expected uniform".to_owned()),
            ("zipf:1:2", "'zipf:1:2': expected zipf[:EXPONENT]".to_owned()),
            ("hotspot", "'hotspot': expected hotspot:SHARE_OF_REQUESTS:SHARE_OF_KEYS".to_owned()),
            ("hotspot:0.9", "'hotspot:0.9': expected hotspot:SHARE_OF_REQUESTS:SHARE_OF_KEYS".to_owned()),
            ("zipf:", "'zipf:': EXPONENT must be a number above 0 and at most 100".to_owned()),
            ("zipf:0", "'zipf:0': EXPONENT must be a number above 0 and at most 100".to_owned()),
            ("zipf:-1", "'zipf:-1': EXPONENT must be a number above 0 and at most 100".to_owned()),
            ("zipf:nan", "'zipf:nan': EXPONENT must be a number above 0 and at most 100".to_owned()),
            ("zipf:inf", "'zipf:inf': EXPONENT must be a number above 0 and at most 100".to_owned()),
            ("hotspot:90:0.1", "'hotspot:90:0.1': SHARE_OF_REQUESTS must be a number above 0 and at most 1".to_owned()),
        ] {
            assert_eq!(parse(text), Err(message), "{text}");
        }
    }

    #[test]
    fn a_document_keeps_the_spelling() {
        let zipf: KeyDistribution = "zipf".parse().unwrap();
        assert_eq!(serde_json::to_string(&zipf).unwrap(), r#""zipf:0.99""#);
        assert_eq!(serde_json::from_str::<KeyDistribution>(r#""zipf:0.99""#).unwrap(), zipf);
        let error = serde_json::from_str::<KeyDistribution>(r#""zip""#).unwrap_err().to_string();
        assert!(error.starts_with("unknown key distribution 'zip'; known: uniform, "), "{error}");
    }

    #[test]
    fn the_registry_holds_what_its_lists_promise() {
        assert_eq!(KeyDistribution::default().to_string(), "uniform");
        for kind in KINDS {
            assert!(kind.parameters.len() <= PARAMETERS_MAX, "{}", kind.name);
            let optional = kind.parameters.iter().map(|parameter| parameter.default.is_some());
            assert!(optional.is_sorted(), "{}", kind.name);
            let known = KINDS.iter().filter(|other| other.name == kind.name).count();
            assert_eq!(known, 1, "{}", kind.name);
        }
    }

    /// Of every kind, so that a new one cannot be forgotten.
    fn distributions() -> impl Strategy<Value = KeyDistribution> {
        (0..KINDS.len(), prop::array::uniform2(0.0..1.0f64)).prop_map(|(index, shares)| {
            let kind = &KINDS[index];
            let mut values = [0.0; PARAMETERS_MAX];
            for ((value, share), parameter) in values.iter_mut().zip(shares).zip(kind.parameters) {
                // More of the small values, which are those that people use.
                *value = parameter.above + (parameter.most - parameter.above) * share.powi(4).max(1e-9);
            }
            KeyDistribution { kind, values }
        })
    }

    proptest! {
        #[test]
        fn an_index_is_below_the_key_count(
            distribution in distributions(),
            digits in 0u32..=12,
            fraction in 0.0..1.0f64,
            seed: u64,
            number: u64,
        ) {
            let key_count = ((10f64.powi(digits as i32) * fraction) as u64).max(1);
            for key_count in [key_count, 10u64.pow(digits), 1, 2, u64::MAX] {
                let keys = Keys::new(&distribution, key_count, Seed(seed));
                for number in (0..20).map(|step| number.wrapping_add(step)) {
                    let index = keys.index(&mut Seed(seed).draws(number), number);
                    prop_assert!(index < key_count, "{distribution} {key_count}: {index}");
                }
            }
        }

        #[test]
        fn what_is_shown_parses_to_the_same(distribution in distributions()) {
            prop_assert_eq!(distribution.to_string().parse::<KeyDistribution>().unwrap(), distribution);
        }
    }

    #[test]
    fn from_a_key_space_of_nothing_zero_is_drawn() {
        for text in ["uniform", "sequential", "zipf", "gaussian", "hotspot:0.9:0.1", "recent"] {
            let keys = Keys::new(&text.parse().unwrap(), 0, Seed(1));
            assert!((0..100).all(|number| keys.index(&mut Seed(1).draws(number), number) == 0), "{text}");
        }
    }

    /// A run of several threads draws what a run of one draws.
    #[test]
    fn what_is_drawn_depends_on_the_number_alone() {
        for text in ["uniform", "sequential", "zipf", "gaussian", "hotspot:0.9:0.1", "recent"] {
            let keys = Keys::new(&text.parse().unwrap(), 1000, Seed(1));
            let draw = |number| keys.clone().index(&mut Seed(2).draws(number), number);
            let forwards: Vec<u64> = (0..100).map(draw).collect();
            let mut backwards: Vec<u64> = (0..100).rev().map(draw).collect();
            backwards.reverse();
            assert_eq!(forwards, backwards, "{text}");
        }
    }
}
