//! What makes a figure worth less than it looks: typed, with the figures that say so.

use super::bottleneck::{Figure, Unit};
use crate::recording::{Latencies, Reads};
use crate::units::Nanos;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    TooFewSamples,
    Throttled,
    /// A hypervisor gave time to others.
    NoisyNeighbour,
    ClockSource,
    ClockCost,
    Governor,
    LowHitRate,
    SmallWorkingSet,
    /// The server had forked to save.
    Fork,
    LoopLag,
    Evictions,
    Swap,
}

/// One thing to know before a result is believed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Warning {
    pub code: Code,
    /// One line: what it is, and the way out.
    pub text: String,
    pub evidence: Vec<Figure>,
}

impl Warning {
    fn new(code: Code, text: impl Into<String>, evidence: Vec<Figure>) -> Warning {
        Warning { code, text: text.into(), evidence }
    }
}

/// What is looked at. What is not known is missing, and warns of nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Conditions<'a> {
    pub latencies: Option<&'a Latencies>,
    /// The highest percentile, below 100, of `latencies` that is shown.
    pub percentile: Option<f64>,
    /// Samples beyond that percentile that are needed: [`SAMPLES_SHOWN`] or [`SAMPLES_COMPARED`].
    pub samples_needed: u64,
    /// The share of time for which the control group was stopped.
    pub throttled: Option<f64>,
    /// The share of the processors that a hypervisor gave to others.
    pub steal: Option<f64>,
    pub clocksource: Option<&'a str>,
    /// What reading the clock takes.
    pub clock_read: Option<Nanos>,
    /// What sets the processor's frequency.
    pub governor: Option<&'a str>,
    /// What each test or command of a mix that reads found, with its title.
    pub reads: &'a [(&'a str, Reads)],
    /// Keys that were drawn, one for each placeholder of each request. None when keys have no numbers.
    pub keys_drawn: Option<u64>,
    /// Keys that they were drawn from.
    pub key_count: Option<u64>,
    /// The share of the samples in which a server was saving.
    pub saving: Option<f64>,
    /// The 99th percentile of how late a timer was that ran beside the load.
    pub loop_lag_p99: Option<Nanos>,
    /// Keys that servers threw out for want of memory.
    pub evicted_keys: Option<u64>,
    /// Bytes that came back from swap or went there, on this machine.
    pub swapped_bytes: Option<u64>,
}

/// Samples beyond a percentile without which it says nothing, and without which it is not held against another.
pub const SAMPLES_SHOWN: u64 = 10;
pub const SAMPLES_COMPARED: u64 = 100;

/// What may be taken of the time.
const TAKEN_MAX: f64 = 0.02;

/// Clock sources that are read without a system call.
const CLOCKS: [&str; 4] = ["tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter"];

/// A clock that is dearer changes what it measures.
const CLOCK_READ_MAX: Nanos = Nanos(100);

/// Below this share of hits a test of reads says more of empty keys than of values.
const HIT_RATE_MIN: f64 = 0.01;

/// A timer that is later than this did not have the processor for itself.
const LOOP_LAG_MAX: Nanos = Nanos::from_millis(10);

/// All that there is to warn of, in the order in which it was listed.
pub fn warnings(conditions: &Conditions) -> Vec<Warning> {
    let reads = conditions.reads.iter().filter_map(|(title, reads)| low_hit_rate(title, reads));
    [too_few_samples(conditions), throttled(conditions), noisy_neighbour(conditions), clock(conditions)]
        .into_iter()
        .chain([governor(conditions)])
        .flatten()
        .chain(reads)
        .chain(of_server_and_machine(conditions))
        .collect()
}

/// Of reads that found next to nothing.
pub fn low_hit_rate(title: &str, reads: &Reads) -> Option<Warning> {
    let rate = reads.hit_rate().filter(|rate| *rate < HIT_RATE_MIN)?;
    let text = format!(
        "{title}: {} of {} reads found anything ({:.2}%): this measures missing keys; fill them with --prefill",
        reads.hits,
        reads.total(),
        rate * 100.0
    );
    Some(Warning::new(Code::LowHitRate, text, vec![Figure::new("hit rate", rate, Unit::Share)]))
}

