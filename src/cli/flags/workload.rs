//! Which requests are sent: commands, keys and values.

use crate::cli::values::whole;
use crate::workload::{KeyDistribution, Ttl, ValueData, ValueSize, keys, suite, values};
use clap::{ArgMatches, Args};

/// A mix of tests, by weight. A type of its own, because a list would be taken for a flag that is given several times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MixFlag(pub Vec<(String, u32)>);

const WEIGHT_MAX: u64 = 1_000_000;

fn weight(text: &str) -> Result<u32, String> {
    whole(text, 1, WEIGHT_MAX).map(|weight| weight as u32)
}

fn mix(text: &str) -> Result<MixFlag, String> {
    let part = |part: &str| {
        let (name, share) = part.split_once(':').unwrap_or((part, "1"));
        if suite::named(name).is_none() {
            return Err(format!("unknown command '{name}'; known: {}", suite::names().join(", ")));
        }
        let weight = weight(share).map_err(|error| format!("'{part}': {error}"))?;
        Ok((name.to_lowercase(), weight))
    };
    text.split(',').map(part).collect::<Result<_, _>>().map(MixFlag)
}

fn key_distribution(text: &str) -> Result<KeyDistribution, String> {
    text.parse().map_err(|error: keys::KeyDistributionError| error.to_string())
}

fn key_bytes(text: &str) -> Result<usize, String> {
    whole(text, 1, 1 << 20).map(|bytes| bytes as usize)
}

fn value_size(text: &str) -> Result<ValueSize, String> {
    text.parse().map_err(|error: values::ValueSizeError| error.to_string())
}

fn value_data(text: &str) -> Result<ValueData, String> {
    text.parse().map_err(|error: values::ValueDataError| error.to_string())
}

fn multi_keys(text: &str) -> Result<usize, String> {
    whole(text, 1, 100_000).map(|keys| keys as usize)
}

/// A part of the whole, from above 0 to 1.
fn share(text: &str) -> Result<f64, String> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.parse().map(|percent: f64| percent / 100.0),
        None => text.parse(),
    };
    match share {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("expected a share from 0 to 1, such as 0.5 or 50%; put -- before a command".to_owned()),
    }
}

fn keys_help() -> String {
    format!("Which of the -r keys come how often [default: uniform]: {}", keys::known())
}

#[derive(Args)]
#[command(next_help_heading = "Workload")]
pub struct WorkloadFlags {
    /// A workload with a name, or in a file of your own; 'list' tells which there are. Flags go before it
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,

    /// Mix these commands of the suite by weight: get:80,set:15,mset:5
    #[arg(long, value_name = "NAME:WEIGHT,...", value_parser = mix, conflicts_with = "tests")]
    pub mix: Option<MixFlag>,

    /// A command of your own for the mix, quoted as a whole; may be given several times
    #[arg(long = "command", value_name = "COMMAND", action = clap::ArgAction::Append, conflicts_with = "tests",
        allow_hyphen_values = true)]
    pub commands: Vec<String>,

    /// The weight of the --command before it [default: 1]
    #[arg(long = "weight", value_name = "N", action = clap::ArgAction::Append, value_parser = weight,
        requires = "commands", allow_negative_numbers = true)]
    pub weights: Vec<u32>,

    /// For each command its weight, once they have been brought together.
    #[arg(skip)]
    pub weight_of: Vec<u32>,

    #[arg(long, value_name = "DISTRIBUTION", value_parser = key_distribution, help = keys_help(), requires = "key_count")]
    pub keys: Option<KeyDistribution>,

    /// Make the numbered keys of the tests this long, with zeros before the number
    #[arg(long, value_name = "BYTES", value_parser = key_bytes, allow_negative_numbers = true)]
    pub key_bytes: Option<usize>,

    /// Lengths of values: 30, 64-4096, lognormal:MEDIAN:SIGMA, or by weight 32:9,1024:1 [default: -d]
    #[arg(long, value_name = "SIZE", value_parser = value_size, conflicts_with = "data_bytes")]
    pub value_size: Option<ValueSize>,

    /// What is in them: constant as in redis-benchmark, random, or compressible:RATIO [default: constant]
    #[arg(long, value_name = "DATA", value_parser = value_data)]
    pub value_data: Option<ValueData>,

    /// Keys, or key-value pairs, in one MGET or MSET of the tests
    #[arg(long, value_name = "N", default_value_t = suite::MULTI_KEYS, value_parser = multi_keys,
        allow_negative_numbers = true)]
    pub multi_keys: usize,

    /// Let what SET writes expire after so many seconds: 60, or drawn from 30-90; __ttl__ in a command
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub ttl: Option<Ttl>,

    /// Before the first test, write each key that the tests read, or the first SHARE of them, once
    #[arg(long, value_name = "SHARE", num_args = 0..=1, default_missing_value = "1", value_parser = share,
        allow_negative_numbers = true)]
    pub prefill: Option<f64>,

    /// Write them with this command, for keys that are no strings: 'HSET user:__key__ name __data__'
    #[arg(long, value_name = "COMMAND", action = clap::ArgAction::Append, requires = "prefill")]
    pub prefill_command: Vec<String>,

    /// Derive each value from its key and the seed, and compare what GET and MGET return, byte by byte
    #[arg(long)]
    pub verify: bool,
}

impl WorkloadFlags {
    /// Brings each `--weight` together with the `--command` before it, which `matches` knows the places of.
    ///
    /// # Errors
    /// What is wrong, when a weight has no command before it or a command has two.
    pub fn weigh(&mut self, matches: &ArgMatches) -> Result<(), String> {
        let places = |id| matches.indices_of(id).into_iter().flatten();
        let commands: Vec<usize> = places("commands").collect();
        let mut weights = vec![None; commands.len()];
        for (place, weight) in places("weights").zip(&self.weights) {
            let command = commands.iter().rposition(|command| *command < place);
            let command = command.ok_or("--weight belongs behind the --command that it is for")?;
            if weights[command].replace(*weight).is_some() {
                return Err(format!("--command '{}' has two weights", self.commands[command]));
            }
        }
        self.weight_of = weights.into_iter().map(|weight| weight.unwrap_or(1)).collect();
        Ok(())
    }
}
