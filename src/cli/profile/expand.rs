//! From the name of a profile on the command line to its flags in front of those that were typed.

use super::{PROFILES, Profile};
use crate::cli::{Error, Exit, not_parsed};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use std::ffi::OsString;
use toml::Value;

/// The headings under which `--help` has the flags that may stand in a profile: what is sent, when, and by whom. Where to
/// is for whoever runs it to say, and secrets do not belong in files that are handed on.
const HEADINGS: [&str; 4] = ["Load", "Workload", "Connections", "Errors and safety"];

/// Flags that say what is sent: who types one of them has a workload of their own. The commands of a profile count as
/// `commands`.
const WHAT: [&str; 5] = ["tests", "mix", "commands", "weights", "command"];

/// What goes with that: keys that are filled and named for the profile's own commands.
const WITH_WHAT: [&str; 3] = ["key_prefix", "prefill", "prefill_command"];

/// Puts the flags of the profile, if `arguments` name one, in front of the others. What was typed goes before: of a
/// profile's flag that was typed as well, or that does not go with one that was, nothing is left.
///
/// # Errors
/// [`Error`] when there is no such profile, or it says what is no flag or no value of one; with [`Exit::Done`] and the
/// list of profiles when that was asked for.
///
/// Flags with an id in `out_of_place` are left out of a profile: the verb has others in their stead.
pub fn expand(program: Command, arguments: &[OsString], out_of_place: &[&str]) -> Result<Vec<OsString>, Error> {
    let mut lenient = program.clone().ignore_errors(true);
    lenient.build();
    let Ok(typed) = lenient.try_get_matches_from_mut(arguments) else { return Ok(arguments.to_vec()) };
    let Some(name) = typed.get_one::<String>("profile") else { return Ok(arguments.to_vec()) };
    if name == "list" {
        return Err(Error::new(Exit::Done, list()));
    }
    let wrong = |error| Error::usage(format!("--profile: {error}"));
    let profile = Profile::load(name).map_err(wrong)?;
    let flags = flags(&lenient, &profile).map_err(wrong)?;
    // By itself first: what is wrong with the file is not what is wrong with the command line.
    let alone = arguments.first().into_iter().chain(flags.iter().flat_map(|flag| &flag.words));
    program.try_get_matches_from(alone).map_err(|error| {
        let Error { exit, message } = not_parsed(error);
        let message = message.unwrap_or_default();
        Error::new(exit, format!("--profile: {name}: {message}"))
    })?;
    let has_place = |flag: &Flag| !out_of_place.contains(&flag.id.as_str()) && !gives_way(&lenient, &flag.id, &typed);
    let kept = flags.into_iter().filter(has_place).flat_map(|flag| flag.words);
    let (program, typed) = arguments.split_at(arguments.len().min(1));
    Ok(program.iter().cloned().chain(kept).chain(typed.iter().cloned()).collect())
}

/// A line for each profile.
fn list() -> String {
    let width = PROFILES.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let line = |(name, text): &(&str, &str)| {
        let about = Profile::parse(name, text).map_or_else(|error| error, |profile| profile.about);
        format!("{name:width$}  {about}")
    };
    PROFILES.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A flag of a profile, as it would have been typed.
struct Flag {
    id: String,
    words: Vec<OsString>,
}

/// The flags of `profile`.
fn flags(program: &Command, profile: &Profile) -> Result<Vec<Flag>, String> {
    let name = &profile.name;
    let mut flags = Vec::new();
    for (key, value) in &profile.settings {
        let arg = arg_of(program, key).ok_or_else(|| format!("{name}: '{key}' is no flag for a profile"))?;
        for text in texts(value).ok_or_else(|| format!("{name}: '{key}' must be a text, a number, true or false"))? {
            let word = match (arg.get_action().takes_values(), text.as_str()) {
                (true, _) => format!("--{key}={text}"),
                (false, "true") => format!("--{key}"),
                (false, "false") => continue,
                (false, _) => return Err(format!("{name}: '{key}' must be true or false")),
            };
            flags.push(Flag { id: arg.get_id().to_string(), words: vec![word.into()] });
        }
    }
    for own in &profile.commands {
        let words = [format!("--command={}", own.run), format!("--weight={}", own.weight)];
        flags.push(Flag { id: "commands".to_owned(), words: words.map(OsString::from).into() });
    }
    Ok(flags)
}

/// The flag with this long name, if it may stand in a profile.
fn arg_of<'a>(program: &'a Command, name: &str) -> Option<&'a Arg> {
    let may_stand = |arg: &&Arg| arg.get_help_heading().is_some_and(|heading| HEADINGS.contains(&heading));
    let has_name = |arg: &&Arg| arg.get_long_and_visible_aliases().is_some_and(|names| names.contains(&name));
    program.get_arguments().filter(may_stand).find(has_name).filter(|arg| arg.get_id() != "profile")
}

/// A value as it would be typed; a list is a flag that is given several times.
fn texts(value: &Value) -> Option<Vec<String>> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(is_set) => Some(is_set.to_string()),
        Value::Datetime(_) | Value::Array(_) | Value::Table(_) => None,
    };
    match value {
        Value::Array(values) => values.iter().map(text).collect(),
        _ => text(value).map(|text| vec![text]),
    }
}

/// Whether the flag `id` of a profile has no place beside what was typed.
fn gives_way(program: &Command, id: &str, typed: &ArgMatches) -> bool {
    let is_typed = |id: &str| typed.value_source(id) == Some(ValueSource::CommandLine);
    let conflicts =
        |one: &Arg, other: &str| program.get_arg_conflicts_with(one).iter().any(|conflict| conflict.get_id() == other);
    let arg = |id: &str| program.get_arguments().find(|arg| arg.get_id() == id);
    let is_other_work = (WHAT.contains(&id) || WITH_WHAT.contains(&id)) && WHAT.into_iter().any(is_typed);
    is_typed(id)
        || is_other_work
        || program.get_arguments().any(|other| {
            let (other_id, this) = (other.get_id().as_str(), arg(id).expect("a flag of ours"));
            is_typed(other_id) && (conflicts(this, other_id) || conflicts(other, id))
        })
}
