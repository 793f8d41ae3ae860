//! From flags to what is sent: the tests of the suite, a command of one's own, or a mix of both.

use super::error::Error;
use super::flags::PlanFlags;
use super::flags::workload::{MixFlag, WorkloadFlags};
use super::say;
use crate::plan::Prefill;
use crate::workload::suite::{self, Spelling};
use crate::workload::template::{DATA, KEY, TTL};
use crate::workload::{Command, Fillings, Template, Test, sequence};
use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;

/// The tests that `flags` name, or the command or the mix that stands in their place, filled from `fillings`. Standard
/// input is read here, when `-x` asks for it.
///
/// # Errors
/// [`Error`] when flags do not fit together.
pub fn tests(flags: &PlanFlags, fillings: &Fillings) -> Result<Vec<Test>, Error> {
    let (load, workload) = (&flags.load, &flags.workload);
    let is_mix = workload.mix.is_some() || !workload.commands.is_empty();
    if load.stdin && flags.command.is_empty() {
        return Err(Error::usage("-x needs a command to add standard input to"));
    }
    let spelling = spelling(flags)?;
    let payload_bytes = workload.value_size.as_ref().map_or(load.data_bytes, |size| size.mean_about().round() as usize);
    let tests = match (is_mix, flags.command.is_empty()) {
        (true, false) => {
            return Err(Error::usage("a command does not go with --mix or --command: give it as --command"));
        }
        (true, true) => vec![mix(workload, &spelling, payload_bytes)?],
        (false, true) => {
            let selected = match &load.tests {
                Some(list) => suite::select(list).map_err(|error| Error::usage(format!("-t: {error}")))?,
                None => suite::by_default(),
            };
            selected.into_iter().map(|test| Test::of_suite(test, payload_bytes, &spelling)).collect()
        }
        (false, false) => vec![own(flags, fillings)?],
    };
    check(flags, &tests)?;
    Ok(tests)
}

/// How the requests of the suite are spelled.
fn spelling(flags: &PlanFlags) -> Result<Spelling, Error> {
    let (load, workload) = (&flags.load, &flags.workload);
    let spelling = Spelling {
        numbers: load.key_count.is_some(),
        prefix: load.key_prefix.clone().unwrap_or_default(),
        tagged: flags.server.group.cluster,
        key_bytes: workload.key_bytes,
        multi_keys: workload.multi_keys,
        expires: workload.ttl.is_some(),
    };
    let least = spelling.key_bytes_min();
    match workload.key_bytes {
        Some(bytes) if bytes < least => Err(Error::usage(format!(
            "--key-bytes {bytes} is too short for a prefix, a name and 12 digits; give {least} or more"
        ))),
        _ => Ok(spelling),
    }
}

/// The command on the command line.
fn own(flags: &PlanFlags, fillings: &Fillings) -> Result<Test, Error> {
    if flags.load.tests.is_some() {
        say::warning("-t is ignored: a command was given");
    }
    if flags.load.key_prefix.is_some() {
        return Err(Error::usage("--key-prefix is for the keys of the tests; write it into the keys of your command"));
    }
    let words: Vec<Vec<u8>> = flags.command.iter().cloned().map(OsString::into_vec).collect();
    let mut requests = sequence::parse(&words).map_err(Error::usage)?;
    if flags.load.stdin
        && let Some(last) = requests.last_mut()
    {
        let mut input = Vec::new();
        io::stdin().lock().read_to_end(&mut input).map_err(|error| Error::failed(format!("-x: {error}")))?;
        last.push_input(input);
    }
    let title = words.iter().map(|word| String::from_utf8_lossy(word)).collect::<Vec<_>>().join(" ");
    Ok(Test::of_command(title, requests, fillings))
}

/// The commands of `--mix` and those of `--command`, as one test.
fn mix(workload: &WorkloadFlags, spelling: &Spelling, payload_bytes: usize) -> Result<Test, Error> {
    let (mut commands, mut names) = (Vec::new(), Vec::new());
    for (name, weight) in workload.mix.iter().flat_map(|MixFlag(parts)| parts) {
        let test = suite::named(name).expect("the flag was checked");
        names.push(format!("{name}:{weight}"));
        let sequence = vec![spelling.apply(test)];
        commands.push(Command { title: spelling.title(test), weight: *weight, sequence, routing_key: None });
    }
    for (text, weight) in workload.commands.iter().zip(&workload.weight_of) {
        let sequence = parse(text).map_err(|error| Error::usage(format!("--command '{text}': {error}")))?;
        names.push(format!("{}:{weight}", sequence[0].name().to_lowercase()));
        commands.push(Command { title: text.clone(), weight: *weight, sequence, routing_key: None });
    }
    let title = match &commands[..] {
        [alone] => alone.title.clone(),
        _ => format!("MIX {}", names.join(",")),
    };
    Ok(Test { title, payload_bytes, commands })
}

