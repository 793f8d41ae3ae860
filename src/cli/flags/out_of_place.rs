//! Flags of a run that make no sense for another verb.

use crate::cli::error::Error;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches};

/// Flags by id, each with the reason and the way out.
pub struct OutOfPlace(pub &'static [(&'static str, &'static str)]);

impl OutOfPlace {
    /// # Errors
    /// [`Error`] when one of them was typed.
    pub fn check(&self, matches: &ArgMatches) -> Result<(), Error> {
        let is_typed = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
        match self.0.iter().find(|(id, _)| is_typed(id)) {
            Some((_, why)) => Err(Error::usage(why)),
            None => Ok(()),
        }
    }

    /// What a profile says of them is not for the verb either.
    pub fn ids(&self) -> Vec<&'static str> {
        self.0.iter().map(|(id, _)| *id).collect()
    }
}

pub fn is_typed(matches: &ArgMatches, arg: &Arg) -> bool {
    matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine)
}

/// A flag by the name that it is typed with.
pub fn as_typed(arg: &Arg) -> String {
    match (arg.get_long(), arg.get_short()) {
        (Some(long), _) => format!("--{long}"),
        (None, Some(short)) => format!("-{short}"),
        (None, None) => "a command".to_owned(),
    }
}
