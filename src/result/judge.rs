//! Who was the limit of a result, and what to know before it is believed: by what the result tells of itself, and by what
//! was observed beside it.

use super::test::TestResult;
use crate::observe::{Machine, ProxyUse};
use crate::plan::Plan;
use crate::recording::observed::{Observed, Sample, ServerActivity, ServerUse, ThreadUse};
use crate::recording::{LoadThread, Reads, Timeline};
use crate::stats::bottleneck::{ProxyFacts, ServerFacts, Slip, ThreadFacts};
use crate::stats::warning::SAMPLES_SHOWN;
use crate::stats::{Conditions, Facts, Spread, bottleneck, warnings};
use crate::target::{PathKind, Target};
use crate::units::{Nanos, Rate};
use crate::workload::{Template, Test};

/// Judges `result` of a test of `plan`, which was made on `machine` against `targets`.
pub fn judge_result(plan: &Plan, machine: &Machine, targets: &[Target], result: &mut TestResult) {
    let verdict = bottleneck(&facts(plan, machine, targets, result));
    let reads: Vec<(&str, Reads)> = match result.commands.is_empty() {
        true => result.reads.iter().map(|reads| (result.title.as_str(), *reads)).collect(),
        false => result.commands.iter().filter_map(|it| Some((it.title.as_str(), it.reads?))).collect(),
    };
    let warnings = warnings(&Conditions { reads: &reads, ..conditions(plan, machine, result) });
    (result.verdict, result.warnings) = (Some(verdict), warnings);
}

/// What bears on who was the limit.
pub fn facts(plan: &Plan, machine: &Machine, targets: &[Target], result: &TestResult) -> Facts {
    // A client has so many sequences in flight, each of all commands of a test that is no mix.
    let sequence = plan.tests.iter().find(|test| test.title == result.title).map_or(1, Test::sequence_len);
    let per_second = |count: u64| Rate::of(count, result.elapsed_ns).0;
    let observed = result.observed.as_ref();
    let samples = samples(observed, &result.timeline);
    let is_proxied = |target: &Target| target.path.kind == PathKind::Proxy;
    let client = observed.map(|observed| &observed.client);
    Facts {
        elapsed: result.elapsed_ns,
        achieved: result.summary.requests_per_second,
        offered: plan.arrivals.is_some().then(|| Rate::of(result.sent + result.unsent, result.elapsed_ns)),
        unsent: result.unsent,
        slip: result.slip.as_ref().and_then(|slip| Slip::of(slip, slip_by_slice(&result.timeline))),
        clients: plan.clients,
        pipeline: plan.pipeline.saturating_mul(u32::try_from(sequence).unwrap_or(u32::MAX)),
        think_time: plan.think_time,
        latency_mean: result.service_time.mean().map(|mean| Nanos(mean as u64)),
        latency_min: result.service_time.min(),
        threads: threads(result, &samples),
        cores: Some(machine.cores),
        ceiling: result.calibration.as_ref().map(|calibration| calibration.ceiling_requests_per_second),
        steal: client.and_then(|client| client.steal),
        throttled: client.and_then(|client| client.throttled),
        segments: client.and_then(|client| client.tcp_segments.zip(client.tcp_retransmits)),
        bytes_sent_per_second: Some(per_second(result.bytes_sent)),
        bytes_received_per_second: Some(per_second(result.bytes_received)),
        servers: observed.map_or(Vec::new(), |it| it.servers.iter().map(|it| server(it, &samples, targets)).collect()),
        proxies: result.proxies.iter().map(proxy).collect(),
        has_unseen_proxy: result.proxies.is_empty() && targets.iter().any(is_proxied),
    }
}

/// The samples of the part that is measured, as far as there are any: a sample belongs to where most of it is.
fn samples<'a>(observed: Option<&'a Observed>, timeline: &Timeline) -> Vec<&'a Sample> {
    let all = observed.map_or(&[][..], |observed| &observed.samples);
    let is_measured = |sample: &&Sample| {
        let middle = sample.start_ns + Nanos(sample.length_ns.0 / 2);
        let slice = timeline.intervals.iter().rfind(|interval| interval.start_ns <= middle);
        slice.is_none_or(|slice| slice.measured)
    };
    let measured: Vec<&Sample> = all.iter().filter(is_measured).collect();
    if measured.is_empty() { all.iter().collect() } else { measured }
}

fn slip_by_slice(timeline: &Timeline) -> Vec<Nanos> {
    timeline.intervals.iter().filter(|interval| interval.measured).filter_map(|interval| interval.slip_p99_ns).collect()
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    Spread::of(values).map(|spread| spread.median)
}