/// A command, or several with `;` between, in one piece of text, quoted as in a shell.
fn parse(text: &str) -> Result<Vec<Template>, String> {
    let words = shlex::split(text).ok_or("a quote is not closed")?;
    let words: Vec<Vec<u8>> = words.into_iter().map(String::into_bytes).collect();
    sequence::parse(&words).map_err(|error| error.to_string())
}

/// Refuses placeholders that nothing would be put in place of, and values that nobody could find again.
fn check(flags: &PlanFlags, tests: &[Test]) -> Result<(), Error> {
    let (load, workload) = (&flags.load, &flags.workload);
    let has = |placeholder| tests.iter().flat_map(Test::templates).any(|template| template.has(placeholder));
    if has(KEY) && load.key_count.is_none() {
        return Err(Error::usage("__key__ is drawn from a key space: give its size with -r"));
    }
    if has(TTL) && workload.ttl.is_none() {
        return Err(Error::usage("__ttl__ is a time to live: give it with --ttl"));
    }
    if workload.ttl.is_some() && !has(TTL) {
        return Err(Error::usage("--ttl is for SET and for commands with __ttl__, and none is to be sent"));
    }
    if flags.server.group.cluster && (workload.verify || workload.prefill.is_some_and(|share| share > 0.0)) {
        return Err(Error::usage(
            "--prefill and --verify are for one server: in a cluster, the keys of a node depend on the slots that it has",
        ));
    }
    Ok(())
}

/// How the keys are filled that `tests` read, when `flags` ask for it.
///
/// # Errors
/// [`Error`] when it is not known how.
pub fn prefill(flags: &PlanFlags, tests: &[Test], key_count: Option<u64>) -> Result<Option<Prefill>, Error> {
    // None of the keys: what a profile fills is not wanted.
    let Some(share) = flags.workload.prefill.filter(|share| *share > 0.0) else { return Ok(None) };
    let mut sequences = Vec::new();
    for text in &flags.workload.prefill_command {
        let sequence = parse(text).map_err(|error| Error::usage(format!("--prefill-command '{text}': {error}")))?;
        if key_count.is_some() && !sequence.iter().all(|request| request.has(KEY)) {
            return Err(Error::usage(format!(
                "--prefill-command '{text}' has no __key__: it would write the same key again and again"
            )));
        }
        sequences.push(sequence);
    }
    if sequences.is_empty() {
        sequences = strings(tests, flags.workload.ttl.is_some());
    }
    if sequences.is_empty() {
        return Err(Error::usage(
            "--prefill knows how to fill keys of GET, SET and the like alone; say how with --prefill-command",
        ));
    }
    // Of a share, the keys that it begins with count whole.
    let keys = (key_count.unwrap_or(1) as f64 * share).ceil() as u64;
    let test = |sequence: Vec<Template>| {
        let command = Command { title: "PREFILL".to_owned(), weight: 1, sequence, routing_key: None };
        Test { title: command.title.clone(), payload_bytes: 0, commands: vec![command] }
    };
    Ok(Some(Prefill { keys, tests: sequences.into_iter().map(test).collect() }))
}

/// Commands whose first argument is the key of a string.
const OF_STRINGS: [&str; 12] =
    ["GET", "SET", "MGET", "MSET", "GETEX", "GETDEL", "GETSET", "GETRANGE", "SETRANGE", "APPEND", "STRLEN", "SETNX"];

/// A SET for each sort of key of a string that `tests` read or write.
fn strings(tests: &[Test], expires: bool) -> Vec<Vec<Template>> {
    let mut keys: Vec<Vec<u8>> = Vec::new();
    for template in tests.iter().flat_map(Test::templates).filter(|it| OF_STRINGS.contains(&&*it.name())) {
        let key = template.arguments().nth(1).unwrap_or_default().to_vec();
        if !keys.contains(&key) && !key.is_empty() {
            keys.push(key);
        }
    }
    let set = |key: Vec<u8>| {
        let mut arguments = vec![b"SET".to_vec(), key, DATA.into()];
        if expires {
            arguments.extend([b"EX".to_vec(), TTL.into()]);
        }
        vec![Template::new(&arguments)]
    };
    keys.into_iter().map(set).collect()
}
