//! Profiles: workloads with a name, each a file of flags that teaches what it stands for.

mod expand;
mod registry;

pub use expand::expand;
pub use registry::{PROFILES, known};

use std::path::Path;
use toml::{Table, Value};

/// A workload with a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    pub name: String,
    /// What it is, in half a line.
    pub about: String,
    /// Flags by their long names, without dashes, and what is behind each.
    pub settings: Vec<(String, Value)>,
    /// Commands of its own, in the order in which they stand.
    pub commands: Vec<OwnCommand>,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnCommand {
    pub run: String,
    #[serde(default = "one")]
    pub weight: u32,
}

fn one() -> u32 {
    1
}

impl Profile {
    /// The profile with this name, or the one in this file.
    ///
    /// # Errors
    /// What is wrong and what is known, in one line.
    pub fn load(name: &str) -> Result<Profile, String> {
        if let Some(text) = registry::text_of(name) {
            return Profile::parse(name, text);
        }
        let path = Path::new(name);
        let is_path = path.components().count() > 1 || path.extension().is_some() || path.exists();
        if !is_path {
            return Err(format!("no profile '{name}'; known: {}; a file is given with its path", known()));
        }
        let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {name}: {error}"))?;
        Profile::parse(name, &text)
    }

    /// Reads a profile; whether its flags are flags is not looked at.
    ///
    /// # Errors
    /// What is wrong and in which line, in one line.
    fn parse(name: &str, text: &str) -> Result<Profile, String> {
        let mut table: Table = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(0, |span| text[..span.start].matches('\n').count() + 1);
            format!("{name}, line {line}: {}", error.message().replace('\n', "; "))
        })?;
        let about = match table.remove("about") {
            Some(Value::String(about)) => about,
            None => String::new(),
            Some(_) => return Err(format!("{name}: about must be a text")),
        };
        let commands = match table.remove("command") {
            Some(commands) => commands
                .try_into()
                .map_err(|error| format!("{name}: [[command]]: {}", error.message().replace('\n', "; ")))?,
            None => Vec::new(),
        };
        Ok(Profile { name: name.to_owned(), about, settings: table.into_iter().collect(), commands })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_flags_and_commands() {
        let text = "about = 'x'\nclients = 5\n[[command]]\nrun = 'PING'\n[[command]]\nrun = 'INCR a'\nweight = 3\n";
        let profile = Profile::parse("p", text).unwrap();
        assert_eq!((profile.about.as_str(), &profile.settings[..]), ("x", &[("clients".to_owned(), 5.into())][..]));
        let commands: Vec<_> = profile.commands.iter().map(|own| (own.run.as_str(), own.weight)).collect();
        assert_eq!(commands, [("PING", 1), ("INCR a", 3)]);
    }

    #[test]
    fn what_is_no_profile_is_told_in_one_line() {
        for (text, told) in [
            ("clients = 5\nclients = 6\n", "p, line 2: "),
            ("a\nb = \n", "p, line 1: "),
            ("about = 5", "p: about must be a text"),
            ("[[command]]\nrunn = 'PING'", "unknown field `runn`"),
            ("[[command]]\nrun = 'PING'\nweight = -1", "p: [[command]]: "),
            ("command = 'PING'", "p: [[command]]: "),
        ] {
            let error = Profile::parse("p", text).unwrap_err();
            assert!(error.contains(told) && !error.contains('\n'), "{error}");
        }
        assert!(Profile::load("nosuch").unwrap_err().contains("ycsb-a"));
        assert!(Profile::load("no/such.toml").unwrap_err().contains("no/such.toml"));
    }
}