/// Load threads: their own account of how busy they were, and the system's of how long they waited for a processor.
fn threads(result: &TestResult, samples: &[&Sample]) -> Vec<ThreadFacts> {
    let of = |(index, thread): (usize, &LoadThread)| {
        let name = format!("load-{index}");
        let seen = || samples.iter().flat_map(|it| &it.client.threads).filter(|it| it.name == name);
        let whole = result.observed.iter().flat_map(|it| &it.client.threads).find(|it| it.name == name);
        let figure = |of: fn(&ThreadUse) -> Option<f64>| median(seen().filter_map(of)).or_else(|| whole.and_then(of));
        let seconds = result.elapsed_ns.as_secs();
        let sent_away = whole.and_then(|it| it.involuntary_switches).filter(|_| seconds > 0.0);
        ThreadFacts {
            run_queue_wait: figure(|it| it.run_queue_wait),
            involuntary_switches: sent_away.map(|switches| switches as f64 / seconds),
            ..ThreadFacts::from(thread)
        }
    };
    result.load_threads.iter().enumerate().map(of).collect()
}

fn server(whole: &ServerUse, samples: &[&Sample], targets: &[Target]) -> ServerFacts {
    let seen = || samples.iter().flat_map(|it| &it.servers).filter(|it| it.name == whole.name).map(|it| &it.activity);
    let busy = |of: fn(&ServerActivity) -> Option<f64>| median(seen().filter_map(of)).or_else(|| of(&whole.activity));
    // The mean over commands, by how often each was called.
    let (calls, usec) = whole.commands.values().fold((0.0, 0.0), |(calls, usec), it| {
        (calls + it.calls as f64, usec + it.calls as f64 * it.usec_per_call.unwrap_or(0.0))
    });
    ServerFacts {
        name: whole.name.clone(),
        main_thread_busy: busy(|it| it.main_thread_busy),
        process_busy: busy(|it| it.process_busy),
        // They are in use whenever there is enough to do. Of a server that is no target nobody asked.
        io_threads: targets
            .iter()
            .find(|target| target.server.run_id.is_some() && target.server.run_id == whole.run_id)
            .and_then(|target| target.server.config_io_threads),
        commands_per_second: whole.activity.commands_per_second.map(|rate| rate.0),
        usec_per_call: (usec > 0.0).then(|| usec / calls),
        run_queue_wait: busy(|it| it.run_queue_wait),
        is_local: whole.activity.run_queue_wait.is_some(),
    }
}

fn proxy(proxy: &ProxyUse) -> ProxyFacts {
    ProxyFacts {
        name: proxy.address.clone(),
        busy: proxy.busy,
        threads: proxy.threads.and_then(|threads| threads.try_into().ok()),
        run_queue_wait: proxy.run_queue_wait,
    }
}

/// What to warn of, but for reads.
fn conditions<'a>(plan: &Plan, machine: &'a Machine, result: &'a TestResult) -> Conditions<'a> {
    let observed = result.observed.as_ref();
    let samples = samples(observed, &result.timeline);
    let servers = || observed.iter().flat_map(|observed| &observed.servers).map(|server| &server.activity);
    let saving = samples.iter().filter(|it| it.servers.iter().any(|server| server.activity.is_saving == Some(true)));
    let client = observed.map(|observed| &observed.client);
    Conditions {
        latencies: Some(result.felt()),
        percentile: Some(99.0),
        samples_needed: SAMPLES_SHOWN,
        throttled: client.and_then(|client| client.throttled),
        steal: client.and_then(|client| client.steal),
        clocksource: machine.clocksource.as_deref(),
        clock_read: Some(machine.clock_read_ns),
        governor: machine.governor.as_deref(),
        reads: &[],
        keys_drawn: plan.key_count.map(|_| result.sent.saturating_mul(keys_of(plan, result))),
        key_count: plan.key_count,
        saving: (!samples.is_empty()).then(|| saving.count() as f64 / samples.len() as f64),
        loop_lag_p99: client.and_then(|client| client.loop_lag_p99_ns),
        evicted_keys: servers().filter_map(|server| server.evicted_keys).reduce(|sum, more| sum + more),
        swapped_bytes: client.and_then(|client| client.swapped_bytes),
    }
}

/// Numbers of keys that a request of the test draws, at the most.
fn keys_of(plan: &Plan, result: &TestResult) -> u64 {
    let test = plan.tests.iter().find(|test| test.title == result.title);
    test.into_iter().flat_map(Test::templates).map(Template::keys_drawn).max().unwrap_or(1)
}