fn too_few_samples(conditions: &Conditions) -> Option<Warning> {
    let (latencies, percentile) = (conditions.latencies?, conditions.percentile?);
    let share = 1.0 - percentile / 100.0;
    // One hundredth of 1000 is 10, whatever the arithmetic of floating point says.
    let beyond = (latencies.count() as f64 * share + 1e-6).floor() as u64;
    if beyond >= conditions.samples_needed || latencies.count() == 0 {
        return None;
    }
    let times = (conditions.samples_needed as f64 / (latencies.count() as f64 * share)).ceil();
    let has_enough = |lower: &&f64| {
        **lower < percentile
            && latencies.count() as f64 * (1.0 - **lower / 100.0) + 1e-6 >= conditions.samples_needed as f64
    };
    let instead = [99.9, 99.0, 95.0, 90.0, 50.0].iter().find(has_enough);
    let instead = instead.map_or(String::new(), |lower| format!(", or read p{lower}"));
    let s = if beyond == 1 { "" } else { "s" };
    let text = format!("p{percentile} rests on {beyond} sample{s}; run at least {times:.0} times longer{instead}");
    let evidence = vec![
        Figure::new(format!("samples beyond p{percentile}"), beyond as f64, Unit::Count),
        Figure::new("samples", latencies.count() as f64, Unit::Count),
    ];
    Some(Warning::new(Code::TooFewSamples, text, evidence))
}

fn throttled(conditions: &Conditions) -> Option<Warning> {
    let share = conditions.throttled.filter(|share| *share > TAKEN_MAX)?;
    let text = format!(
        "the quota of its control group stopped rbench for {:.1} % of the time: raise cpu.max (the limit of its container)",
        share * 100.0
    );
    Some(Warning::new(Code::Throttled, text, vec![Figure::new("throttled", share, Unit::Share)]))
}

fn noisy_neighbour(conditions: &Conditions) -> Option<Warning> {
    let share = conditions.steal.filter(|share| *share > TAKEN_MAX)?;
    let text = format!(
        "the hypervisor gave {:.1} % of the processors to others (steal): run again, or on a machine without neighbours",
        share * 100.0
    );
    Some(Warning::new(Code::NoisyNeighbour, text, vec![Figure::new("steal", share, Unit::Share)]))
}

/// One of the two: a source that is read by system call is dear for that reason.
fn clock(conditions: &Conditions) -> Option<Warning> {
    let ns = conditions.clock_read.map(|cost| cost.0);
    let evidence = || ns.map(|ns| Figure::new("clock read", ns as f64, Unit::Ns)).into_iter().collect();
    if let Some(source) = conditions.clocksource.filter(|source| !CLOCKS.contains(source)) {
        let cost = ns.map_or(String::new(), |ns| format!(", {ns} ns a reading"));
        let text = format!("the clock source is {source}{cost}, not tsc: latencies contain what reading it takes");
        return Some(Warning::new(Code::ClockSource, text, evidence()));
    }
    let ns = ns.filter(|ns| *ns > CLOCK_READ_MAX.0)?;
    let text =
        format!("reading the clock takes {ns} ns: latencies contain it; is the machine emulated, or the vDSO off?");
    Some(Warning::new(Code::ClockCost, text, evidence()))
}

fn governor(conditions: &Conditions) -> Option<Warning> {
    let governor = conditions.governor.filter(|governor| *governor != "performance")?;
    let text = format!(
        "the processor's frequency is set by '{governor}', which lowers it at low load: choose performance (cpupower \
         frequency-set -g performance)"
    );
    Some(Warning::new(Code::Governor, text, Vec::new()))
}

/// Whatever the distribution: what was not drawn was not touched. Of more draws than keys nothing is said, because a
/// skewed distribution leaves keys out on purpose.
fn small_working_set(conditions: &Conditions) -> Option<Warning> {
    let (drawn, keys) = (conditions.keys_drawn?, conditions.key_count.filter(|keys| *keys > 0)?);
    if drawn >= keys {
        return None;
    }
    let share = drawn as f64 / keys as f64;
    let text = format!(
        "{drawn} keys were drawn from -r {keys}: at most {:.1} % of them were touched; run longer, or lower -r",
        share * 100.0
    );
    let evidence =
        vec![Figure::new("keys drawn", drawn as f64, Unit::Count), Figure::new("keys", keys as f64, Unit::Count)];
    Some(Warning::new(Code::SmallWorkingSet, text, evidence))
}

