//! From flags to a plan.

use super::error::Error;
use super::flags::PlanFlags;
use super::flags::load::{LoadFlags, Ramp, Steps};
use super::paths::NamedPath;
use super::server::server;
use super::workload::{prefill, tests};
use crate::embedded::Behaviours;
use crate::plan::{PipelineMode, Plan, Protocol, Rounds, Stop};
use crate::units::{Nanos, Rate, Seed};
use crate::workload::ValueSize;
use crate::workload::arrivals::{Arrivals, Shape};
use std::time::Duration;

/// What a slice of the timeline is when nothing is said of it.
pub const INTERVAL: Nanos = Nanos::from_secs(1);

/// The plan that `flags` ask for, with what they leave open decided. Standard input is read here, when `-x` asks for it.
///
/// # Errors
/// [`Error`] when flags do not fit together.
pub fn plan(flags: &PlanFlags) -> Result<Plan, Error> {
    let (load, connections) = (&flags.load, &flags.connections);
    if connections.reconnect_every.is_some() && !connections.keep_alive {
        return Err(Error::usage("--reconnect-every does not go with -k 0, which reconnects after every batch"));
    }
    if load.cooldown > Duration::ZERO && load.duration.is_none() {
        return Err(Error::usage(
            "--cooldown is for runs of a --duration: without one, a run ends with its last request",
        ));
    }
    if load.pipeline_mode == PipelineMode::Window && connections.think_time > Duration::ZERO {
        return Err(Error::usage("--think-time is the time between two batches, and --pipeline-mode window has none"));
    }
    let workload = &flags.workload;
    let (path, way) = flags.server.only_way()?;
    let value_size = workload.value_size.clone().unwrap_or_else(|| ValueSize::of(load.data_bytes));
    let mut plan = Plan {
        server: server(&way, connections)?,
        path: path.map(str::to_owned),
        profile: workload.profile.clone(),
        tests: Vec::new(),
        is_suite: flags.command.is_empty(),
        rounds: rounds(load),
        stop: load.duration.map_or(Stop::AfterRequests(load.requests), |time| Stop::AfterDuration(time.into())),
        warmup: load.warmup.into(),
        cooldown: load.cooldown.into(),
        interval: INTERVAL,
        arrivals: arrivals(load)?,
        spin: load.spin,
        realtime: false,
        latency_limit: load.latency_limit.map(Nanos::from),
        clients: load.clients,
        pipeline: load.pipeline,
        pipeline_mode: load.pipeline_mode,
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
        key_distribution: workload.keys.unwrap_or_default(),
        prefill: None,
        key_prefix: load.key_prefix.clone().unwrap_or_default(),
        cleanup: load.cleanup,
        data_bytes: value_size.largest(),
        value_size: Some(value_size),
        value_data: workload.value_data.unwrap_or_default(),
        ttl: workload.ttl,
        verify: workload.verify,
        seed: Seed(load.seed.unwrap_or_else(rand::random)),
        connect_timeout: connections.connect_timeout.into(),
        reply_timeout: connections.timeout.into(),
        precision: None,
    };
    plan.tests = tests(flags, &plan.fillings())?;
    plan.prefill = prefill(flags, &plan.tests, plan.key_count)?;
    check_memory(&plan)?;
    plan.realtime = load.realtime.decide(plan.load_threads(), load.spin, way.embedded.as_ref())?;
    Ok(plan)
}

/// The plans of the same load along each of `paths`, and the server to start for each. Without paths there is the one way
/// that the flags name.
///
/// # Errors
/// As above.
pub fn plans(flags: &mut PlanFlags, paths: &[NamedPath]) -> Result<(Vec<Plan>, Vec<Embedded>), Error> {
    // The same draws for all.
    flags.load.seed.get_or_insert_with(rand::random);
    if paths.is_empty() {
        return Ok((vec![plan(flags)?], vec![flags.server.embedded.clone()]));
    }
    let base = flags.server.clone();
    let (mut plans, mut embedded) = (Vec::new(), Vec::new());
    for path in paths {
        flags.server = base.along(path);
        plans.push(Plan { path: Some(path.name.clone()), ..plan(flags)? });
        embedded.push(flags.server.embedded.clone());
    }
    flags.server = base;
    Ok((plans, embedded))
}

/// The server to start for a way, if there is one, and how it behaves when that was said.
pub type Embedded = Option<Option<Behaviours>>;

fn rounds(load: &LoadFlags) -> Rounds {
    match load.repeat {
        Some(times) => Rounds::Times(times),
        None if load.forever => Rounds::UntilInterrupted,
        None => Rounds::Once,
    }
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
