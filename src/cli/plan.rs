//! From flags to a plan.

use super::error::Error;
use super::flags::RunFlags;
use super::flags::load::{LoadFlags, Ramp, Steps};
use super::say;
use super::server::server;
use crate::plan::{Plan, Protocol, Rounds, Stop};
use crate::units::{Nanos, Rate, Seed};
use crate::workload::arrivals::{Arrivals, Shape};
use crate::workload::suite::Spelling;
use crate::workload::{Template, Test, sequence, suite, value};
use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

/// The plan that `flags` ask for, with what they leave open decided. Standard input is read here, when `-x` asks for it.
///
/// # Errors
/// [`Error`] when flags do not fit together.
pub fn plan(flags: &RunFlags) -> Result<Plan, Error> {
    let (load, connections) = (&flags.load, &flags.connections);
    if connections.reconnect_every.is_some() && !connections.keep_alive {
        return Err(Error::usage("--reconnect-every does not go with -k 0, which reconnects after every batch"));
    }
    if load.cooldown > Duration::ZERO && load.duration.is_none() {
        return Err(Error::usage(
            "--cooldown is for runs of a --duration: without one, a run ends with its last request",
        ));
    }
    let plan = Plan {
        server: server(&flags.server, connections)?,
        tests: tests(load, flags.server.group.cluster, &flags.command)?,
        is_suite: flags.command.is_empty(),
        rounds: if load.forever { Rounds::UntilInterrupted } else { Rounds::Once },
        stop: load.duration.map_or(Stop::AfterRequests(load.requests), |time| Stop::AfterDuration(time.into())),
        warmup: load.warmup.into(),
        cooldown: load.cooldown.into(),
        interval: flags.output.interval.into(),
        arrivals: arrivals(load)?,
        spin: load.spin,
        latency_limit: load.latency_limit.map(Nanos::from),
        clients: load.clients,
        pipeline: load.pipeline,
        keep_alive: connections.keep_alive,
        reconnect_every: connections.reconnect_every,
        connect_rate: connections.connect_rate.map(Rate),
        think_time: connections.think_time.into(),
        on_error: flags.errors.on_error.into(),
        give_up: flags.errors.give_up.into(),
        guard: flags.errors.guard.into(),
        threads: (load.threads > 0).then_some(load.threads),
        protocol: if flags.server.resp3 { Protocol::Resp3 } else { Protocol::Resp2 },
        tracking: flags.server.enable_tracking,
        // A key space of none is one of one, as in the original.
        key_count: load.key_count.map(|count| count.max(1)),
        key_prefix: load.key_prefix.clone().unwrap_or_default(),
        cleanup: load.cleanup,
        data_bytes: load.data_bytes,
        seed: Seed(load.seed.unwrap_or_else(rand::random)),
        connect_timeout: connections.connect_timeout.into(),
        reply_timeout: connections.timeout.into(),
        precision: flags.output.precision,
    };
    check_memory(&plan)?;
    Ok(plan)
}

/// The schedule that the flags ask for, if they do.
fn arrivals(load: &LoadFlags) -> Result<Option<Arrivals>, Error> {
    let whole = load.duration.map(|duration| Nanos::from(load.warmup + duration + load.cooldown));
    let shape = match (load.rate, &load.ramp, &load.steps) {
        (Some(rate), _, _) => Shape::Fixed(rate),
        (None, Some(Ramp(from, to)), _) => {
            let over = whole.ok_or_else(|| Error::usage("--ramp needs a --duration to rise over"))?;
            Shape::Ramp { from: *from, to: *to, over }
        }
        (None, None, Some(Steps(rates))) => {
            let whole = whole.ok_or_else(|| Error::usage("--steps needs a --duration to share out"))?;
            Shape::Steps { rates: rates.clone(), each: Nanos(whole.0 / rates.len() as u64) }
        }
        (None, None, None) if load.spin || load.latency_limit.is_some() || load.arrivals.is_some() => {
            return Err(Error::usage("--arrivals, --spin and --latency-limit are for a schedule: give it with --rate"));
        }
        (None, None, None) => return Ok(None),
    };
    Ok(Some(Arrivals { process: load.arrivals.unwrap_or_default(), shape }))
}

/// The most memory that batches may take.
const BATCH_BYTES_MAX: u64 = 4 << 30;

/// Refuses what would end in the middle of nowhere for want of memory.
fn check_memory(plan: &Plan) -> Result<(), Error> {
    let bytes = plan.batch_bytes_about();
    if bytes <= BATCH_BYTES_MAX {
        return Ok(());
    }
    let gib = bytes as f64 / f64::from(1 << 30);
    Err(Error::usage(format!("a batch of -P {} requests takes {gib:.1} GiB of memory; lower -P or -d", plan.pipeline)))
}

/// The tests that the flags name, or the command that stands in their place.
fn tests(load: &LoadFlags, in_cluster: bool, command: &[OsString]) -> Result<Vec<Test>, Error> {
    if command.is_empty() {
        if load.stdin {
            return Err(Error::usage("-x needs a command to add standard input to"));
        }
        let selected = match &load.tests {
            Some(list) => suite::select(list).map_err(|error| Error::usage(format!("-t: {error}")))?,
            None => suite::by_default(),
        };
        let numbers = load.key_count.is_some();
        let keys = Spelling { prefix: load.key_prefix.clone().unwrap_or_default(), tagged: in_cluster };
        return Ok(selected.into_iter().map(|test| Test::of_suite(test, load.data_bytes, numbers, &keys)).collect());
    }
    if load.tests.is_some() {
        say::warning("-t is ignored: a command was given");
    }
    if load.key_prefix.is_some() {
        return Err(Error::usage("--key-prefix is for the keys of the tests; write it into the keys of your command"));
    }
    let words: Vec<Vec<u8>> = command.iter().cloned().map(OsString::into_vec).collect();
    let mut requests = sequence::parse(&words).map_err(Error::usage)?;
    if load.stdin {
        let mut input = Vec::new();
        io::stdin().lock().read_to_end(&mut input).map_err(|error| Error::failed(format!("-x: {error}")))?;
        add_input(&mut requests, &input);
    }
    let title = words.iter().map(|word| String::from_utf8_lossy(word)).collect::<Vec<_>>().join(" ");
    Ok(vec![Test::of_command(title, requests, &value::payload(load.data_bytes))])
}

/// Standard input goes to the last request of a sequence.
fn add_input(requests: &mut [Template], input: &[u8]) {
    if let Some(last) = requests.last_mut() {
        last.push_input(input.to_vec());
    }
}