fn of_server_and_machine(conditions: &Conditions) -> Vec<Warning> {
    let saving = conditions.saving.filter(|share| *share > 0.0).map(|share| {
        let text = format!(
            "a server was saving for {:.0} % of the run (a fork: it copies what is written): run again, or without save",
            share * 100.0
        );
        Warning::new(Code::Fork, text, vec![Figure::new("saving", share, Unit::Share)])
    });
    let lag = conditions.loop_lag_p99.filter(|lag| *lag > LOOP_LAG_MAX).map(|lag| {
        let text = format!(
            "a timer beside the load was {:.0} ms late (p99): this machine has more to do than processors",
            lag.0 as f64 / 1e6
        );
        Warning::new(Code::LoopLag, text, vec![Figure::new("loop lag p99", lag.0 as f64, Unit::Ns)])
    });
    let evicted = conditions.evicted_keys.filter(|keys| *keys > 0).map(|keys| {
        let text = format!("servers evicted {keys} keys meanwhile: maxmemory is too small for -r and -d");
        Warning::new(Code::Evictions, text, vec![Figure::new("evicted keys", keys as f64, Unit::Count)])
    });
    let swapped = conditions.swapped_bytes.filter(|bytes| *bytes > 0).map(|bytes| {
        let text = format!("{} KiB went to swap or came back: the machine is short of memory", bytes.div_ceil(1024));
        Warning::new(Code::Swap, text, vec![Figure::new("swapped bytes", bytes as f64, Unit::Count)])
    });
    [small_working_set(conditions), saving, lag, evicted, swapped].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(conditions: Conditions) -> Vec<Code> {
        warnings(&conditions).into_iter().map(|warning| warning.code).collect()
    }

    fn samples(count: u64) -> Latencies {
        let mut latencies = Latencies::default();
        latencies.record(Nanos(1000), count);
        latencies
    }

    const GOOD: Conditions = Conditions {
        latencies: None,
        percentile: None,
        samples_needed: 0,
        throttled: Some(0.02),
        steal: Some(0.02),
        clocksource: Some("kvm-clock"),
        clock_read: Some(Nanos(100)),
        governor: Some("performance"),
        reads: &[("GET", Reads { hits: 1, misses: 99 })],
        keys_drawn: Some(1000),
        key_count: Some(1000),
        saving: Some(0.0),
        loop_lag_p99: Some(LOOP_LAG_MAX),
        evicted_keys: Some(0),
        swapped_bytes: Some(0),
    };

    #[test]
    fn good_conditions_and_unknown_ones_warn_of_nothing() {
        assert_eq!(codes(GOOD), []);
        assert_eq!(codes(Conditions::default()), []);
    }

    #[test]
    fn each_condition_has_a_warning_of_its_own() {
        for (bad, code) in [
            (Conditions { throttled: Some(0.021), ..GOOD }, Code::Throttled),
            (Conditions { steal: Some(0.021), ..GOOD }, Code::NoisyNeighbour),
            // A system call for each reading: one warning is enough.
            (Conditions { clocksource: Some("xen"), clock_read: Some(Nanos(900)), ..GOOD }, Code::ClockSource),
            (Conditions { clock_read: Some(Nanos(101)), ..GOOD }, Code::ClockCost),
            (Conditions { governor: Some("powersave"), ..GOOD }, Code::Governor),
            (Conditions { reads: &[("GET", Reads { hits: 0, misses: 5 })], ..GOOD }, Code::LowHitRate),
            (Conditions { keys_drawn: Some(999), ..GOOD }, Code::SmallWorkingSet),
            (Conditions { saving: Some(0.1), ..GOOD }, Code::Fork),
            (Conditions { loop_lag_p99: Some(Nanos::from_millis(11)), ..GOOD }, Code::LoopLag),
            (Conditions { evicted_keys: Some(1), ..GOOD }, Code::Evictions),
            (Conditions { swapped_bytes: Some(4096), ..GOOD }, Code::Swap),
        ] {
            assert_eq!(codes(bad), [code]);
        }
    }

    #[test]
    fn a_percentile_rests_on_the_samples_beyond_it() {
        for (count, needed, warns) in
            [(1000, SAMPLES_SHOWN, false), (999, SAMPLES_SHOWN, true), (9999, SAMPLES_COMPARED, true), (0, 10, false)]
        {
            let latencies = samples(count);
            let looked = Conditions {
                latencies: Some(&latencies),
                percentile: Some(99.0),
                samples_needed: needed,
                ..Conditions::default()
            };
            assert_eq!(!codes(looked).is_empty(), warns, "{count} of {needed}");
        }
    }

    #[test]
    fn a_warning_names_the_way_out() {
        let latencies = samples(1200);
        let looked = Conditions {
            latencies: Some(&latencies),
            percentile: Some(99.9),
            samples_needed: 10,
            ..Conditions::default()
        };
        let text = &warnings(&looked)[0].text;
        assert_eq!(text, "p99.9 rests on 1 sample; run at least 9 times longer, or read p99");
        let text = &warnings(&Conditions { keys_drawn: Some(20), ..GOOD })[0].text;
        assert_eq!(
            text,
            "20 keys were drawn from -r 1000: at most 2.0 % of them were touched; run longer, or lower -r"
        );
    }
}
